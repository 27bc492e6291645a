package rebalance

import (
	"fmt"
	"slices"

	"github.com/kvrocks/kvrocks-operator/api/slots"
	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

// mostEntries is how many ranges are reported one by one: a status object may not grow without bound.
const mostEntries = 256

// Queue returns the entries of status.migrations, made from those of the last report, from what spec.migrate and the policy want, and
// from which shard has which slots. What has begun or ended keeps its entry while it is wanted; all else is derived each time. The
// first entry that is neither Done nor Failed is the next to move.
func Queue(
	last []v1alpha1.MigrationStatus, migrate []v1alpha1.TopologyMigration, policy v1alpha1.MigrationPolicy, shards []Shard,
) []v1alpha1.MigrationStatus {
	have := ownersOf(shards)
	q := &slotQueue{have: have, shards: shards, covered: unowned(), abandoned: unowned(), rebalancing: policy.Drain || policy.Rebalance}
	q.slotRequests = readSlotRequests(migrate, shards)
	for i := range last {
		q.keep(&last[i])
	}
	for _, request := range q.ranges {
		q.addRequested(request)
	}
	if q.rebalancing {
		q.queueRebalance(policy)
	}
	q.entries = append(q.entries, q.rejected...)
	slices.SortStableFunc(q.entries, func(a, b v1alpha1.MigrationStatus) int { return rank(&a) - rank(&b) })
	if len(q.entries) > mostEntries {
		q.summarize()
	}
	return q.entries
}

// slotQueue makes the entries of status.migrations.
type slotQueue struct {
	slotRequests
	have   *owners
	shards []Shard
	// covered is where the entries so far take each slot.
	covered *owners
	// abandoned is where the entries that were given up were to take each slot.
	abandoned *owners
	// rebalancing is true when slots are moved that spec.migrate says nothing of.
	rebalancing bool
	entries     []v1alpha1.MigrationStatus
}

// rank returns the place of an entry in the list: what is under way is first, what has ended last.
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

// shardIndex returns the index, in the topology's list, of the shard with a number; -1 when there is none.
func (q *slotQueue) shardIndex(index int32) int16 {
	return int16(slices.IndexFunc(q.shards, func(h Shard) bool { return h.Index == index }))
}

// keep takes an entry over, if it has begun or ended and is still wanted.
func (q *slotQueue) keep(m *v1alpha1.MigrationStatus) {
	r, err := slots.ParseRange(string(m.Slots))
	to := q.shardIndex(m.To)
	if err != nil || m.StartedAt == nil && m.State != v1alpha1.MigrationDone {
		return
	}
	if m.Current == "" && !q.stillWanted(m, r, to) {
		return
	}
	q.entries = append(q.entries, *m)
	switch {
	case to < 0 || m.State == v1alpha1.MigrationDone && q.want[r.First] == noOwner:
		// It does not keep the slots from being moved again.
	case m.State == v1alpha1.MigrationFailed:
		q.abandoned.assign(r, to)
		q.covered.assign(r, to)
	default:
		q.covered.assign(r, to)
	}
}

// stillWanted reports whether the slots of an entry are still to be, or stay, on the shard that it names.
func (q *slotQueue) stillWanted(m *v1alpha1.MigrationStatus, r slots.Range, to int16) bool {
	if to < 0 || q.shards[to].Leaving {
		return false
	}
	for slot := r.First; slot <= r.Last; slot++ {
		wanted := q.want[slot] == to || q.want[slot] == noOwner && q.rebalancing
		there := q.have[slot] == to
		if !wanted || m.State == v1alpha1.MigrationDone && !there {
			return false
		}
	}
	// What was given up and is there after all is no failure any more.
	return m.State != v1alpha1.MigrationFailed || !q.have.ownsAll(r, to)
}

// addRequested adds entries for the part of a request that no entry covers yet.
func (q *slotQueue) addRequested(request slotRequest) {
	q.covered.runs(request.slots, func(open slots.Range, by int16) {
		if by == request.to {
			return
		}
		q.have.runs(open, func(run slots.Range, owner int16) {
			if owner == request.to {
				q.entries = append(q.entries, v1alpha1.MigrationStatus{
					Slots: v1alpha1.SlotRange(run.String()), From: q.shards[request.to].Index, To: q.shards[request.to].Index,
					State: v1alpha1.MigrationDone, Moved: int32(run.Len()), Message: "the slots were there already",
				})
				return
			}
			q.add(move{run, owner, request.to})
		})
		q.covered.assign(open, request.to)
	})
}

// add queues a move that has not begun.
func (q *slotQueue) add(m move) {
	entry := v1alpha1.MigrationStatus{
		Slots: v1alpha1.SlotRange(m.slots.String()), To: q.shards[m.to].Index, State: v1alpha1.MigrationPending,
	}
	switch {
	case m.from == noOwner:
		entry.From, entry.Message = entry.To, "waiting: no shard of this cluster has the slots"
	case !q.shards[m.to].present():
		entry.From = q.shards[m.from].Index
		entry.Message = fmt.Sprintf("waiting for shard %d to join the cluster", entry.To)
	default:
		entry.From, entry.Message = q.shards[m.from].Index, "waiting for its turn"
	}
	q.entries = append(q.entries, entry)
}

// queueRebalance queues the moves of a drain and of a rebalance. What the entries so far move counts as moved.
func (q *slotQueue) queueRebalance(policy v1alpha1.MigrationPolicy) {
	after, pins := *q.have, *q.want
	for slot, to := range q.covered {
		switch {
		case q.abandoned[slot] != noOwner:
			pins[slot] = after[slot]
		case to >= 0 && after[slot] >= 0:
			after[slot], pins[slot] = to, to
		}
	}
	for _, m := range planRebalance(&after, &pins, q.shards, policy.Drain, policy.Rebalance) {
		q.covered.runs(m.slots, func(run slots.Range, by int16) {
			if by == noOwner {
				q.add(move{run, m.from, m.to})
			}
		})
	}
}

// summarize cuts the list and says in its last entry what is missing.
func (q *slotQueue) summarize() {
	counts := map[v1alpha1.MigrationState]int{}
	for i := mostEntries; i < len(q.entries); i++ {
		counts[q.entries[i].State]++
	}
	q.entries = q.entries[:mostEntries:mostEntries]
	q.entries[mostEntries-1].Message += fmt.Sprintf(" (further ranges: %d Pending, %d Failed, %d Done)",
		counts[v1alpha1.MigrationPending], counts[v1alpha1.MigrationFailed], counts[v1alpha1.MigrationDone])
}
