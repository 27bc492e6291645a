package plan_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/kvrocks/kvrocks-operator/api/slots"
	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/layout"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/plantest"
)

func idOf(pod string) string { return "id" + strings.TrimPrefix(pod, "orders-") }

func clusterAddress(pod string) string {
	shard, ordinal, _ := strings.Cut(strings.TrimPrefix(pod, "orders-"), "-")
	return "10.96." + shard + "." + ordinal
}

// savedText is what the volume of a pod remembers, in the words of a scenario.
func savedText(pod string, words []string) string {
	owner := pod
	if len(words) > 4 {
		owner = words[4]
	}
	return plantest.Recalled(words[0], "was"+idOf(owner), "wasid"+words[1], strings.ReplaceAll(words[2], ",", " "), words[3])
}

// parseCluster builds the input of a scenario.
func parseCluster(t testing.TB, given string) plan.Input {
	t.Helper()
	b := &clusterBuilder{
		builder: newBuilder(t, v1alpha1.TypeCluster),
		record:  &layout.Layout{Version: 7}, slots: map[int]string{}, foreign: map[int]string{},
	}
	b.in.Controller.Reach = plan.Answered
	b.in.Topology.Spec.Migration = &v1alpha1.MigrationPolicy{DeadlineSeconds: 3600}
	b.in.Topology.Status.ObservedGeneration = b.in.Topology.Generation
	b.in.Topology.Status.LayoutVersion = -1
	for _, line := range lines(given) {
		b.line(strings.Fields(line))
	}
	b.finish()
	return b.in
}

type clusterBuilder struct {
	builder
	record  *layout.Layout
	slots   map[int]string
	foreign map[int]string
	owns    [][]string // shards, and the slots of each
	members []clusterMember
	later   [][]string // lines that need all members
	shards  int        // those of one pod that is well, where nothing else is said
	lost    bool
	none    bool
}

type clusterMember struct {
	shard               int
	pod                 string
	words               []string
	named, was, outside bool
}

func (b *clusterBuilder) line(words []string) {
	first, rest := words[0], words[1:]
	if b.common(first, rest) || b.moveLine(first, rest) {
		return
	}
	switch first {
	case "shards":
		b.shards = int(number(b.t, rest[0]))
	case "controller":
		b.lost, b.none = rest[0] == "lost", rest[0] == "none"
		if rest[0] == "down" {
			b.in.Controller.Reach, b.in.Controller.Err = plan.Unreachable, "connection refused"
			if len(rest) > 1 {
				b.in.Controller.DownSince = scenarioNow.Add(-duration(b.t, rest[1]))
			}
		}
	case "leader-gone":
		b.in.Controller.LeaderGoneSince = scenarioNow.Add(-duration(b.t, rest[0]))
	case "record":
		b.record.Version = number(b.t, rest[0])
	case "reported":
		b.in.Topology.Status.LayoutVersion = number(b.t, rest[0])
	case "slots":
		b.slots[int(number(b.t, rest[0]))] = rest[1]
	case "foreign":
		b.foreign[int(number(b.t, rest[0]))] = rest[1]
	case "failover":
		b.failover("orders-"+rest[0], "orders-"+rest[1])
	case "stale-password":
		b.in.Controller.PasswordStale = true
	case "outage", "handoff", "primary", "leaving", "replicas", "watched", "odown", "watches", "gone", "forget", "twice", "alien":
		b.later = append(b.later, words)
	default:
		b.member(first, rest)
	}
}

// member adds a data pod, its node, and what was last reported of it.
func (b *clusterBuilder) member(name string, words []string) {
	index, _, ok := strings.Cut(name, "-")
	require.True(b.t, ok, "unknown line %q", name)
	m := clusterMember{shard: int(number(b.t, index)), pod: "orders-" + name, words: words}
	spec := &b.in.Topology.Spec
	for len(spec.Shards) <= m.shard {
		i := int32(len(spec.Shards))
		spec.Shards = append(spec.Shards, v1alpha1.TopologyShard{Index: i, MasterName: fmt.Sprint("orders.", i)})
		b.in.Topology.Status.Shards = append(b.in.Topology.Status.Shards, v1alpha1.TopologyShardStatus{Index: i})
	}
	shard, last := &spec.Shards[m.shard], &b.in.Topology.Status.Shards[m.shard]
	shard.Members = append(shard.Members, v1alpha1.Member{Pod: m.pod, Address: clusterAddress(m.pod)})
	if !slices.Contains(words, "leaving") {
		shard.Replicas++
	}
	m.outside = slices.Contains(words, "outside")
	m.named, m.was = slices.Contains(words, "named"), slices.Contains(words, "was")
	b.members = append(b.members, m)
	pod := plan.Pod{IP: "10.244." + strings.ReplaceAll(name, "-", "."), Running: true}
	node := plan.Node{Reach: plan.Answered, Role: v1alpha1.RoleReplica, Sequence: 100, Priority: 100}
	c := &plan.ClusterNode{Version: b.record.Version, ID: idOf(m.pod), Outgoing: &layout.SlotMove{
		Slots: slots.Range{First: slots.Count - 1, Last: slots.Count - 1}, To: "f", State: layout.MoveFailed,
	}}
	node.Cluster = c
	reported := v1alpha1.TopologyNode{Pod: m.pod, Address: clusterAddress(m.pod)}
	if !b.none && !m.outside {
		reported.NodeID = idOf(m.pod)
	}
	switch words[0] {
	case "nopod":
		last.Nodes = append(last.Nodes, b.reported(reported, words, 100))
		return
	case "self":
		c.Version, c.ID = -1, ""
	}
	b.state(words[0], &node, clusterAddress)
	for _, word := range words[1:] {
		key, value, _ := strings.Cut(word, "=")
		switch key {
		case "v":
			c.Version = number(b.t, value)
		case "id":
			c.ID = value
		case "saved":
			pod.Saved = savedText(m.pod, strings.Split(value, ":"))
		case "remembers":
			pod.Saved += plantest.Recalled(7, idOf(m.pod), "id0-0", "0-16383", 1)
		case "layout", "named", "was", "outside", "leaving": // See finish.
		case "out", "in", "count", "fresh":
			b.moveWord(key, value, &node)
		default:
			b.memberWord(word, m.pod, &pod, &node, &reported)
		}
	}
	b.in.Pods[m.pod], b.in.Nodes[m.pod] = pod, node
	last.Nodes = append(last.Nodes, b.reported(reported, words, node.Sequence))
}
