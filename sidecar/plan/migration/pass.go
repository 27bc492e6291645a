package migration

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/period"
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

// Pass is what a pass of the cluster decides on slots that move.
type Pass struct {
	// Entries are those of status.migrations, as they are to be reported.
	Entries []v1alpha1.MigrationStatus
	// NextAt is when the next slots may move; nil when that may be now.
	NextAt *metav1.Time

	view    View
	cluster Cluster
	policy  v1alpha1.MigrationPolicy
	// reviewed is true once the entries were compared in this pass with what the topology asks for.
	reviewed bool
}

// New returns a pass that starts with the entries of the last report. Without a policy, everything in it is at its zero value.
func New(v View) Pass {
	status := &v.Topology.Status
	p := Pass{Entries: status.Migrations, NextAt: status.NextMoveAt, view: v, cluster: v.Cluster}
	if policy := v.Topology.Spec.Migration; policy != nil {
		p.policy = *policy
	}
	return p
}

// UnderWay reports whether slots are on their way, so that nothing else may change the layout but a failover.
func (p *Pass) UnderWay() bool { return p.current() != nil }

// Ends returns the indexes of the shards between which slots are being moved; ok is false when none are.
func (p *Pass) Ends() (to, from int32, ok bool) {
	for i := range p.Entries {
		if m := &p.Entries[i]; m.State == v1alpha1.MigrationRunning && m.Current != "" {
			return m.To, m.From, true
		}
	}
	return 0, 0, false
}

// current returns the entry whose slots are on their way; nil when none are.
func (p *Pass) current() *v1alpha1.MigrationStatus {
	for i := range p.Entries {
		if p.Entries[i].Current != "" {
			return &p.Entries[i]
		}
	}
	return nil
}

// Migrate decides what moves next. It is called last, and only when every node knows the record and nothing else changes that.
func (p *Pass) Migrate() {
	if m := p.current(); m != nil {
		if t, ok := p.transferOf(m); !ok || t.recorded {
			p.ended()
			p.cluster.Again(period.Writes) // what waited for the end of a part goes first
		} else if topology := p.view.Topology; topology.Generation != topology.Status.ObservedGeneration {
			p.review()
		}
		return
	}
	if p.clearAllWriteForbidden() || !p.wanted() {
		return
	}
	p.review()
	if p.policy.Paused {
		p.pause()
		return
	}
	if p.resting() {
		return
	}
	// Entries that have waited for another attempt go before those that have not failed.
	for _, retries := range []bool{true, false} {
		for i := range p.Entries {
			if m := &p.Entries[i]; (m.RetryAt != nil) == retries && p.next(m) {
				return
			}
		}
	}
}

// next takes the next step of an entry, and reports whether it was taken: if not, another entry may go.
func (p *Pass) next(m *v1alpha1.MigrationStatus) bool {
	switch {
	case over(m):
		return false
	case p.pastDeadline(m):
		p.giveUp(m)
		p.cluster.Again(period.Step)
		return false
	case m.RetryAt != nil && m.RetryAt.After(p.view.Now):
		p.cluster.Again(max(period.Step, min(m.RetryAt.Sub(p.view.Now), period.Wait)))
		return false
	}
	return p.advance(m)
}

// over reports whether an entry has ended.
func over(m *v1alpha1.MigrationStatus) bool {
	return m.State == v1alpha1.MigrationDone || m.State == v1alpha1.MigrationFailed
}

// wanted reports whether there is something to move or to report.
func (p *Pass) wanted() bool {
	return len(p.view.Topology.Spec.Migrate) > 0 || p.policy.Drain || p.policy.Rebalance || len(p.Entries) > 0
}

// ReviewUnsettled compares the entries with what the topology asks for when nothing may move in this pass: a report that left out what
// is newly asked for would say that there is nothing to do.
func (p *Pass) ReviewUnsettled() {
	if p.reviewed || p.current() != nil || !p.wanted() {
		return
	}
	p.review()
	if p.policy.Paused {
		p.pause()
	}
}

// review makes the entries again from what is wanted and what is on record.
func (p *Pass) review() {
	p.reviewed = true
	shards := make([]rebalance.Shard, p.cluster.Len())
	for i := range shards {
		s := p.cluster.Shard(i)
		shards[i] = rebalance.Shard{Index: s.Index, Leaving: s.Leaving}
		if s.Entry != nil {
			shards[i].Slots = &s.Entry.Slots
		}
	}
	p.Entries = rebalance.Queue(p.Entries, p.view.Topology.Spec.Migrate, p.policy, shards)
}

// pause reports every entry that has not ended as Pending and paused.
func (p *Pass) pause() {
	for i := range p.Entries {
		if m := &p.Entries[i]; !over(m) {
			m.State, m.RetryAt, m.Message = v1alpha1.MigrationPending, nil, "paused; "+progress(m)
		}
	}
}

// shardAt returns the shard with this index; false when the topology has none.
func (p *Pass) shardAt(index int32) (Shard, bool) {
	for i := range p.cluster.Len() {
		if s := p.cluster.Shard(i); s.Index == index {
			return s, true
		}
	}
	return Shard{}, false
}

// second returns the present time as a status holds it.
func (p *Pass) second() metav1.Time { return metav1.NewTime(p.view.Now.Truncate(time.Second)) }

// notBefore returns a time from now as a status holds it, rounded up.
func (p *Pass) notBefore(d time.Duration) *metav1.Time {
	at := metav1.NewTime(p.view.Now.Add(d + time.Second - 1).Truncate(time.Second))
	return &at
}

// pastDeadline reports whether the entry has had the time that it may take.
func (p *Pass) pastDeadline(m *v1alpha1.MigrationStatus) bool {
	return p.policy.DeadlineSeconds > 0 && m.StartedAt != nil && m.State == v1alpha1.MigrationRunning &&
		p.view.Now.Sub(m.StartedAt.Time) > time.Duration(p.policy.DeadlineSeconds)*time.Second
}
