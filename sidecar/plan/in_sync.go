package plan

import (
	"cmp"
	"fmt"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/condition"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/lag"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/lineage"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/period"
)

// The reported role of a node says more than what the node is: a member reported as replica is in sync, which means that
// it lacks none of the writes that the master could not take without it. It stays so while it is down together with the
// master, and ends as soon as a proved master goes on without it, it comes back with less than it had, or it is too far behind
// (tooFarBehind), though its link is up: a feed can be blocked for hours. Only members in sync may succeed a master while others are
// missing; a member that comes back with an old volume is not among them.

// inSync reports whether the member replicates from the proved master, has caught up with it, and is not too far behind since.
func (p *facts) inSync(m *member) bool {
	if !m.linked(p.proven) || !p.onRecord() || p.tooFarBehind(m) {
		return false
	}
	if p.unbroken(m) && p.recorded.Role(m) == v1alpha1.RoleReplica {
		return true
	}
	// A partial sync brings the link up at its beginning. What the master had when this member was last reported out of
	// sync is a mark that can be reached while it goes on writing.
	return m.node.Sequence >= p.recorded.Sequence(p.proven.name) && p.proven.node.Sequence-m.node.Sequence < p.bounds.CaughtUp()
}

// unbroken reports whether m has not restarted since it was last reported: it would have lost its gate. A member of a standard
// instance has no master when it starts, and is given one by the sidecar alone, which puts on record first that it is not in
// sync.
func (p *facts) unbroken(m *member) bool {
	return m.was.Attached || p.in.Topology.Spec.Type == v1alpha1.TypeStandard
}

// roleOf returns the role of a node as far as it is proved.
func (p *facts) roleOf(m *member) v1alpha1.Role {
	switch {
	case m == p.remembered, m == p.proven:
		return v1alpha1.RoleMaster
	case p.proven == nil:
		return lineage.RoleUntilProved(&p.recorded.Record, m, p.members)
	case p.inSync(m):
		return v1alpha1.RoleReplica
	}
	return ""
}

// tooFarBehind reports whether m, which follows the proved master, is further behind it than a member in sync may be.
func (p *facts) tooFarBehind(m *member) bool {
	return p.bounds.Exceeded(m.node.Sequence, p.proven.node.Sequence, p.proven.node.SequenceBefore)
}

// lagging reports whether m follows the proved master, and has lost its standing because it is too far behind: nothing is fed to
// it, or its link stays down, as when its volume is full.
func (p *facts) lagging(m *member) bool {
	if p.proven == nil || m == p.proven || !m.follows(p.proven) || m.node.Syncing || p.inSync(m) {
		return false
	}
	n := p.recorded.Node(m.name)
	return n != nil && n.BehindSince != nil || m.was.Attached && p.tooFarBehind(m)
}

// fallBehind takes a replica that is too far behind out of the replicas' Service, even if it is the last one there: hours-old data
// must not be read as present. In a standard instance its gate stays, because the sentinels are to see it. Clients of a cluster find
// it by its own address, as does kvrocks-controller, which would promote it: there the gate goes as well. It replicates on, because it
// calls the master.
func (p *pass) fallBehind(m *member) {
	if n := p.recorded.Node(m.name); n == nil || n.BehindSince == nil {
		p.Warn("ReplicaLagging", fmt.Sprintf("%s is too far behind %s to be in sync: %s", m.name, p.proven.name, p.bounds.Text(p.recorded.lag(m, p.proven))))
	}
	if p.in.Topology.Spec.Type == v1alpha1.TypeCluster {
		p.fence(m, "it is too far behind its master")
	}
	p.setRole(m, "")
}

// catchUp says, once, that a member is in sync again.
func (p *pass) catchUp(m *member) {
	if n := p.recorded.Node(m.name); n != nil && n.BehindSince != nil {
		p.Event("ReplicaCaughtUp", m.name+" has caught up with "+p.proven.name)
	}
}

// lag returns the lag of a replica behind its master as it is reported. That of a member that is too far behind stays until it has doubled or
// halved, so that nothing is reported which only moves.
func (r *recorded) lag(m, master *member) int64 {
	behind := max(0, master.node.Sequence-m.node.Sequence)
	if n := r.Node(m.name); n != nil && n.BehindSince != nil && lag.Same(n.Lag, behind) {
		return n.Lag
	}
	return behind
}

// wouldLose returns how many writes of the recorded master, as far as they are known, next lacks.
func (p *facts) wouldLose(next *member) int64 {
	known := p.recorded.Sequence(p.recorded.Master)
	if m := p.members.named(p.recorded.Master); m != nil {
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
	if p.bounds.LostWrites == nil || lost <= *p.bounds.LostWrites {
		return false
	}
	master := cmp.Or(p.recorded.Master, "the master")
	p.wait(condition.ReasonWouldLoseWrites, fmt.Sprintf(
		"%s, which has the most data, lacks %d writes that %s had, more than spec.failover.maxLostWrites (%d) allows; "+
			"bring the pod of %s back with its volume, or raise the field",
		next.name, lost, master, *p.bounds.LostWrites, master), period.Wait)
	return true
}
