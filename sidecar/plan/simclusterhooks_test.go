package plan_test

import (
	"fmt"
	"slices"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan"
	"github.com/kvrocks/kvrocks-operator/sidecar/slots"
)

// settle notes the writes that every member of a shard holds, and that therefore must never be lost.
func (w *clusterWorld) settle() {
	for i := range w.topology.Spec.Shards {
		shard := &w.topology.Spec.Shards[i]
		if len(shard.Members) < int(shard.Replicas) {
			continue
		}
		var common []int
		for j, m := range shard.Members {
			log := w.nodes[m.Pod].log
			if j == 0 {
				common = log
			}
			k := 0
			for k < len(common) && k < len(log) && common[k] == log[k] {
				k++
			}
			common = common[:k]
		}
		settled := w.settled[shard.Index]
		for j := len(common) - 1; j >= 0 && !settled[common[j]]; j-- {
			settled[common[j]] = true
		}
	}
}

// lacks returns a settled write of its shard that the node lacks, or 0.
func (w *clusterWorld) lacks(n *clusterNode) int {
	settled := w.settled[n.shard]
	found := 0
	for _, id := range n.log {
		if settled[id] {
			found++
		}
	}
	if found == len(settled) {
		return 0
	}
	for id := range settled {
		if !slices.Contains(n.log, id) {
			return id
		}
	}
	return 0
}

// hooks let pods and shards leave when the sidecar grants it.
func (w *clusterWorld) hooks() {
	st := &w.topology.Status
	if st.ObservedGeneration != w.topology.Generation {
		return
	}
	for _, last := range st.Shards {
		shard := w.shardOf(last.Index)
		switch {
		case shard == nil:
		case shard.Leaving && last.Removable:
			w.say("shard %d is removed", shard.Index)
			w.topology.Spec.Shards = slices.DeleteFunc(w.topology.Spec.Shards, func(s v1alpha1.TopologyShard) bool { return s.Index == last.Index })
			w.topology.Generation++
			return
		case !shard.Leaving && last.ScaleTo == shard.Replicas && len(shard.Members) > int(shard.Replicas):
			w.say("shard %d is scaled down to %d", shard.Index, shard.Replicas)
			shard.Members = shard.Members[:shard.Replicas:shard.Replicas]
			shard.Handoff = nil
			w.topology.Generation++
			return
		}
	}
}

// inMotion: a change of the spec has not been carried out yet.
func (w *clusterWorld) inMotion() bool {
	return slices.ContainsFunc(w.topology.Spec.Shards, func(s v1alpha1.TopologyShard) bool {
		return s.Leaving || len(s.Members) != int(s.Replicas)
	})
}

// scale changes the number of replicas of every shard.
func (w *clusterWorld) scale() {
	if w.inMotion() {
		return
	}
	want := []int{1, 3, 5}[w.rng.IntN(3)]
	for i := range w.topology.Spec.Shards {
		shard := &w.topology.Spec.Shards[i]
		for j := len(shard.Members); j < want; j++ {
			w.join(shard, j)
		}
		shard.Replicas, shard.Handoff = int32(want), nil
		for _, m := range shard.Members[want:] {
			shard.Handoff = append(shard.Handoff, m.Pod)
		}
	}
	w.topology.Generation++
	w.say("scale to %d", want)
}

// reshape adds a shard or takes the last one away.
func (w *clusterWorld) reshape() {
	n := len(w.topology.Spec.Shards)
	if w.inMotion() || w.controller.record == nil {
		return
	}
	if n < 4 && w.rng.IntN(2) == 0 {
		w.addShard(int32(n), int(w.topology.Spec.Shards[0].Replicas))
		w.say("shard %d is added", n)
	} else if n > 1 {
		w.topology.Spec.Shards[n-1].Leaving = true
		w.say("shard %d is to leave", n-1)
	}
	w.topology.Generation++
}

// moveSlots has slots move as if somebody had: out of shards that leave, and into those that have none.
func (w *clusterWorld) moveSlots() {
	r := w.controller.record
	if r == nil || w.controller.away(w.now) || w.rng.IntN(20) > 0 {
		return
	}
	if w.addedTwice() {
		return
	}
	from, to := -1, -1
	for i := range r.Shards {
		n := w.byAddress(r.Shards[i].Nodes[0].Address)
		shard := w.shardOf(n.shard)
		leaving := shard != nil && shard.Leaving
		switch {
		case leaving && !r.Shards[i].Slots.Empty():
			from = i
		case !leaving && (to < 0 || r.Shards[i].Slots.Empty()):
			to = i
		}
	}
	if from < 0 && to >= 0 && r.Shards[to].Slots.Empty() {
		for i := range r.Shards {
			if from < 0 || r.Shards[i].Slots.Len() > r.Shards[from].Slots.Len() {
				from = i
			}
		}
	}
	// Only when both masters are well is there anybody to move slots.
	if from < 0 || to < 0 || from == to || r.Shards[from].Slots.Empty() || !w.wellOnRecord(from) || !w.wellOnRecord(to) {
		return
	}
	w.controller.change(w, func(l *plan.Layout) {
		src, dst := &l.Shards[from].Slots, &l.Shards[to].Slots
		moved := *src
		if shard := w.shardOf(w.byAddress(l.Shards[from].Nodes[0].Address).shard); shard == nil || !shard.Leaving {
			ranges := src.Ranges()
			moved = slots.Of(slots.Range{First: ranges[0].First, Last: (ranges[0].First + ranges[0].Last) / 2})
		}
		*src, *dst = src.Minus(&moved), dst.Union(&moved)
	})
	w.say("slots move from %s to %s", r.Shards[from].Nodes[0].Address, r.Shards[to].Nodes[0].Address)
}

// addedTwice: the record names a node twice, because a call that seemed to fail was made again.
func (w *clusterWorld) addedTwice() bool {
	seen := map[string]bool{}
	for i := range w.controller.record.Shards {
		for _, n := range w.controller.record.Shards[i].Nodes {
			if seen[n.Address] {
				return true
			}
			seen[n.Address] = true
		}
	}
	return false
}

func (w *clusterWorld) wellOnRecord(i int) bool {
	r := w.controller.record
	for _, n := range r.Shards[i].Nodes {
		if node := w.byAddress(n.Address); n.Master {
			return w.reachable(node.name) && node.master && node.version() == r.Version
		}
	}
	return false
}

func (w *clusterWorld) describe() string {
	text := describe(w.topology.Status)
	if r := w.controller.record; r != nil {
		text += fmt.Sprintf("record %d\n", r.Version)
		for i := range r.Shards {
			text += fmt.Sprintf("  %d slots: %+v\n", r.Shards[i].Slots.Len(), r.Shards[i].Nodes)
		}
	}
	for _, name := range w.names {
		n, p := w.nodes[name], w.pods[name]
		text += fmt.Sprintf("%s v=%d master=%v ->%s up=%v link=%v seq=%d attached=%v label=%s\n", name, n.version(), n.master, n.host, w.up(name), n.linkUp, len(n.log), p.attached, p.role)
	}
	return text
}
