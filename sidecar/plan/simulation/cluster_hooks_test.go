package simulation

import (
	"fmt"

	"github.com/kvrocks/kvrocks-operator/api/slots"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/layout"
)

// reshape adds a shard or takes the last one away.
func (w *clusterWorld) reshape(string) {
	if !w.inMotion() && w.controller.record != nil {
		w.operator.reshape()
	}
}

func (o scripted) reshape() {
	d, n := o.d, len(o.d.topology.Spec.Shards)
	if n < 4 && d.rng.IntN(2) == 0 {
		d.addShard(int32(n), fmt.Sprint("orders.", n), int(d.topology.Spec.Shards[0].Replicas))
		d.say("shard %d is added", n)
	} else if n > 1 {
		d.topology.Spec.Shards[n-1].Leaving = true
		d.say("shard %d is to leave", n-1)
	}
	d.topology.Generation++
}

// moveSlots has slots move as a migration would: out of shards that leave, and into those that have none.
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
	w.controller.change(&w.life, func(l *layout.Layout) {
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

func (w *clusterWorld) describe() string { return w.dataPlane.describe() + w.controller.describe() }
