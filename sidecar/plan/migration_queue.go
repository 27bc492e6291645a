package plan

import (
	"fmt"
	"slices"

	slotset "github.com/kvrocks/kvrocks-operator/api/slots"
	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

// mostEntries is how many ranges are reported one by one: a status object may not grow without bound.
const mostEntries = 256

// queue makes the entries of status.migrations anew from those of the last report, from what is wanted, and from who has
// which slots. What has begun or ended keeps its entry while it is wanted; all else is derived each time. The first entry
// that is neither Done nor Failed is the next to move.
func queue(
	last []v1alpha1.MigrationStatus, spec *v1alpha1.KVRocksTopologySpec, have *owners, holders []holder,
) []v1alpha1.MigrationStatus {
	policy := policyOf(spec)
	q := &queueing{have: have, holders: holders, covered: noOwners(), given: noOwners(), spreading: policy.Drain || policy.Rebalance}
	q.wishes = readWishes(spec.Migrate, holders)
	for i := range last {
		q.keep(&last[i])
	}
	for _, w := range q.ranges {
		q.wanted(w)
	}
	if q.spreading {
		q.spread(policy)
	}
	q.entries = append(q.entries, q.rejected...)
	slices.SortStableFunc(q.entries, func(a, b v1alpha1.MigrationStatus) int { return rank(&a) - rank(&b) })
	if len(q.entries) > mostEntries {
		q.summarize()
	}
	return q.entries
}

type queueing struct {
	wishes
	have    *owners
	holders []holder
	// covered is where the entries so far take each slot.
	covered *owners
	// given is where the entries that were given up were to take each slot.
	given *owners
	// spreading: slots are moved that spec.migrate says nothing of.
	spreading bool
	entries   []v1alpha1.MigrationStatus
}

// rank puts what is under way first and what has ended last.
func rank(m *v1alpha1.MigrationStatus) int {
	switch {
	case m.Current != "":
		return 0
	case m.State == v1alpha1.MigrationDone:
		return 4
	case m.State == v1alpha1.MigrationFailed:
		return 3
	case m.StartedAt != nil:
		return 1
	}
	return 2
}

func (q *queueing) holder(index int32) int16 {
	return int16(slices.IndexFunc(q.holders, func(h holder) bool { return h.index == index }))
}

// keep takes an entry over, if it has begun or ended and is still wanted.
func (q *queueing) keep(m *v1alpha1.MigrationStatus) {
	r, err := slotset.ParseRange(string(m.Slots))
	to := q.holder(m.To)
	if err != nil || m.StartedAt == nil && m.State != v1alpha1.MigrationDone {
		return
	}
	if m.Current == "" && !q.stillWanted(m, r, to) {
		return
	}
	q.entries = append(q.entries, *m)
	switch {
	case to < 0 || m.State == v1alpha1.MigrationDone && q.want[r.First] == nobody:
		// It does not keep the slots from being spread again.
	case m.State == v1alpha1.MigrationFailed:
		q.given.give(r, to)
		q.covered.give(r, to)
	default:
		q.covered.give(r, to)
	}
}

func (q *queueing) stillWanted(m *v1alpha1.MigrationStatus, r slotset.Range, to int16) bool {
	if to < 0 || q.holders[to].leaving {
		return false
	}
	for slot := r.First; slot <= r.Last; slot++ {
		wanted := q.want[slot] == to || q.want[slot] == nobody && q.spreading
		there := q.have[slot] == to
		if !wanted || m.State == v1alpha1.MigrationDone && !there {
			return false
		}
	}
	// What was given up and is there after all is no failure any more.
	return m.State != v1alpha1.MigrationFailed || !q.have.all(r, to)
}

// wanted adds entries for the part of a wish that no entry covers yet.
func (q *queueing) wanted(w wish) {
	q.covered.runs(w.slots, func(open slotset.Range, by int16) {
		if by == w.to {
			return
		}
		q.have.runs(open, func(run slotset.Range, owner int16) {
			if owner == w.to {
				q.entries = append(q.entries, v1alpha1.MigrationStatus{
					Slots: v1alpha1.SlotRange(run.String()), From: q.holders[w.to].index, To: q.holders[w.to].index,
					State: v1alpha1.MigrationDone, Moved: int32(run.Len()), Message: "the slots were there already",
				})
				return
			}
			q.add(move{run, owner, w.to})
		})
		q.covered.give(open, w.to)
	})
}

// add queues a move that has not begun.
func (q *queueing) add(m move) {
	entry := v1alpha1.MigrationStatus{
		Slots: v1alpha1.SlotRange(m.slots.String()), To: q.holders[m.to].index, State: v1alpha1.MigrationPending,
	}
	switch {
	case m.from == nobody:
		entry.From, entry.Message = entry.To, "waiting: no shard of this cluster has the slots"
	case !q.holders[m.to].present:
		entry.From = q.holders[m.from].index
		entry.Message = fmt.Sprintf("waiting for shard %d to join the cluster", entry.To)
	default:
		entry.From, entry.Message = q.holders[m.from].index, "waiting for its turn"
	}
	q.entries = append(q.entries, entry)
}

// spread queues the moves of a drain and of a rebalance. What the entries so far move counts as moved.
func (q *queueing) spread(policy v1alpha1.MigrationPolicy) {
	after, pins := *q.have, *q.want
	for slot, to := range q.covered {
		switch {
		case q.given[slot] != nobody:
			pins[slot] = after[slot]
		case to >= 0 && after[slot] >= 0:
			after[slot], pins[slot] = to, to
		}
	}
	for _, m := range spread(&after, &pins, q.holders, policy.Drain, policy.Rebalance) {
		q.covered.runs(m.slots, func(run slotset.Range, by int16) {
			if by == nobody {
				q.add(move{run, m.from, m.to})
			}
		})
	}
}

// summarize cuts the list and says in its last entry what is missing.
func (q *queueing) summarize() {
	counts := map[v1alpha1.MigrationState]int{}
	for i := mostEntries; i < len(q.entries); i++ {
		counts[q.entries[i].State]++
	}
	q.entries = q.entries[:mostEntries:mostEntries]
	q.entries[mostEntries-1].Message += fmt.Sprintf(" (further ranges: %d Pending, %d Failed, %d Done)",
		counts[v1alpha1.MigrationPending], counts[v1alpha1.MigrationFailed], counts[v1alpha1.MigrationDone])
}
