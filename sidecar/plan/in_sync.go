package plan

import "github.com/kvrocks/kvrocks-operator/api/v1alpha1"

// The reported role of a node says more than what the node is: a member reported as replica is in sync, which means that
// it lacks none of the writes that the master could not take without it. It stays so while it is down together with the
// master, and ends as soon as a proved master goes on without it, it comes back with less than it had, or it is too far behind
// (lag_bounds.go), though its link is up: a feed can be blocked for hours. Only members in sync may succeed a master while others are
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
	case m == p.remembered:
		return v1alpha1.RoleMaster
	case p.proven == nil:
		return p.recorded.roleUntilProved(m, p.members)
	case m == p.proven:
		return v1alpha1.RoleMaster
	case p.inSync(m):
		return v1alpha1.RoleReplica
	}
	return ""
}
