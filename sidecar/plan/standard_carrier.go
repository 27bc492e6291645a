package plan

import (
	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/action"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/condition"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/period"
)

// In a standard instance the sentinels promote a member by themselves, and the sidecar does when they cannot: with SLAVEOF NO ONE, in one step.

// settleMaster finds out which member is the master, and does what is needed for there to be one. It leaves it in p.proven when
// it answers as master and nothing else may claim the place.
func (p standardShard) settleMaster() {
	m := p.members.named(p.recorded.Master)
	if m != nil {
		p.noteProgress(m)
	}
	elected := p.electedBySentinel()
	switch {
	case elected != nil:
		p.settlePromoted(elected)
	case m == nil:
		p.bootstrap()
	case p.handingOver():
		p.handOver(m)
	case p.chosenAnswers():
		p.succeed(p.members.named(p.outage.Target))
	default:
		p.settleRecorded(m)
	}
}

// electedBySentinel returns the member that the sentinels made master in place of the recorded one. It must answer as
// master, and either some sentinel names it and it is attached, because only a sentinel promotes an attached replica; or the
// quorum names it, unless it is the one that the recorded master has just replaced: those sentinels have not heard of that yet.
func (p standardShard) electedBySentinel() *member {
	var elected *member
	most := 0
	for _, m := range p.members {
		if m.name == p.recorded.Master || !m.isMaster() {
			continue
		}
		n := p.sentinels.AgreeingOn(m.address)
		if n > most && (m.was.Attached || n >= p.sentinels.Quorum && !p.failovers.ReplacedBy(m.name, p.recorded.Master, p.shard.Index)) {
			elected, most = m, n
		}
	}
	return elected
}

// chosenAnswers reports whether the successor that the sidecar chose in an earlier pass answers as master.
func (p standardShard) chosenAnswers() bool {
	if p.outage == nil {
		return false
	}
	chosen := p.members.named(p.outage.Target)
	return chosen != nil && chosen.isMaster()
}

// eligible: any member may be promoted.
func (p standardShard) eligible(*member) bool { return true }

// canCallDown: the sentinels that may elect can call the master down.
func (p standardShard) canCallDown(*member) bool { return p.sentinels.MayElect() }

func (p standardShard) serves(m *member) bool { return m.isMaster() }

// disputed: only the sentinels promote besides the sidecar, and what they did is seen.
func (p standardShard) disputed(*member) bool { return false }

func (p standardShard) accept(x *member) { p.succeed(x) }

func (p standardShard) restore(m *member) {
	p.fenceMastersBut(m)
	p.Do(action.Promote{Pod: m.name})
	p.wait(condition.ReasonPromoting, m.name+" is back with all its data and is being promoted again", period.Step)
}

// mayChoose leaves the choice to the sentinels while they may elect a successor; the sidecar takes it over only by making them
// forget the master first. Where none watch, a master that may still be up is given the time that they would give it.
func (p standardShard) mayChoose(m *member) bool {
	ended := p.members.processEnded(m, p.now)
	if p.sentinels.MayElect() {
		p.leaveToSentinel(ended || p.overdue(m))
		return false
	}
	if !ended && !m.Answered() && p.outageAge() < p.sentinels.DownAfter() && m.downFor(p.now) < p.sentinels.DownAfter() {
		p.wait(condition.ReasonMasterDown, m.name+" does not answer ("+m.state()+")", period.Soon)
		return false
	}
	return true
}

func (p standardShard) promote(next, m *member) {
	if p.handingOver() && next != m {
		// The master ends before a successor has all its writes: what follows is no planned move, and may lose some.
		p.outage.Cause, p.outage.MasterSequence, p.intent = v1alpha1.CauseDown, m.node.Sequence, true
	}
	if p.outage.Target != next.name {
		p.abandonTarget()
		p.outage.Target, p.intent = next.name, true
	}
	p.fenceMastersBut(next)
	p.Do(action.Promote{Pod: next.name})
	p.wait(condition.ReasonPromoting, next.name+" is being promoted in place of "+m.name, period.Step)
}

// overrule ends what the sentinels elected: x is fenced, and they forget the master, so that the sidecar chooses.
func (p standardShard) overrule(x *member) {
	p.fence(x, "its volume is not the one that was in sync")
	p.sentinels.Unmonitor("")
	p.Warn("ElectionOverruled", x.name+" was elected by the sentinels and lacks data that others have; the sidecar chooses a master")
	if m := p.members.named(p.recorded.Master); m != nil && !m.isMaster() {
		p.beginOutage(m, v1alpha1.CauseDown)
	}
	p.wait(condition.ReasonWaitingForMembers, x.name+" was elected and lacks data that others have", period.Step)
}

// leaveToSentinel waits for an election, and takes the decision over when none can succeed (no member is attached that a sentinel
// could reach and elect, or they have had their time), or need not be waited for: proved says that the sidecar itself has proof
// that the master does not serve. An election that is under way is waited for even so.
func (p standardShard) leaveToSentinel(proved bool) {
	underWay := p.members.othersAttached(p.recorded.Master) && p.sentinels.Progressing
	expected := p.someElectable() && (!proved || p.sentinels.ODown && p.sentinels.Voting >= p.sentinels.Quorum)
	switch {
	case !p.sentinels.ElectionOverdue(p.outageAge(), sentinelTimeout) && (underWay || expected):
		p.fenceForgotten()
		p.wait(condition.ReasonSentinelElecting, "the sentinels are to elect a new master", period.Soon)
	case p.sentinels.Silent() >= p.sentinels.Quorum:
		p.wait(condition.ReasonSentinelElecting, "the sentinels do not answer, so they may or may not elect a new master", period.Wait)
	default:
		p.sentinels.Unmonitor("")
		p.Warn("SentinelOverruled", p.whyOverruled(proved))
		p.wait(condition.ReasonWaitingForMembers, "the sentinels are not to elect a master any more; the sidecar chooses one", period.Step)
	}
}

func (p standardShard) whyOverruled(proved bool) string {
	if proved && !p.sentinels.ElectionOverdue(p.outageAge(), sentinelTimeout) {
		return "the master is known not to serve, and the sentinels have not called it down; the sidecar chooses a new one"
	}
	return "the sentinels cannot elect a master; the sidecar chooses one"
}

// fenceForgotten fences members that a sentinel promoted and then went away without telling the others: no failover is
// in progress, no sentinel names them, and the next attempt may well choose another.
func (p standardShard) fenceForgotten() {
	for _, m := range p.members {
		if !p.sentinels.Electing && m.name != p.recorded.Master && m.isMaster() && p.sentinels.AgreeingOn(m.address) == 0 {
			p.fence(m, "it is master and no sentinel knows of it")
		}
	}
}
