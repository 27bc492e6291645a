package plan

import (
	"slices"
	"time"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/condition"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/lineage"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/period"
)

// What becomes of a master is decided alike in both kinds of instance, here, in successor.go and in failover.go. They differ in who else
// may promote a member and in how a promotion is carried out: that is what a carrier says and does.

// carrier carries out what is decided of the master of a shard, and knows what others may have made of it. What it does not do yet, because
// something else must be done first, it says ([pass.wait]). It decides nothing of what stands in machine.go.
type carrier interface {
	// eligible reports whether m can be made master at all.
	eligible(m *member) bool
	// canCallDown reports whether the sentinels can say of m that it is down.
	canCallDown(m *member) bool
	// serves reports whether m answers as the master that it is on record.
	serves(m *member) bool
	// disputed reports whether a member may have been made master in place of m, which is back. Then it is waited for what tells.
	disputed(m *member) bool
	// restore makes m, which has restarted, master again.
	restore(m *member)
	// mayChoose reports whether the successor of m, nil when the master is no member, is the sidecar's to choose. Else it is waited for
	// those whose choice it is, or for the means to carry it out.
	mayChoose(m *member) bool
	// promote takes the next step for next to be master in place of m, and puts on record first that it is to be.
	promote(next, m *member)
	// accept takes the next step for x, which others made master, to be that on record.
	accept(x *member)
	// overrule has another one made master in place of x, which others made master and which must not serve.
	overrule(x *member)
}

// electionGrace is how long after +odown the sentinels are given to elect a member before a master that is back is put
// into its place again. Their first attempt begins within a second and gives up after 10 s.
const electionGrace = 15 * time.Second

// settlePromoted handles x, which others made master in place of the recorded one: the sentinels, or kvrocks-controller.
func (p *pass) settlePromoted(x *member) {
	switch {
	case p.waitsForRival(x):
	case lineage.Unfit(&p.recorded.Record, x, p.members):
		p.carrier.overrule(x)
	default:
		p.carrier.accept(x)
	}
}

// settleRecorded takes the step that the state of the master on record asks for.
func (p *pass) settleRecorded(m *member) {
	switch {
	case p.carrier.serves(m):
		p.masterServing(m)
	case m.Answered():
		p.masterRestarted(m)
	case m.silent():
		p.masterSilent(m)
	case p.sentinels.ODown || p.outageOf(m):
		p.beginOutage(m, v1alpha1.CauseDown)
		p.decide(m)
	default: // it is alive, but loads its database or refuses the password; that is no outage unless the sentinels say so
		p.wait(condition.ReasonMasterDown, m.name+" cannot serve yet ("+m.state()+")", period.Soon)
	}
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
		p.Again(period.Soon)
	default:
		p.beginOutage(m, v1alpha1.CauseDown)
		p.decide(m)
	}
}

// masterRestarted handles a master on record that answers, but not as master: it has restarted, or was made a replica.
func (p *pass) masterRestarted(m *member) {
	elections := p.sentinels.MayElect() && p.members.othersAttached(p.recorded.Master)
	switch {
	case p.uncontested() && p.holdsAll(m):
		if !p.carrier.disputed(m) && !p.losesTooMuch(m) {
			p.carrier.restore(m)
		}
	case !elections:
		p.beginOutage(m, p.members.restartCause(m))
		p.decide(m)
	default:
		if p.sentinels.ODown || p.sentinels.Replacing || p.sentinels.Deposed {
			p.beginOutage(m, v1alpha1.CauseDown)
		}
		p.decide(m)
	}
}

// masterSilent handles a master on record that does not answer, or has no pod. The sentinels say when that is an outage. Where they do not
// watch it the sidecar goes by what it sees itself; and where a process is known to have ended, or the sentinels have not called it down
// for long. A failover may be in progress without +odown of this master, when the sentinels take another address for its own.
func (p *pass) masterSilent(m *member) {
	seen := !p.carrier.canCallDown(m) && (!m.exists || m.downFor(p.now) >= p.sentinels.DownAfter())
	called := p.outageOf(m) || p.sentinels.ODown || p.sentinels.Replacing
	if !called && !seen && !p.members.processEnded(m, p.now) && !p.overdue(m) {
		p.wait(condition.ReasonMasterDown, m.name+" does not answer ("+m.state()+")", period.Soon)
		return
	}
	p.beginOutage(m, v1alpha1.CauseDown)
	p.decide(m)
}

// outageOf reports whether it is on record that m is to be replaced. In a cluster the master on record may be another than that of the
// outage.
func (p *facts) outageOf(m *member) bool { return p.outage != nil && p.outage.Master == m.name }

// outageAge returns how long ago the recorded outage was detected; 0 without one.
func (p *facts) outageAge() time.Duration {
	if p.outage == nil {
		return 0
	}
	return p.now.Sub(p.outage.DetectedAt.Time)
}

// uncontested reports whether no sentinel can make a member master now. They reach attached members only.
func (p *facts) uncontested() bool {
	switch {
	case !p.sentinels.MayElect() || !p.members.othersAttached(p.recorded.Master):
		return true
	case p.sentinels.Replacing, p.sentinels.Deposed:
		return false
	}
	return !p.sentinels.ODown || p.outageAge() > electionGrace
}

// othersAttached reports whether a member other than the recorded master, that of this name, is attached.
func (all members) othersAttached(master string) bool {
	return slices.ContainsFunc(all, func(m *member) bool { return m.name != master && m.was.Attached })
}

// holdsAll reports whether no answering member has a better claim than m and, unless every member answers, m has all that was
// reported of its volume, which was in sync.
func (p *facts) holdsAll(m *member) bool {
	if m.pod.Deleting || p.members.awaited(p.shard.Replicas) != "" && !p.recorded.MaySucceed(m) {
		return false
	}
	return !slices.ContainsFunc(p.members, func(o *member) bool { return o.Answered() && p.recorded.Outranks(o, m) })
}
