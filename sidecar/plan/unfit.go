package plan

import (
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/condition"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/lineage"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/period"
)

// Sentinels elect by what they can reach, and kvrocks-controller by the sequence alone: neither knows which volume a node
// has. What they made master is checked against the lineage that was reported before it is attached.

// unfit reports whether x, which others made master, must not serve. It must not while a member in sync answers and x is
// none; and when its volume is new, foreign or an old copy, it must wait for those that were in sync.
func (r *recorded) unfit(x *member, all members) bool {
	if r.Standing(x) == lineage.InSync {
		return false
	}
	missing := false
	for _, o := range all {
		switch {
		case o == x:
		case o.Answered() && r.Standing(o) == lineage.InSync && r.mayReplace(o, x):
			return true
		case !o.Answered() && r.KeptRole(o) != "":
			missing = true
		}
	}
	return missing && !r.KeptData(x)
}

// waitsForRival reports whether x, which others made master and which was not in sync, must wait: a member that was, or that has more on
// record while x takes no writes, answers late, or answers and it is not known yet which volume that has.
func (p *pass) waitsForRival(x *member) bool {
	if p.recorded.Standing(x) == lineage.InSync {
		return false
	}
	for _, o := range p.members {
		mayBeBetter := p.recorded.Role(o) != "" || !x.takesWrites() && p.recorded.Sequence(o.name) > x.node.Sequence
		if o != x && mayBeBetter && (p.mayReturn(o) || o.answersLate(p.now)) {
			if !x.takesWrites() {
				p.fence(x, o.name+" may have more data") // so that it takes none as soon as it is told that it is master
			}
			p.wait(condition.ReasonWaitingForMembers, x.name+" was made master by others; "+o.name+
				" may have more data, and has not told yet", period.Soon)
			return true
		}
	}
	return false
}

// takesWrites reports whether m answers as a master that clients reach.
func (m *member) takesWrites() bool { return m.isMaster() && m.was.Attached }

// mayReplace reports whether x may be undone for o: x may have taken writes already, which counts where it has all that
// was reported of its volume.
func (r *recorded) mayReplace(o, x *member) bool {
	return !r.KeptData(x) || o.node.Sequence > x.node.Sequence
}
