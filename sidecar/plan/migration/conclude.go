package migration

import (
	"fmt"
	"slices"
	"time"

	slotset "github.com/kvrocks/kvrocks-operator/api/slots"
	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/period"
)

const (
	// firstRetry is how long after the second failed attempt the next one begins; it doubles with every attempt. The second
	// follows the first at once, because the first one after a promotion always fails.
	firstRetry = time.Second
	lastRetry  = time.Minute
	// fewKeys is how many keys clients may have deleted while they were being counted: when the source had no more than
	// that and the destination has none, the slots still count as moved.
	fewKeys = 100
)

// Conclude has kvrocks-controller record the slots that have arrived, and looks after a part that has not. It comes
// before the nodes are given any layout: a source that has restarted must not be given the old one, by which it would serve
// the slots again. Withhold is true when the nodes of the shard with the index source must be given none in this pass, because slots of
// it have arrived elsewhere and the record does not say so yet.
func (p *Pass) Conclude() (source int32, withhold bool) {
	if p.current() == nil {
		return 0, false
	}
	p.Entries = slices.Clone(p.Entries)
	t, ok := p.transferOf(p.current())
	if !ok || t.recorded {
		return 0, false
	}
	stage := t.stage()
	if !p.view.OnRecord {
		p.cluster.Again(period.Soon)
		return t.from.Index, stage == stageArrived
	}
	if stage != stageRunning {
		p.cluster.Again(period.Step)
	}
	switch stage {
	case stageRunning:
		p.followRunning(&t)
	case stageArrived:
		return t.from.Index, p.verify(&t)
	case stageFailed:
		if t.from.placed() && t.to.placed() {
			p.retryLater(&t)
		}
	case stageUnknown:
		t.m.Message = t.awaited()
	}
	return 0, false
}

// followRunning looks after a part whose keys are being moved.
func (p *Pass) followRunning(t *transfer) {
	if t.slots.Len() == 1 {
		p.cluster.Ongoing(period.Step) // it may well be over, or have failed, at once
	} else {
		p.cluster.Ongoing(period.Moving)
	}
	p.noteStuckMove(t)
	if d := &t.to.Master; p.pastDeadline(t.m) && d.Pod != "" {
		// It cannot be called off; a layout makes the destination refuse the rest of it.
		t.m.Message = "the deadline has passed; the move is being called off"
		p.cluster.SetNodes(d.Pod, d.ID, p.view.Record)
	}
}

// verify counts the keys on both ends and has the new owner recorded. It reports whether the slots are still to be taken for arrived.
//
// The counts are from after the arrival, because begin made both ends forget any older one. The source has stopped serving
// the slots, so its count stands; on the destination clients may already have written and deleted. When the source does not
// answer there is nothing to compare, and its shard must not wait for a new master.
func (p *Pass) verify(t *transfer) bool {
	s, d := &t.from.Master, &t.to.Master
	if !s.Answers {
		p.recordOwner(t)
		return true
	}
	counted := true
	for _, n := range []*Node{s, d} {
		if n.Count == nil || n.Count.Slots != t.slots {
			p.cluster.CountKeys(n.Pod, t.slots)
			counted = false
		}
	}
	if !counted {
		return true
	}
	if !p.replicated(t) {
		t.m.Message = fmt.Sprintf("waiting for a replica of shard %d to have the keys of %s; %s", t.m.To, t.slots, progress(t.m))
		return true
	}
	here, there := s.Count.Keys, d.Count.Keys
	unknown := here < 0 || there < 0
	switch {
	case !unknown && there >= here, unknown && t.confirmed():
		// The destination itself confirms what is too much to count.
	case !t.confirmed(), there == 0 && here > fewKeys:
		p.cluster.Warn("SlotKeysMismatch", fmt.Sprintf("the slots %s have %d keys on shard %d and %d on shard %d; they are moved again",
			t.slots, here, t.m.From, there, t.m.To))
		p.retryLater(t)
		return false
	default:
		p.cluster.Warn("SlotKeysMismatch", fmt.Sprintf("the slots %s had %d keys on shard %d and have %d on shard %d: some were deleted or expired meanwhile, or are lost",
			t.slots, here, t.m.From, there, t.m.To))
	}
	p.recordOwner(t)
	return true
}

// replicated reports whether some replica of the destination has all that was counted there, so that the keys do not die with
// one node once the source has dropped them. Without a replica that replicates there is none to wait for.
func (p *Pass) replicated(t *transfer) bool {
	sequence, ok := p.cluster.ReplicaSequence(t.to.Index)
	return !ok || sequence >= t.to.Master.Count.Sequence
}

// recordOwner has the new owner recorded.
func (p *Pass) recordOwner(t *transfer) {
	p.cluster.RecordSlots(t.slots, t.to.Master.ID)
	p.cluster.Again(period.Writes)
}

// ended clears a part that is on record, on every node.
func (p *Pass) ended() {
	p.Entries = slices.Clone(p.Entries)
	m := p.current()
	r, err := slotset.ParseRange(string(m.Current))
	m.Current, m.Repeated, m.Attempts, m.RetryAt, m.StuckAt = "", false, 0, nil, nil
	to, ok := p.shardAt(m.To)
	if err != nil || !ok || to.Entry == nil {
		return
	}
	part := slotset.Of(r)
	part = part.Intersect(&to.Entry.Slots)
	m.Moved += int32(part.Len())
	if count := to.Master.Count; count != nil && count.Slots == r {
		keys := max(0, count.Keys)
		m.Keys += keys
		p.rest(keys)
	}
	m.Message = progress(m)
	whole, err := slotset.ParseRange(string(m.Slots))
	all := slotset.Of(whole)
	if err == nil && all.Minus(&to.Entry.Slots) == (slotset.Set{}) {
		p.done(m, whole)
	}
}

// done ends an entry.
func (p *Pass) done(m *v1alpha1.MigrationStatus, whole slotset.Range) {
	at := p.second()
	m.State, m.FinishedAt, m.RetryAt, m.Attempts = v1alpha1.MigrationDone, &at, nil, 0
	m.Moved = int32(whole.Len())
	m.Message = progress(m)
	p.cluster.Event("MigrationDone", fmt.Sprintf("the slots %s have moved from shard %d to shard %d with %d keys", m.Slots, m.From, m.To, m.Keys))
}

// retryLater gives the attempt up. The slots are on the source, and others may go first.
func (p *Pass) retryLater(t *transfer) {
	m := t.m
	m.Current, m.Repeated, m.StuckAt = "", false, nil
	if p.pastDeadline(m) {
		p.giveUp(m)
		return
	}
	at := p.second()
	m.RetryAt = &at
	if m.Attempts > 1 {
		m.RetryAt = p.notBefore(min(lastRetry, firstRetry<<min(m.Attempts-2, 6)))
	}
	m.Message = fmt.Sprintf("attempt %d to move %s failed, next at %s; %s", m.Attempts, t.slots, m.RetryAt.UTC().Format(time.TimeOnly), progress(m))
	p.cluster.Again(period.Step)
}

// giveUp ends an entry that took too long.
func (p *Pass) giveUp(m *v1alpha1.MigrationStatus) {
	at := p.second()
	m.State, m.FinishedAt, m.RetryAt, m.Current = v1alpha1.MigrationFailed, &at, nil, ""
	m.Message = fmt.Sprintf("given up after the deadline of %d s (%s), %d attempts at the last part; what has not moved is still on shard %d: "+
		"look at the masters of both shards, then remove the entry from spec.migrate (or switch the rebalance or drain off) and add it again",
		p.policy.DeadlineSeconds, progress(m), m.Attempts, m.From)
	p.cluster.Warn("MigrationFailed", fmt.Sprintf("the slots %s do not move from shard %d to shard %d: %s", m.Slots, m.From, m.To, m.Message))
}
