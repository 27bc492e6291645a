package plan_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/kvrocks/kvrocks-operator/api/slots"
	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/layout"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/plantest"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/quorum"
)

// finish builds the record and the report, and then does what needs them.
func (b *clusterBuilder) finish() {
	for i := range b.shards {
		if !slices.ContainsFunc(b.members, func(m clusterMember) bool { return m.shard == i }) {
			b.member(fmt.Sprintf("%d-0", i), []string{"master", "serving"})
		}
	}
	spec, status := &b.in.Topology.Spec, &b.in.Topology.Status
	recorded := map[int]bool{}
	for _, m := range b.members {
		recorded[m.shard] = recorded[m.shard] || !m.outside
	}
	known := slices.DeleteFunc(slices.Sorted(maps.Keys(recorded)), func(i int) bool { return !recorded[i] })
	b.record.Shards = make([]layout.Shard, len(spec.Shards))
	for i := range spec.Shards {
		s := &b.record.Shards[i]
		switch text := b.slots[i]; text {
		case "none":
		case "":
			if recorded[i] {
				s.Slots = plantest.EvenSlots(slices.Index(known, i), len(known))
			}
		default:
			for r := range strings.SplitSeq(text, ",") {
				s.Slots.Add(parseRange(b.t, r))
			}
		}
		named := slices.ContainsFunc(b.members, func(m clusterMember) bool { return m.shard == i && m.named })
		was := slices.ContainsFunc(b.members, func(m clusterMember) bool { return m.shard == i && m.was })
		for _, m := range b.members {
			if m.shard != i || m.outside {
				continue
			}
			master := m.named || !named && len(s.Nodes) == 0
			s.Nodes = append(s.Nodes, layout.Node{ID: idOf(m.pod), Address: clusterAddress(m.pod), Port: scenarioPort, Master: master})
			if !b.none && (m.was || !was && master) {
				status.Shards[i].Master = m.pod
			}
		}
		provedMaster(&status.Shards[i])
		if address, ok := b.foreign[i]; ok {
			s.Nodes = append(s.Nodes, layout.Node{ID: "idforeign", Address: address, Port: scenarioPort})
		}
	}
	for _, words := range b.owns {
		b.own(words, known)
	}
	for i := range b.record.Shards {
		if !b.none {
			for _, r := range b.record.Shards[i].Slots.Ranges() {
				status.Shards[i].Slots = append(status.Shards[i].Slots, v1alpha1.SlotRange(r.String()))
			}
		}
	}
	b.record.Shards = slices.DeleteFunc(b.record.Shards, func(s layout.Shard) bool { return len(s.Nodes) == 0 })
	if !b.lost && !b.none && b.in.Controller.Reach == plan.Answered {
		b.in.Controller.Record = b.record
	}
	if status.LayoutVersion < 0 {
		status.LayoutVersion = b.record.Version
		if b.none {
			status.LayoutVersion = 0
		}
	}
	for _, m := range b.members {
		b.layout(m)
	}
	for _, words := range b.later {
		b.lateLine(words)
	}
}

// layout gives a node the layout that it says it has.
func (b *clusterBuilder) layout(m clusterMember) {
	for _, word := range m.words {
		what, ok := strings.CutPrefix(word, "layout=")
		if !ok {
			continue
		}
		l := &layout.Layout{Version: b.in.Nodes[m.pod].Cluster.Version, Shards: slices.Clone(b.record.Shards)}
		if what == "stop" {
			s := &l.Shards[m.shard]
			rest := slices.Clone(s.Nodes)
			i := slices.IndexFunc(rest, func(n layout.Node) bool { return n.ID == idOf(m.pod) })
			alone := rest[i]
			alone.Master = true
			rest = slices.Delete(rest, i, i+1)
			rest[0].Master = true
			s.Nodes = rest
			l.Shards = append(l.Shards, layout.Shard{Nodes: []layout.Node{alone}})
		}
		b.in.Nodes[m.pod].Cluster.Layout = l
	}
}

func (b *clusterBuilder) lateLine(words []string) {
	spec, status := &b.in.Topology.Spec, &b.in.Topology.Status
	index := 0
	if len(words) > 1 && words[0] != "handoff" && words[0] != "primary" {
		index = int(number(b.t, words[1]))
	}
	switch words[0] {
	case "outage":
		last := &status.Shards[index]
		last.Outage = b.outage(last.Master, words[2], words[3])
		if len(words) > 4 {
			last.Outage.Target = "orders-" + words[4]
		}
		last.Outage.ChosenByController = slices.Contains(words, "by-controller")
	case "handoff":
		for _, pod := range words[1:] {
			shard := &spec.Shards[number(b.t, pod[:1])]
			shard.Handoff = append(shard.Handoff, "orders-"+pod)
		}
	case "primary":
		for _, pod := range words[1:] {
			spec.Shards[number(b.t, pod[:1])].Primary = "orders-" + pod
		}
	case "leaving":
		spec.Shards[index].Leaving = true
	case "replicas":
		for i := range spec.Shards {
			spec.Shards[i].Replicas = int32(index)
		}
	case "twice":
		again := layout.Shard{Nodes: slices.Clone(b.record.Shards[index].Nodes)}
		again.Nodes[0].ID = "idtwice"
		b.record.Shards = append(b.record.Shards, again)
	case "gone":
		b.record.Shards = slices.Delete(b.record.Shards, index, index+1)
	case "forget":
		spec.Shards = slices.Delete(spec.Shards, index, index+1)
	case "alien":
		b.in.Controller.Record = &layout.Layout{Version: 40, Shards: []layout.Shard{{
			Nodes: []layout.Node{{ID: "idalien", Address: "10.96.9.9", Port: scenarioPort, Master: true}}, Slots: slots.All(),
		}}}
	case "watched":
		b.watch()
	case "odown", "watches":
		for pod, v := range b.in.Sentinels.Views {
			name := fmt.Sprint("orders.", index)
			m := v.Masters[name]
			if words[0] == "odown" {
				m.SubjectivelyDown, m.ObjectivelyDown, m.ODownAt = true, true, scenarioNow.Add(-200*time.Millisecond)
			} else {
				m.Address = clusterAddress(words[2])
			}
			v.Masters[name] = m
			b.in.Sentinels.Views[pod] = v
		}
	}
}

// watch adds three sentinels that know each other and watch the master on record of every shard.
func (b *clusterBuilder) watch() {
	b.in.Sentinels.Configured, b.in.Sentinels.Want = true, 3
	for i := range 3 {
		v := plan.SentinelView{IP: fmt.Sprint("10.244.9.", i), Reach: plan.Answered, Masters: map[string]quorum.MasterView{}}
		for j := range b.record.Shards {
			for _, n := range b.record.Shards[j].Nodes {
				if !n.Master {
					continue
				}
				m := quorum.MasterView{
					Address: n.Address, Port: scenarioPort, Quorum: 2, AuthApplied: true,
					DownAfterMilliseconds: 5000, FailoverTimeoutMilliseconds: 20000, ParallelSyncs: 1,
				}
				for k := range 3 {
					if k != i {
						m.Peers = append(m.Peers, fmt.Sprint("10.244.9.", k))
					}
				}
				v.Masters[fmt.Sprint("orders.", j)] = m
			}
		}
		b.in.Sentinels.Views[fmt.Sprint("watch-", i)] = v
	}
}
