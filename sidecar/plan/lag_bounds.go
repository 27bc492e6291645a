package plan

import (
	"cmp"
	"fmt"
	"time"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/period"
)

// bounds say how far behind its master a replica may be, and what a promotion may lose; see v1alpha1.Failover.
type bounds struct {
	// lagWrites and lag bound what is in sync.
	lagWrites int64
	lag       time.Duration
	// lostWrites bounds what a promotion may lose; nil means that it may lose anything.
	lostWrites *int64
}

func boundsOf(f *v1alpha1.Failover) bounds {
	b := bounds{lagWrites: v1alpha1.DefaultMaxLagWrites, lag: MaxLag(f)}
	if f != nil {
		if f.MaxLagWrites > 0 {
			b.lagWrites = f.MaxLagWrites
		}
		b.lostWrites = f.MaxLostWrites
	}
	return b
}

// MaxLag returns how long a replica may lack a write that its master has; f may be nil.
func MaxLag(f *v1alpha1.Failover) time.Duration {
	if f == nil || f.MaxLagSeconds <= 0 {
		return v1alpha1.DefaultMaxLagSeconds * time.Second
	}
	return time.Duration(f.MaxLagSeconds) * time.Second
}

// caughtUp returns the lag at which a member that was not in sync is again: the distance from lagWrites keeps it from coming and
// going. A busy master is always some thousand writes ahead.
func (b bounds) caughtUp() int64 { return max(lagNoise, b.lagWrites/10) }

// lags reports whether m, which follows the proved master, is further behind it than a member in sync may be.
func (p *pass) lags(m *member) bool {
	master := p.proven.node
	return master.Sequence-m.node.Sequence > p.bounds.lagWrites || m.node.Sequence < master.SequenceBefore
}

// lagging reports whether m follows the proved master, and has lost its standing because it is too far behind: nothing is fed to
// it, or its link stays down, as when its volume is full.
func (p *pass) lagging(m *member) bool {
	if p.proven == nil || m == p.proven || !m.follows(p.proven) || m.node.Syncing || p.inSync(m) {
		return false
	}
	n := p.lastNode(m.name)
	return n != nil && n.BehindSince != nil || m.was.Attached && p.lags(m)
}

// fallBehind takes a replica that is too far behind out of the replicas' Service, even if it is the last one there: hours-old data
// must not be read as present. In a standard instance its gate stays, because the sentinels are to see it. Clients of a cluster find
// it by its own address, as does kvrocks-controller, which would promote it: there the gate goes as well. It replicates on, because it
// calls the master.
func (p *pass) fallBehind(m *member) {
	if n := p.lastNode(m.name); n == nil || n.BehindSince == nil {
		p.warn("ReplicaLagging", fmt.Sprintf("%s is too far behind %s to be in sync: %s", m.name, p.proven.name, p.lagText(m)))
	}
	if p.in.Topology.Spec.Type == v1alpha1.TypeCluster {
		p.fence(m, "it is too far behind its master")
	}
	p.setRole(m, "")
}

// catchUp says, once, that a member is in sync again.
func (p *pass) catchUp(m *member) {
	if n := p.lastNode(m.name); n != nil && n.BehindSince != nil {
		p.event("ReplicaCaughtUp", m.name+" has caught up with "+p.proven.name)
	}
}

// lagText says how far m is behind the proved master, in figures that stay while the report does.
func (p *pass) lagText(m *member) string {
	if lag := p.lagOf(m); lag > p.bounds.lagWrites {
		return fmt.Sprintf("by about %d writes", roundLag(lag))
	}
	return fmt.Sprintf("for more than %s", p.bounds.lag)
}

// roundLag keeps the first two digits.
func roundLag(n int64) int64 {
	unit := int64(1)
	for n/unit >= 100 {
		unit *= 10
	}
	return n / unit * unit
}

// lagOf returns the lag of a replica as it is reported. That of a member that is too far behind stays until it has doubled or
// halved, so that nothing is reported which only moves.
func (p *pass) lagOf(m *member) int64 {
	lag := max(0, p.proven.node.Sequence-m.node.Sequence)
	if n := p.lastNode(m.name); n != nil && n.BehindSince != nil && sameLag(n.Lag, lag) {
		return n.Lag
	}
	return lag
}

// wouldLose returns how many writes of the recorded master, as far as they are known, next lacks.
func (p *pass) wouldLose(next *member) int64 {
	known := p.lastSequence(p.master)
	if m := p.member(p.master); m != nil {
		known = max(known, m.node.Sequence)
	}
	if p.outage != nil {
		known = max(known, p.outage.MasterSequence, p.outage.Sequence)
	}
	return max(0, known-next.node.Sequence)
}

// losesTooMuch reports whether the promotion of next would lose more writes than spec.failover.maxLostWrites allows. Then it waits and
// says so.
func (p *pass) losesTooMuch(next *member) bool {
	lost := p.wouldLose(next)
	if p.bounds.lostWrites == nil || lost <= *p.bounds.lostWrites {
		return false
	}
	master := cmp.Or(p.master, "the master")
	p.wait(ReasonWouldLoseWrites, fmt.Sprintf(
		"%s, which has the most data, lacks %d writes that %s had, more than spec.failover.maxLostWrites (%d) allows; "+
			"bring the pod of %s back with its volume, or raise the field",
		next.name, lost, master, *p.bounds.lostWrites, master), period.Wait)
	return true
}
