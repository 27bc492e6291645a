package layout

import (
	"fmt"
	"slices"

	"github.com/kvrocks/kvrocks-operator/api/slots"
)

// Owned returns the slots that some shard owns, and those that more than one does.
func (l *Layout) Owned() (owned, twice slots.Set) {
	for i := range l.Shards {
		s := &l.Shards[i]
		if both := owned.Intersect(&s.Slots); !both.Empty() {
			twice = twice.Union(&both)
		}
		owned = owned.Union(&s.Slots)
	}
	return owned, twice
}

// Complete reports whether every slot has one owner, and every shard one master that can be found.
func (l *Layout) Complete() bool {
	for i := range l.Shards {
		if m := l.Shards[i].Master(); m == nil || m.Address == DeadHost {
			return false
		}
	}
	owned, twice := l.Owned()
	return twice.Empty() && owned == slots.All()
}

// Distribution says how many slots how many shards have, for a layout that is complete.
func (l *Layout) Distribution() string {
	owners, empty, least, most := 0, 0, slots.Count, 0
	for i := range l.Shards {
		n := l.Shards[i].Slots.Len()
		if n == 0 {
			empty++
			continue
		}
		owners++
		least, most = min(least, n), max(most, n)
	}
	text := fmt.Sprintf("all %d slots are assigned to %d shards, %d", slots.Count, owners, least)
	if most > least {
		text += fmt.Sprintf(" to %d", most)
	}
	text += " each"
	if empty > 0 {
		text += fmt.Sprintf("; %d shards have none", empty)
	}
	return text
}

// Same reports whether both say the same of every node and slot, in whatever order.
func (l *Layout) Same(o *Layout) bool {
	if l == o {
		return true
	}
	if l.Version != o.Version || len(l.Shards) != len(o.Shards) {
		return false
	}
	for i := range l.Shards {
		s := &l.Shards[i]
		m := s.Master()
		if m == nil {
			return false
		}
		other := &o.Shards[i]
		if t := other.Master(); t == nil || t.ID != m.ID {
			other = o.ShardOf(m.ID)
		}
		if other == nil || !s.same(other) {
			return false
		}
	}
	return true
}

func (s *Shard) same(o *Shard) bool {
	if len(s.Nodes) != len(o.Nodes) || s.Slots != o.Slots {
		return false
	}
	return !slices.ContainsFunc(s.Nodes, func(n Node) bool { return !slices.Contains(o.Nodes, n) })
}
