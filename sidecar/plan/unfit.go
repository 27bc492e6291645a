package plan

import (
	"fmt"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/period"
)

// Sentinels elect by what they can reach, and kvrocks-controller by the sequence alone: neither knows which volume a node
// has. What they made master is checked against the lineage that was reported before it is attached.

// unfit reports whether x, which others made master, must not serve. It must not while a member in sync answers and x is
// none; and when its volume is new, foreign or an old copy, it must wait for those that were in sync.
func (p *pass) unfit(x *member) bool {
	if p.standing(x) == standingInSync {
		return false
	}
	missing := false
	for i := range p.members {
		o := &p.members[i]
		switch {
		case o == x:
		case o.answered() && p.standing(o) == standingInSync && p.mayReplace(o, x):
			return true
		case !o.answered() && p.keptRole(o) != "":
			missing = true
		}
	}
	return missing && !p.keptData(x)
}

// waitsForRival reports whether x, which others made master and which was not in sync, must wait: a member that was answers late, or
// answers and it is not known yet which volume that has.
func (p *pass) waitsForRival(x *member) bool {
	if p.standing(x) == standingInSync {
		return false
	}
	for i := range p.members {
		if o := &p.members[i]; o != x && (p.mayReturn(o) || o.answersLate(p.now)) && p.lastRole(o) != "" {
			p.wait(ReasonWaitingForMembers, x.name+" was made master by others; "+o.name+
				" may have more data, and has not told yet", period.Soon)
			return true
		}
	}
	return false
}

// mayReplace reports whether x may be undone for o: x may have taken writes already, which counts where it has all that
// was reported of its volume.
func (p *pass) mayReplace(o, x *member) bool {
	return !p.keptData(x) || o.node.Sequence > x.node.Sequence
}

// overrule ends what the sentinels elected: x is fenced, and they forget the master, so that the sidecar chooses.
func (p *pass) overrule(x, recorded *member) {
	p.fence(x, "its volume is not the one that was in sync")
	p.unmonitor()
	p.warn("ElectionOverruled", x.name+" was elected by the sentinels and lacks data that others have; the sidecar chooses a master")
	if recorded != nil && !recorded.isMaster() {
		p.beginOutage(recorded, v1alpha1.CauseDown)
	}
	p.wait(ReasonWaitingForMembers, x.name+" was elected and lacks data that others have", period.Step)
}

// replaceUnfit has kvrocks-controller replace m, which it made master on its own.
func (s *clusterShard) replaceUnfit(m *member) {
	s.warn("ElectionOverruled", m.name+" was made master by kvrocks-controller and lacks data that others have")
	s.beginOutage(m, v1alpha1.CauseDown)
	s.decide(m)
}

// noteShortfall journals what is known to be lost as soon as x succeeds: what the best member in sync had that x lacks. What
// the old master had besides is known only when that returns: until then the loss is pending.
func (p *pass) noteShortfall(r *v1alpha1.FailoverRecord, expected int64) {
	if lost := expected - r.Sequence; lost > 0 {
		r.LostSequence, r.LossPending = &lost, true
		p.warn("WritesLost", fmt.Sprintf("%d writes of %s never reached %s", lost, r.From, r.To))
	}
}
