package plan

import (
	"github.com/kvrocks/kvrocks-operator/api/slots"
)

// owners tells for each slot which, in the topology's list of shards, is the shard that has it.
type owners [slots.Count]int16

// nobody has the slot, or nobody wants it.
const nobody int16 = -1

// holder is what the moving of slots must know of a shard of the topology.
type holder struct {
	// index of the shard, as people know it.
	index int32
	// present is true when the shard is in the record.
	present bool
	// leaving shards get no slots.
	leaving bool
}

// receives: slots may be moved to the shard.
func (h *holder) receives() bool { return h.present && !h.leaving }

// move is a run of slots that are to go from one place to another.
type move struct {
	slots    slots.Range
	from, to int16
}

func noOwners() *owners {
	o := new(owners)
	for i := range o {
		o[i] = nobody
	}
	return o
}

func (o *owners) give(r slots.Range, to int16) {
	for slot := r.First; slot <= r.Last; slot++ {
		o[slot] = to
	}
}

// runs cuts a range where the owner changes.
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

// all: every slot of the range belongs to the place.
func (o *owners) all(r slots.Range, to int16) bool { return o.count(r, to) == r.Len() }

// count is how many slots of the range belong to the place.
func (o *owners) count(r slots.Range, to int16) int {
	n := 0
	for slot := r.First; slot <= r.Last; slot++ {
		if o[slot] == to {
			n++
		}
	}
	return n
}

// sizes is how many slots each of n holders has.
func (o *owners) sizes(n int) []int {
	sizes := make([]int, n)
	for _, owner := range o {
		if owner >= 0 {
			sizes[owner]++
		}
	}
	return sizes
}
