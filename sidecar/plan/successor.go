package plan

import (
	"time"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/period"
)

// decide replaces the recorded master m, which is fenced. While the sentinels may elect a successor the choice is theirs;
// the sidecar takes it over only by making them forget the master first.
func (p *pass) decide(m *member) {
	if p.outage == nil {
		p.wait(ReasonMasterDown, m.name+" cannot serve; the sentinels have not called it down yet", period.Soon)
		return
	}
	ended := p.processEnded(m)
	if p.sentinels.MayElect() {
		p.leaveToSentinel(ended || p.overdue(m))
		return
	}
	if !ended && !m.answered() && p.outageAge() < p.downAfter() && m.downFor(p.now) < p.downAfter() {
		p.wait(ReasonMasterDown, m.name+" does not answer ("+m.state()+")", period.Soon)
		return
	}
	next, awaited := p.successor(m)
	if next == nil {
		p.wait(ReasonWaitingForMembers, "no successor for "+m.name+" yet: waiting for "+awaited, period.Soon)
		return
	}
	if p.losesTooMuch(next) {
		return
	}
	if p.handingOver() && next != m {
		// The master ends before a successor has all its writes: what follows is no planned move, and may lose some.
		p.outage.Cause, p.outage.MasterSequence, p.intent = v1alpha1.CauseDown, m.node.Sequence, true
	}
	if p.outage.Target != next.name {
		p.abandonTarget()
		p.outage.Target, p.intent = next.name, true
	}
	p.fenceMastersBut(next)
	p.do(Promote{Pod: next.name})
	p.wait(ReasonPromoting, next.name+" is being promoted in place of "+m.name, period.Step)
}

// leaveToSentinel waits for an election, and takes the decision over when none can succeed (no member is attached that a sentinel
// could reach and elect, or they have had their time), or need not be waited for: proved says that the sidecar itself has proof
// that the master does not serve. An election that is under way is waited for even so.
func (p *pass) leaveToSentinel(proved bool) {
	underWay := p.othersAttached() && p.sentinels.Progressing
	expected := p.someElectable() && (!proved || p.sentinels.ODown && p.sentinels.Voting >= p.sentinels.Quorum)
	switch {
	case !p.electionOverdue() && (underWay || expected):
		p.fenceForgotten()
		p.wait(ReasonSentinelElecting, "the sentinels are to elect a new master", period.Soon)
	case p.sentinels.Silent() >= p.sentinels.Quorum:
		p.wait(ReasonSentinelElecting, "the sentinels do not answer, so they may or may not elect a new master", period.Wait)
	default:
		p.unmonitor()
		p.warn("SentinelOverruled", p.whyOverruled(proved))
		p.wait(ReasonWaitingForMembers, "the sentinels are not to elect a master any more; the sidecar chooses one", period.Step)
	}
}

// electionOverdue reports whether the sentinels have had the time for an election since the outage began.
func (p *pass) electionOverdue() bool {
	attempt := time.Duration(p.failover.FailoverTimeoutMilliseconds) * time.Millisecond
	return p.outageAge() > p.sentinels.ElectionTimeout(p.downAfter(), attempt, sentinelTimeout)
}

func (p *pass) whyOverruled(proved bool) string {
	if proved && !p.electionOverdue() {
		return "the master is known not to serve, and the sentinels have not called it down; the sidecar chooses a new one"
	}
	return "the sentinels cannot elect a master; the sidecar chooses one"
}

// fenceForgotten fences members that a sentinel promoted and then went away without telling the others: no failover is
// in progress, no sentinel names them, and the next attempt may well choose another.
func (p *pass) fenceForgotten() {
	for i := range p.members {
		m := &p.members[i]
		if !p.sentinels.Electing && m.name != p.master && m.isMaster() && p.sentinels.AgreeingOn(m.address) == 0 {
			p.fence(m, "it is master and no sentinel knows of it")
		}
	}
}

// unmonitor makes every sentinel that answers forget the master.
func (p *pass) unmonitor() {
	for i := range p.sentinels.Opinions {
		if v := &p.sentinels.Opinions[i]; v.Monitors {
			p.do(Unmonitor{Sentinel: v.Pod, MasterName: p.shard.MasterName})
		}
	}
}

// successor returns the member that is to succeed m, or what is waited for. When every member answers it is the one with the
// best claim. Otherwise it must be in sync, and a majority of the members must answer: a sidecar that is cut off itself
// does nothing. When only the master of two is missing there can be no majority; that it is really gone must then be
// known from Kubernetes.
func (p *pass) successor(m *member) (next *member, awaited string) {
	awaited = p.awaited()
	if awaited == "" {
		return p.promotionCandidate(anyMember), ""
	}
	if p.members.majority(m) && !p.mayReturn(m) {
		next = p.promotionCandidate(func(o *member) bool { return o != m && p.inSyncReplica(o) })
	}
	return next, awaited
}

// majority reports whether more than half of the members answer, or all but a master m whose process is known not to run. m is
// nil when the master is no member.
func (all members) majority(m *member) bool {
	answering := 0
	for i := range all {
		if all[i].answered() {
			answering++
		}
	}
	return answering > len(all)/2 || len(all) == 2 && answering == 1 && (m == nil || m.gone())
}

// inSyncReplica reports whether o may succeed the master while others are missing; see in_sync.go.
func (p *pass) inSyncReplica(o *member) bool { return !o.volumeUnread() && p.keptRole(o) != "" }

func anyMember(*member) bool { return true }
