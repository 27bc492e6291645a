package plan

import (
	"fmt"
	"slices"
	"time"

	slotset "github.com/kvrocks/kvrocks-operator/api/slots"
	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
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

// stage says how far a part is.
type stage int

const (
	// stageUnknown: an end that must be asked does not answer, or still waits for the other.
	stageUnknown stage = iota
	// stageRunning: keys are being moved.
	stageRunning
	// stageArrived: the destination has everything, and the source has stopped serving the slots.
	stageArrived
	// stageFailed: it did not begin, or it ended without success. The source has everything and serves the slots.
	stageFailed
)

// transfer is a part on its way.
type transfer struct {
	m        *v1alpha1.MigrationStatus
	slots    slotset.Range
	from, to *clusterShard
	// recorded: the record says that the slots have their new owner, or that the old one has lost them otherwise.
	recorded bool
}

// transferOf returns the part on its way; ok is false when its shards are not in the record.
func (c *clusterPass) transferOf(m *v1alpha1.MigrationStatus) (t transfer, ok bool) {
	r, err := slotset.ParseRange(string(m.Current))
	t = transfer{m: m, slots: r, from: c.shardAt(m.From), to: c.shardAt(m.To)}
	if err != nil || t.from == nil || t.to == nil || t.from.entry == nil || t.to.entry == nil {
		return t, false
	}
	part := slotset.Of(r)
	t.recorded = part.Minus(&t.from.entry.Slots) != slotset.Set{}
	return t, true
}

// stage returns how far the part is, by the masters of both shards, as the record has them.
func (t *transfer) stage() stage {
	out, in := MoveState(""), MoveState("")
	s, d := t.from.layoutMaster, t.to.layoutMaster
	sAnswers, dAnswers := s != nil && s.answered(), d != nil && d.answered()
	if sAnswers && s.node.Cluster != nil {
		if o := s.node.Cluster.Outgoing; o != nil && o.Slots == t.slots && t.to.entry.Has(o.To) {
			out = o.State
		}
	}
	if dAnswers {
		in = d.incoming(t.slots)
	}
	if in == MoveSucceeded && (out == MoveFailed || t.m.Repeated && out != MoveSucceeded) {
		in = "" // old news: of a move that failed after all, or of the one before
	}
	switch {
	case out == MoveRunning:
		return stageRunning
	case in == MoveSucceeded:
		return stageArrived
	case !sAnswers || !dAnswers || in == MoveRunning:
		return stageUnknown
	case out == MoveSucceeded && in == "":
		return stageArrived // the destination has restarted since, or was replaced
	}
	return stageFailed
}

// replicated reports whether some replica of the destination has all that was counted there, so that the keys do not die with
// one node once the source has dropped them. Without a replica that replicates there is none to wait for.
func (t *transfer) replicated() bool {
	replicas := 0
	for i := range t.to.members {
		m := &t.to.members[i]
		if m == t.to.layoutMaster || !m.was.Attached || !m.linked(t.to.layoutMaster) {
			continue
		}
		if m.node.Sequence >= t.to.layoutMaster.node.Count.Sequence {
			return true
		}
		replicas++
	}
	return replicas == 0
}

// confirmed reports whether the process of the destination says itself that it has everything.
func (t *transfer) confirmed() bool {
	return t.to.layoutMaster.incoming(t.slots) == MoveSucceeded
}

// awaited returns, in words, what the part waits for.
func (t *transfer) awaited() string {
	for _, s := range []*clusterShard{t.from, t.to} {
		if s.layoutMaster == nil || !s.layoutMaster.answered() {
			return fmt.Sprintf("waiting for the master of shard %d, which does not answer, to learn what became of %s; %s",
				s.shard.Index, t.slots, progress(t.m))
		}
	}
	return fmt.Sprintf("waiting for shard %d to notice that the move of %s was broken off; %s", t.to.shard.Index, t.slots, progress(t.m))
}

// verify counts the keys on both ends and has the new owner recorded.
//
// The counts are from after the arrival, because begin made both ends forget any older one. The source has stopped serving
// the slots, so its count stands; on the destination clients may already have written and deleted. When the source does not
// answer there is nothing to compare, and its shard must not wait for a new master.
func (c *clusterPass) verify(t transfer) {
	s, d := t.from.layoutMaster, t.to.layoutMaster
	if s == nil || !s.answered() {
		c.recordOwner(t)
		return
	}
	counted := true
	for _, m := range []*member{s, d} {
		if m.node.Count == nil || m.node.Count.Slots != t.slots {
			c.do(CountKeys{Pod: m.name, Slots: t.slots})
			counted = false
		}
	}
	if !counted {
		return
	}
	if !t.replicated() {
		t.m.Message = fmt.Sprintf("waiting for a replica of shard %d to have the keys of %s; %s", t.m.To, t.slots, progress(t.m))
		return
	}
	here, there := s.node.Count.Keys, d.node.Count.Keys
	unknown := here < 0 || there < 0
	switch {
	case !unknown && there >= here, unknown && t.confirmed():
		// The destination itself confirms what is too much to count.
	case !t.confirmed(), there == 0 && here > fewKeys:
		c.warn("SlotKeysMismatch", fmt.Sprintf("the slots %s have %d keys on shard %d and %d on shard %d; they are moved again",
			t.slots, here, t.m.From, there, t.m.To))
		c.layoutWithheldFrom = nil
		c.retryLater(t)
		return
	default:
		c.warn("SlotKeysMismatch", fmt.Sprintf("the slots %s had %d keys on shard %d and have %d on shard %d: some were deleted or expired meanwhile, or are lost",
			t.slots, here, t.m.From, there, t.m.To))
	}
	c.recordOwner(t)
}

// recordOwner has the new owner recorded.
func (c *clusterPass) recordOwner(t transfer) {
	c.change(RecordSlots{Slots: t.slots, ToMasterID: t.to.layoutMaster.entry.ID})
	c.again(againWrites)
}

// ended clears a part that is on record, on every node.
func (c *clusterPass) ended() {
	c.migrations = slices.Clone(c.migrations)
	m := c.current()
	r, err := slotset.ParseRange(string(m.Current))
	m.Current, m.Repeated, m.Attempts, m.RetryAt, m.StuckAt = "", false, 0, nil, nil
	to := c.shardAt(m.To)
	if err != nil || to == nil || to.entry == nil {
		return
	}
	part := slotset.Of(r)
	part = part.Intersect(&to.entry.Slots)
	m.Moved += int32(part.Len())
	if d := to.layoutMaster; d != nil && d.node.Count != nil && d.node.Count.Slots == r {
		keys := max(0, d.node.Count.Keys)
		m.Keys += keys
		c.rest(keys)
	}
	m.Message = progress(m)
	whole, err := slotset.ParseRange(string(m.Slots))
	all := slotset.Of(whole)
	if err == nil && all.Minus(&to.entry.Slots) == (slotset.Set{}) {
		c.done(m, whole)
	}
}

// done ends an entry.
func (c *clusterPass) done(m *v1alpha1.MigrationStatus, whole slotset.Range) {
	at := c.second()
	m.State, m.FinishedAt, m.RetryAt, m.Attempts = v1alpha1.MigrationDone, &at, nil, 0
	m.Moved = int32(whole.Len())
	m.Message = progress(m)
	c.event("MigrationDone", fmt.Sprintf("the slots %s have moved from shard %d to shard %d with %d keys", m.Slots, m.From, m.To, m.Keys))
}

// retryLater gives the attempt up. The slots are on the source, and others may go first.
func (c *clusterPass) retryLater(t transfer) {
	m := t.m
	m.Current, m.Repeated, m.StuckAt = "", false, nil
	if c.pastDeadline(m) {
		c.giveUp(m)
		return
	}
	at := c.second()
	m.RetryAt = &at
	if m.Attempts > 1 {
		m.RetryAt = c.notBefore(min(lastRetry, firstRetry<<min(m.Attempts-2, 6)))
	}
	m.Message = fmt.Sprintf("attempt %d to move %s failed, next at %s; %s", m.Attempts, t.slots, m.RetryAt.UTC().Format(time.TimeOnly), progress(m))
	c.again(againStep)
}

// giveUp ends an entry that took too long.
func (c *clusterPass) giveUp(m *v1alpha1.MigrationStatus) {
	at := c.second()
	m.State, m.FinishedAt, m.RetryAt, m.Current = v1alpha1.MigrationFailed, &at, nil, ""
	m.Message = fmt.Sprintf("given up after the deadline of %d s (%s), %d attempts at the last part; what has not moved is still on shard %d: "+
		"look at the masters of both shards, then remove the entry from spec.migrate (or switch the rebalance or drain off) and add it again",
		policyOf(&c.in.Topology.Spec).DeadlineSeconds, progress(m), m.Attempts, m.From)
	c.warn("MigrationFailed", fmt.Sprintf("the slots %s do not move from shard %d to shard %d: %s", m.Slots, m.From, m.To, m.Message))
}

// progress returns, in words, how far an entry is.
func progress(m *v1alpha1.MigrationStatus) string {
	r, err := slotset.ParseRange(string(m.Slots))
	if err != nil {
		return ""
	}
	text := fmt.Sprintf("%d of %d slots moved", m.Moved, r.Len())
	if m.Keys > 0 {
		text += fmt.Sprintf(" with %d keys", m.Keys)
	}
	return text
}

// attempt returns, in words, which attempt it is, from the second on; empty for the first.
func attempt(m *v1alpha1.MigrationStatus) string {
	if m.Attempts < 2 {
		return ""
	}
	return fmt.Sprintf(" (attempt %d)", m.Attempts)
}
