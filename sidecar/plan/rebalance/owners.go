package rebalance

import (
	"github.com/kvrocks/kvrocks-operator/api/slots"
)

// owners holds for each slot the index, in the topology's list of shards, of the shard that has it; noOwner when none does.
type owners [slots.Count]int16

// noOwner stands for a slot that no shard has, or that is not wanted anywhere.
const noOwner int16 = -1

// Shard is what the moving of slots must know of a shard of the topology.
type Shard struct {
	// Index of the shard, as people know it.
	Index int32
	// Slots that it has by the record; nil when it is not in the record.
	Slots *slots.Set
	// Leaving shards get no slots.
	Leaving bool
}

// present reports whether the shard is in the record.
func (h *Shard) present() bool { return h.Slots != nil }

// receives reports whether slots may be moved to the shard.
func (h *Shard) receives() bool { return h.present() && !h.Leaving }

// move is a run of slots that are to go from one shard to another, by their indexes.
type move struct {
	slots    slots.Range
	from, to int16
}

// ownersOf returns which of the shards has which slot.
func ownersOf(shards []Shard) *owners {
	o := unowned()
	for i := range shards {
		if shards[i].present() {
			for _, r := range shards[i].Slots.Ranges() {
				o.assign(r, int16(i))
			}
		}
	}
	return o
}

// unowned returns the owners of no slot.
func unowned() *owners {
	o := new(owners)
	for i := range o {
		o[i] = noOwner
	}
	return o
}

// assign makes a shard the owner of a range.
func (o *owners) assign(r slots.Range, to int16) {
	for slot := r.First; slot <= r.Last; slot++ {
		o[slot] = to
	}
}

// runs calls f for each part of a range with one owner.
func (o *owners) runs(r slots.Range, f func(run slots.Range, owner int16)) {
	for first := r.First; first <= r.Last; {
		last := first
		for last < r.Last && o[last+1] == o[first] {
			last++
		}
		f(slots.Range{First: first, Last: last}, o[first])
		first = last + 1
	}
}

// ownsAll reports whether every slot of the range belongs to the shard.
func (o *owners) ownsAll(r slots.Range, to int16) bool { return o.count(r, to) == r.Len() }

// count returns how many slots of the range belong to the shard.
func (o *owners) count(r slots.Range, to int16) int {
	n := 0
	for slot := r.First; slot <= r.Last; slot++ {
		if o[slot] == to {
			n++
		}
	}
	return n
}

// sizes returns how many slots each of n shards has.
func (o *owners) sizes(n int) []int {
	sizes := make([]int, n)
	for _, owner := range o {
		if owner >= 0 {
			sizes[owner]++
		}
	}
	return sizes
}
