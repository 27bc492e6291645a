package plan

import (
	"fmt"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	slotset "github.com/kvrocks/kvrocks-operator/api/slots"
	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/rebalance"
)

// Slots move in parts, one at a time in the whole cluster. A part is on record as Current of an entry of
// status.migrations before its first key moves and until every node knows its new owner. Where it stands is seen from the
// two nodes and from kvrocks-controller's record alone:
//
//	chosen       keys counted on the source (chooseChunk)
//	begun        Current on record, CLUSTERX MIGRATE on the source (begin)
//	under way    the source says so
//	arrived      both ends say success: keys are counted on both (verify), then kvrocks-controller records the new owner
//	recorded     the nodes are given the layout, the destination first; then Current is cleared (ended)
//	failed       Current is cleared and the part is tried again later (retryLater)
//
// Once the destination says that it has everything it serves the slots, and the source does not: from then on the part is
// recorded, whatever becomes of the source. kvrocks clears the slots on the destination when a move begins, so one that
// failed is simply begun again.

// migrating reports whether slots are on their way, so that nothing else may change the layout but a failover.
func (c *clusterPass) migrating() bool { return c.current() != nil }

// current returns the entry whose slots are on their way; nil when none are.
func (c *clusterPass) current() *v1alpha1.MigrationStatus {
	for i := range c.migrations {
		if c.migrations[i].Current != "" {
			return &c.migrations[i]
		}
	}
	return nil
}

// concludeMove has kvrocks-controller record the slots that have arrived, and looks after a part that has not. It comes
// before the nodes are given any layout: a source that has restarted must not be given the old one, by which it would serve
// the slots again.
func (c *clusterPass) concludeMove() {
	if c.current() == nil {
		return
	}
	c.migrations = slices.Clone(c.migrations)
	m := c.current()
	t, ok := c.transferOf(m)
	if !ok || t.recorded {
		return
	}
	stage := t.stage()
	if stage == stageArrived {
		c.layoutWithheldFrom = t.from
	}
	if !c.onRecord {
		c.again(againSoon)
		return
	}
	if stage == stageRunning {
		c.ongoingIn = againMoving
		if t.slots.Len() == 1 {
			c.ongoingIn = againStep // it may well be over, or have failed, at once
		}
	} else {
		c.again(againStep)
	}
	switch stage {
	case stageArrived:
		c.verify(t)
	case stageFailed:
		if c.placed(t.from) && c.placed(t.to) {
			c.retryLater(t)
		}
	case stageRunning:
		c.noteStuckMove(t)
		if c.pastDeadline(m) && t.to.layoutMaster != nil {
			// It cannot be called off; a layout makes the destination refuse the rest of it.
			m.Message = "the deadline has passed; the move is being called off"
			c.do(Push{Pod: t.to.layoutMaster.name, ID: t.to.layoutMaster.entry.ID, Layout: c.record, Force: true})
		}
	case stageUnknown:
		m.Message = t.awaited()
		c.again(againSoon)
	}
}

// placed reports whether the shard's master serves by the record.
func (c *clusterPass) placed(s *clusterShard) bool {
	return s.layoutMaster != nil && s.layoutMaster.isMaster() && s.hasLayout(s.layoutMaster)
}

// migrate decides what moves next. It is called last, and only when the layout is settled.
func (c *clusterPass) migrate() {
	c.clearAllWriteForbidden()
	if c.changing {
		return
	}
	if m := c.current(); m != nil {
		if t, ok := c.transferOf(m); !ok || t.recorded {
			c.ended()
			c.again(againWrites) // what waited for the end of a part goes first
		} else if c.in.Topology.Generation != c.in.Topology.Status.ObservedGeneration {
			c.review()
		}
		return
	}
	if !c.wantsMigrations() {
		return
	}
	c.review()
	if policyOf(&c.in.Topology.Spec).Paused {
		c.pause()
		return
	}
	if c.resting() {
		return
	}
	// Entries that have waited for another attempt go before those that have not failed.
	for _, retries := range []bool{true, false} {
		for i := range c.migrations {
			if m := &c.migrations[i]; (m.RetryAt != nil) == retries && c.next(m) {
				return
			}
		}
	}
}

// next takes the next step of an entry, and reports whether it was taken: if not, another entry may go.
func (c *clusterPass) next(m *v1alpha1.MigrationStatus) bool {
	switch {
	case m.State == v1alpha1.MigrationDone || m.State == v1alpha1.MigrationFailed:
		return false
	case c.pastDeadline(m):
		c.giveUp(m)
		c.again(againStep)
		return false
	case m.RetryAt != nil && m.RetryAt.After(c.now):
		c.again(max(againStep, min(m.RetryAt.Sub(c.now), againWait)))
		return false
	}
	return c.advance(m)
}

// wantsMigrations reports whether there is something to move or to report.
func (c *clusterPass) wantsMigrations() bool {
	spec := &c.in.Topology.Spec
	policy := policyOf(spec)
	return len(spec.Migrate) > 0 || policy.Drain || policy.Rebalance || len(c.migrations) > 0
}

// review makes the entries again from what is wanted and what is on record.
func (c *clusterPass) review() {
	c.reviewed = true
	shards := make([]rebalance.Shard, len(c.shards))
	for i, s := range c.shards {
		shards[i] = rebalance.Shard{Index: s.shard.Index, Leaving: s.shard.Leaving}
		if s.entry != nil {
			shards[i].Slots = &s.entry.Slots
		}
	}
	spec := &c.in.Topology.Spec
	c.migrations = rebalance.Queue(c.migrations, spec.Migrate, policyOf(spec), shards)
}

// shardAt returns the shard with this index; nil when there is none.
func (c *clusterPass) shardAt(index int32) *clusterShard {
	for _, s := range c.shards {
		if s.shard.Index == index {
			return s
		}
	}
	return nil
}

// pause reports every entry that has not ended as Pending and paused.
func (c *clusterPass) pause() {
	for i := range c.migrations {
		m := &c.migrations[i]
		if m.State == v1alpha1.MigrationDone || m.State == v1alpha1.MigrationFailed {
			continue
		}
		m.State, m.RetryAt, m.Message = v1alpha1.MigrationPending, nil, "paused; "+progress(m)
	}
}

// advance takes the next step of an entry, and reports whether it was taken: if not, another entry may go first.
func (c *clusterPass) advance(m *v1alpha1.MigrationStatus) bool {
	r, err := slotset.ParseRange(string(m.Slots))
	to := c.shardAt(m.To)
	if err != nil || to == nil || to.entry == nil {
		return false
	}
	left := slotset.Of(r)
	left = left.Minus(&to.entry.Slots)
	if left.Empty() {
		c.done(m, r)
		return false
	}
	var from *clusterShard
	run := left.Ranges()[0]
	for _, s := range c.shards {
		if s.entry != nil && s.entry.Slots.Has(run.First) {
			from = s
		}
	}
	if from == nil {
		return false
	}
	here := slotset.Of(run)
	here = here.Intersect(&from.entry.Slots)
	run = here.Ranges()[0]
	m.From = from.shard.Index
	for _, s := range []*clusterShard{from, to} {
		if s.proven == nil || s.proven != s.layoutMaster || !s.proven.was.Attached || s.outage != nil {
			m.Message = fmt.Sprintf("waiting for the master of shard %d; %s", s.shard.Index, progress(m))
			c.again(againSoon)
			return false
		}
	}
	return c.begin(m, from, to, run)
}

// begin starts the move of the next part, or takes a step towards it, and reports whether it did.
func (c *clusterPass) begin(m *v1alpha1.MigrationStatus, from, to *clusterShard, run slotset.Range) bool {
	s, d := from.proven, to.proven
	run, exact, blocked := c.makeWritable(to, run)
	switch {
	case blocked != "":
		m.Message = blocked
		return false
	case c.changing:
		return true // the destination is being made to take writes again
	}
	chunk := run
	if !exact {
		part, known := c.chooseChunk(m, s, run)
		if !known {
			c.do(CountKeys{Pod: s.name, Slots: part})
			c.again(againStep)
			return true
		}
		chunk = part
		if s.node.Cluster.Outgoing == nil {
			chunk.Last = chunk.First // the first attempt of a process fails if it was a replica before, and so it costs little
		}
		// What the destination says of an earlier move of the very same slots could be taken for news of this one.
		if d.incoming(chunk) == MoveSucceeded && chunk.Len() > 1 {
			chunk.Last--
		}
		// The last slot of a shard goes alone. Its process refuses writes to the slots of its last part should they come back,
		// and without a slot of its own that cannot be cleared; but just that part may come back first (see makeWritable).
		if all := slotset.Of(chunk); all == from.entry.Slots && chunk.Len() > 1 {
			chunk.Last--
		}
	}
	c.forget(s, chunk)
	c.forget(d, chunk)
	if m.StartedAt == nil {
		c.event("MigrationStarted", fmt.Sprintf("the slots %s move from shard %d to shard %d", m.Slots, m.From, m.To))
	}
	if m.StartedAt == nil || m.State == v1alpha1.MigrationPending {
		at := c.second()
		m.StartedAt = &at
	}
	m.State, m.Current, m.RetryAt, m.StuckAt = v1alpha1.MigrationRunning, v1alpha1.SlotRange(chunk.String()), nil, nil
	m.Attempts++
	m.Repeated = d.incoming(chunk) == MoveSucceeded
	m.Message = "moving " + chunk.String() + attempt(m) + "; " + progress(m)
	c.intent, c.changing = true, true
	c.do(MoveSlots{Pod: s.name, Slots: chunk, ToID: d.entry.ID, KeysPerSecond: c.keysPerSecond()})
	c.again(againStep)
	return true
}

// incoming returns how the process says that just these slots came to it last; empty when others did, or none.
func (m *member) incoming(r slotset.Range) MoveState {
	c := m.node.Cluster
	if c == nil || c.Incoming == nil || c.Incoming.Slots != r {
		return ""
	}
	return c.Incoming.State
}

// policyOf returns how slots may move; without a policy, everything in it is at its zero value.
func policyOf(spec *v1alpha1.KVRocksTopologySpec) v1alpha1.MigrationPolicy {
	if spec.Migration == nil {
		return v1alpha1.MigrationPolicy{}
	}
	return *spec.Migration
}

func (c *clusterPass) keysPerSecond() int32 { return policyOf(&c.in.Topology.Spec).KeysPerSecond }

// second returns the present time as a status holds it.
func (c *clusterPass) second() metav1.Time { return metav1.NewTime(c.now.Truncate(time.Second)) }

// notBefore returns a time from now as a status holds it, rounded up.
func (c *clusterPass) notBefore(d time.Duration) *metav1.Time {
	at := metav1.NewTime(c.now.Add(d + time.Second - 1).Truncate(time.Second))
	return &at
}

// pastDeadline reports whether the entry has had the time that it may take.
func (c *clusterPass) pastDeadline(m *v1alpha1.MigrationStatus) bool {
	policy := policyOf(&c.in.Topology.Spec)
	return policy.DeadlineSeconds > 0 && m.StartedAt != nil && m.State == v1alpha1.MigrationRunning &&
		c.now.Sub(m.StartedAt.Time) > time.Duration(policy.DeadlineSeconds)*time.Second
}
