package layout

import (
	"cmp"
	"slices"

	"github.com/kvrocks/kvrocks-operator/api/slots"
)

// Recalled is what the volumes of a shard remember together.
type Recalled struct {
	// Newest is what the volume with the highest version remembers; that version is -1 when none remembers anything.
	Newest Saved
	// Slots that are to be the shard's.
	Slots slots.Set
}

// Recall puts together what the volumes of a shard remember, each nil when that is nothing.
func Recall(volumes []*Saved) Recalled {
	r := Recalled{Newest: Saved{Version: -1}}
	for _, v := range volumes {
		switch {
		case v == nil || v.Version < r.Newest.Version:
		case v.Version > r.Newest.Version:
			r.Newest, r.Slots = *v, v.Slots
		default:
			// A master that handed over was given, at the same version, a layout in which it has no slots.
			r.Slots = r.Slots.Union(&v.Slots)
		}
	}
	return r
}

// Fresh reports whether no volume of the shard remembers anything.
func (r *Recalled) Fresh() bool { return r.Newest.Version < 0 }

// ResolveOwners leaves each slot to the shard that remembers it with the highest version, and returns those that none does.
func ResolveOwners(shards []*Recalled) slots.Set {
	missing := slots.All()
	order := slices.Clone(shards)
	slices.SortStableFunc(order, func(a, b *Recalled) int { return cmp.Compare(b.Newest.Version, a.Newest.Version) })
	for _, s := range order {
		s.Slots = s.Slots.Intersect(&missing)
		missing = missing.Minus(&s.Slots)
	}
	return missing
}

// AssignMissing spreads slots that no volume remembers over the shards that remember nothing, or over all if there are none, and returns
// how many those are.
func AssignMissing(missing *slots.Set, shards []*Recalled) int {
	takers := slices.DeleteFunc(slices.Clone(shards), func(s *Recalled) bool { return !s.Fresh() })
	if len(takers) == 0 {
		takers = shards
	}
	n, total := 0, missing.Len()
	for slot := range slots.Count {
		if missing.Has(slot) {
			takers[n*len(takers)/total].Slots.Add(slots.Range{First: slot, Last: slot})
			n++
		}
	}
	return len(takers)
}
