package plan

import (
	"time"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/period"
)

// electionGrace is how long after +odown the sentinels are given to elect a member before a master that is back is put
// into its place again. Their first attempt begins within a second and gives up after 10 s.
const electionGrace = 15 * time.Second

// electedBySentinel returns the member that the sentinels made master in place of the recorded one. It must answer as
// master, and either some sentinel names it and it is attached, because only a sentinel promotes an attached replica; or the
// quorum names it, unless it is the one that the recorded master has just replaced: those sentinels have not heard of that yet.
func (p *pass) electedBySentinel() *member {
	var elected *member
	most := 0
	for i := range p.members {
		m := &p.members[i]
		if m.name == p.master || !m.isMaster() {
			continue
		}
		n := p.sentinels.AgreeingOn(m.address)
		if n > most && (m.was.Attached || n >= p.sentinels.Quorum && !p.justReplaced(m)) {
			elected, most = m, n
		}
	}
	return elected
}

// justReplaced reports whether the last entry of the journal is that the recorded master has taken the place of m.
func (p *pass) justReplaced(m *member) bool {
	r := p.lastFailover()
	return r != nil && r.From == m.name && r.To == p.master && r.From != r.To
}

// lastFailover returns the newest entry of the journal about the shard; nil when there is none.
func (p *pass) lastFailover() *v1alpha1.FailoverRecord {
	for i := len(p.failovers) - 1; i >= 0; i-- {
		if r := &p.failovers[i]; r.Shard == p.shard.Index {
			return r
		}
	}
	return nil
}

// beingElected reports whether m is the replica that the sentinels have promoted and not yet announced as the master, be it on
// demand (SENTINEL FAILOVER) while the old master is well. Only a sentinel promotes an attached replica, so it is theirs until
// they are done.
func (p *pass) beingElected(m *member) bool {
	return p.sentinels.Electing && m.isMaster() && m.was.Attached && m.pod.Role == v1alpha1.RoleReplica
}

// uncontested reports whether only the sidecar can make a member master now. Sentinel reaches attached members only.
func (p *pass) uncontested() bool {
	switch {
	case !p.sentinels.MayElect() || !p.othersAttached():
		return true
	case p.sentinels.Replacing, p.sentinels.Deposed:
		return false
	}
	return !p.sentinels.ODown || p.outageAge() > electionGrace
}

// othersAttached reports whether a member other than the recorded master is attached.
func (p *pass) othersAttached() bool {
	for i := range p.members {
		if m := &p.members[i]; m.name != p.master && m.was.Attached {
			return true
		}
	}
	return false
}

// outageAge returns how long ago the recorded outage was detected; 0 without one.
func (p *pass) outageAge() time.Duration {
	if p.outage == nil {
		return 0
	}
	return p.now.Sub(p.outage.DetectedAt.Time)
}

// chosenAnswers reports whether the successor that the sidecar chose in an earlier pass answers as master.
func (p *pass) chosenAnswers() bool {
	if p.outage == nil {
		return false
	}
	chosen := p.member(p.outage.Target)
	return chosen != nil && chosen.isMaster()
}

// masterServing handles a recorded master that answers as master.
func (p *pass) masterServing(m *member) {
	serving := m.was.Attached && p.outage == nil
	replaced := p.sentinels.Deposed || p.sentinels.ODown && p.sentinels.Replacing
	switch {
	case p.uncontested():
		p.prove(m)
		p.endOutage(m)
	case serving && (p.sentinels.AuthUnknown || !replaced):
		// The sentinels cannot reach it and we can. Until they begin to replace it, it serves.
		p.prove(m)
		p.again(period.Soon)
	default:
		p.beginOutage(m, v1alpha1.CauseDown)
		p.leaveToSentinel(false)
	}
}

// masterRestarted handles a recorded master that answers, but not as master: it has restarted, or was made a replica.
func (p *pass) masterRestarted(m *member) {
	switch {
	case p.uncontested() && p.holdsAll(m) && p.losesTooMuch(m):
	case p.uncontested() && p.holdsAll(m):
		p.fenceMastersBut(m)
		p.do(Promote{Pod: m.name})
		p.wait(ReasonPromoting, m.name+" is back with all its data and is being promoted again", period.Step)
	case p.sentinels.MayElect() && p.othersAttached():
		if p.sentinels.ODown || p.sentinels.Replacing || p.sentinels.Deposed {
			p.beginOutage(m, v1alpha1.CauseDown)
		}
		p.decide(m)
	default:
		p.beginOutage(m, p.members.restartCause(m))
		p.decide(m)
	}
}

// masterSilent handles a recorded master that does not answer, or has no pod.
func (p *pass) masterSilent(m *member) {
	// A failover may be in progress without +odown of this master, when the sentinels take another address for its own.
	alone := !p.sentinels.MayElect() && (!m.exists || m.downFor(p.now) >= p.downAfter())
	called := p.outage != nil || p.sentinels.ODown || p.sentinels.Replacing
	if !called && !alone && !p.processEnded(m) && !p.overdue(m) {
		p.wait(ReasonMasterDown, m.name+" does not answer ("+m.state()+")", period.Soon)
		return
	}
	p.beginOutage(m, v1alpha1.CauseDown)
	p.decide(m)
}

// masterNotReady handles a recorded master that is alive, but loads its database or refuses the password. That is no outage
// unless the sentinels say so.
func (p *pass) masterNotReady(m *member) {
	if p.sentinels.ODown || p.outage != nil {
		p.beginOutage(m, v1alpha1.CauseDown)
		p.decide(m)
		return
	}
	p.wait(ReasonMasterDown, m.name+" cannot serve yet ("+m.state()+")", period.Soon)
}

// holdsAll reports whether no answering member has a better claim than m and, unless every member answers, m has all that was
// reported of its volume, which was in sync.
func (p *pass) holdsAll(m *member) bool {
	if m.pod.Deleting || p.awaited() != "" && !p.inSyncReplica(m) {
		return false
	}
	for i := range p.members {
		if o := &p.members[i]; o.answered() && p.outranks(o, m) {
			return false
		}
	}
	return true
}

// beginOutage fences the recorded master and puts on record, once, that it is to be replaced.
func (p *pass) beginOutage(m *member, cause v1alpha1.FailoverCause) {
	if p.outage == nil {
		p.outage = p.newOutage(m, cause)
		p.intent = true
		p.warn("MasterDown", m.name+" is to be replaced as master: "+m.state())
	}
	p.fence(m, "the master is to be replaced")
}

func (p *pass) newOutage(m *member, cause v1alpha1.FailoverCause) *v1alpha1.Outage {
	since, detected := m.node.LastMaster, p.sentinels.ODownAt
	if detected.IsZero() || detected.After(p.now) {
		detected = p.now
	}
	if since.IsZero() || since.After(detected) {
		since = detected
	}
	return &v1alpha1.Outage{
		Master: m.name, Cause: cause, Since: microTime(since), DetectedAt: microTime(detected),
		Sequence: p.expectedOf(m), MasterSequence: max(m.node.Sequence, p.lastSequence(m.name)),
	}
}

// noteProgress raises what a successor can be expected to have. A master that is called down, or whose pod was deleted by
// force, may serve those connected for a moment longer, and what its replicas get from it meanwhile is not lost.
func (p *pass) noteProgress(m *member) {
	if p.outage == nil || p.handingOver() {
		return
	}
	for i := range p.members {
		if r := &p.members[i]; r.was.Attached && r.follows(m) {
			p.outage.Sequence = max(p.outage.Sequence, r.node.Sequence)
		}
	}
}

// expectedOf returns the sequence that a successor of m can be expected to have: the highest of the attached replicas. When
// none is attached, because the whole shard starts, it is the last one reported of m.
func (p *pass) expectedOf(m *member) int64 {
	highest, attached := int64(0), false
	for i := range p.members {
		if r := &p.members[i]; r != m && r.was.Attached && r.answered() {
			highest, attached = max(highest, r.node.Sequence), true
		}
	}
	if attached {
		return highest
	}
	return p.lastSequence(m.name)
}

// endOutage clears the record, because the recorded master stays.
func (p *pass) endOutage(m *member) {
	if p.outage == nil {
		return
	}
	p.abandonTarget()
	p.outage = nil
	p.event("MasterReturned", m.name+" is back and stays master")
}

// abandonTarget gives the chosen successor up. Unless it is seen as a replica it may have become master unseen, so it is
// fenced.
func (p *pass) abandonTarget() {
	t := p.member(p.outage.Target)
	p.outage.Target = ""
	switch {
	case t == nil:
	case !t.answered() || t.isMaster():
		p.fence(t, "it was chosen as master and did not take over")
	case t.pod.Role == v1alpha1.RoleMaster:
		p.setRole(t, v1alpha1.RoleReplica) // see labelledAhead
	}
}

// succeed makes x, which answers as master, the recorded master. The clients come first: it is labelled before it is on
// record, which the next pass would find out again, and the replicas are placed in the next pass.
func (p *pass) succeed(x *member) {
	old := p.member(p.master)
	if p.master == "" {
		p.event("MasterChosen", x.name+" is the master")
	} else if p.master != x.name {
		if old != nil && !p.readOnlyPredecessor(old) {
			p.fence(old, x.name+" is the master now")
		}
		p.recordFailover(x)
	}
	p.master = x.name
	p.prove(x)
	if old != nil && old != x {
		p.fence(old, x.name+" is the master now")
	}
	p.outage = nil
	p.again(period.Step)
}

// prove takes x for the master: it alone is labelled and attached as such.
func (p *pass) prove(x *member) {
	p.proven = x
	p.fenceMastersBut(x)
	if x.node.Sequence == 0 {
		p.do(WriteMarker{Pod: x.name})
	}
	p.setRole(x, v1alpha1.RoleMaster)
	p.attach(x)
}
