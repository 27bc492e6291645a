package migration

import (
	"github.com/kvrocks/kvrocks-operator/api/slots"
	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

const (
	// chunkKeys is how many keys a part is to have: they move in some seconds (60,000 small keys a second were measured on
	// two cores), beside which the two counts, the recording and the end noticed late, some tenths of a second, are little.
	chunkKeys = 500_000
	// chunkSeconds is how long a part takes when the speed is limited, if that makes it smaller.
	chunkSeconds = 10
	// chunkGrowth is how much larger than all that has moved the next part may be. Keys may be spread unevenly, so before that
	// they are counted.
	chunkGrowth = 4
)

// chooseChunk takes the next part from the front of a run of slots. Empty slots move all at once and full ones in parts of
// some keys, fewer after each failure but the first. How many keys the slots have is known from those that have moved, or
// else counted on the source s: when known is false, the part is to be counted first.
func (p *Pass) chooseChunk(m *v1alpha1.MigrationStatus, s *Node, run slots.Range) (part slots.Range, known bool) {
	target := int64(chunkKeys)
	if limit := p.policy.KeysPerSecond; limit > 0 {
		target = min(target, chunkSeconds*int64(limit))
	}
	target = max(1, target>>min(max(0, m.Attempts-1), 16))
	front := func(n int64) slots.Range {
		return slots.Range{First: run.First, Last: run.First + int(max(1, min(n, int64(run.Len())))) - 1}
	}
	if chunkGrowth*m.Keys >= target {
		return front(target * int64(m.Moved) / m.Keys), true
	}
	count := s.Count
	if count == nil || count.Slots.First != run.First || count.Slots.Last > run.Last {
		return run, false
	}
	n := int64(count.Slots.Len())
	switch {
	case n == 1 || count.Keys >= 0 && count.Keys <= 2*target:
		return count.Slots, true
	case count.Keys < 0:
		return front(n / 8), false // too many to count
	}
	return front(n * target / count.Keys), true
}

// otherThan returns a slot at which the given part does not begin, so that its count is not taken for one of the part.
func otherThan(part slots.Range) slots.Range {
	if part.First == 0 {
		return slots.Range{First: 1, Last: 1}
	}
	return slots.Range{}
}

// forget has a node count something else, so that its next count of a part will be one from after the move.
func (p *Pass) forget(n *Node, part slots.Range) {
	if n.Count != nil && n.Count.Slots == part {
		p.cluster.CountKeys(n.Pod, otherThan(part))
	}
}
