package plan

import (
	"fmt"
	"time"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/action"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/condition"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/layout"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/period"
)

const (
	// handoverLag is how many writes the target may be behind for a handover to begin: at some 10,000 writes a second
	// it catches up within the time that the writes may be stopped.
	handoverLag = 5000
	// handoverTimeout bounds how long writes stay stopped before the old master takes them again.
	handoverTimeout = 1500 * time.Millisecond
	// handoverSetup bounds how long the sentinels may take to forget the master.
	handoverSetup = 10 * time.Second
	// endpointsDelay is how long a pod must have been Ready before clients are led to it as their master: kube-proxy brings
	// what changes into effect once a second (its minSyncPeriod), and until then refuses connections to its address, for which
	// clients wait much longer. The condition tells its time in whole seconds.
	endpointsDelay = 3 * time.Second
	// controllerRedial is how much longer it takes until kvrocks-controller reaches the pod: after some refused connections its client
	// (go-redis v8) answers with the last refusal, and dials once a second.
	controllerRedial = time.Second
)

// handingOver reports whether a planned move is under way.
func (p *facts) handingOver() bool { return isHandover(p.outage) }

// isHandover reports whether an outage, nil when there is none, is a planned move.
func isHandover(o *v1alpha1.Outage) bool { return o != nil && o.Cause == v1alpha1.CauseHandover }

// mustHandOver reports whether a planned move is to begin: the pod of the proved master m is about to be removed, is being deleted, or is
// the last that is to be replaced, or it takes no writes for want of space, or another pod is to be master by the spec.
func (p *pass) mustHandOver(m *member) bool {
	return m != nil && p.outage == nil && m.was.Attached && m.was.Role == v1alpha1.RoleMaster && (p.podMustGo(m) || p.lacksRoom(m) || p.recorded.switchPending(p.shard.Primary) && !p.in.paused())
}

func (p *facts) podMustGo(m *member) bool {
	return m.pod.Deleting || !p.in.paused() && (m.handoff || p.masterIsNext(m))
}

// startHandover records the intent to move the master off a pod that must not be master.
//
// From then on each pass takes the step that what it sees asks for: the sentinels forget the master; it is made
// read-only; when the target has all its data it is promoted; it is seen as master and recorded. Until the target is
// promoted the way back is to promote the old master again.
func (p standardShard) startHandover() {
	m := p.proven
	if !p.mustHandOver(m) {
		return
	}
	p.Again(period.Wait)
	if p.sentinels.ODown || p.sentinels.Electing || p.sentinels.Silent() >= max(1, p.sentinels.Quorum) || p.failovers.AbortedLately(p.shard.Index, p.now) {
		return
	}
	if target := p.plannedTarget(m); target != nil {
		p.recordHandover(m, target)
		p.sentinels.Unmonitor("")
		p.Again(period.Writes)
	}
}

// recordHandover puts on record that m hands over to the target, before anything is done about it.
func (p *pass) recordHandover(m, target *member) {
	p.outage = &v1alpha1.Outage{
		Master: m.name, Cause: v1alpha1.CauseHandover, Target: target.name,
		Since: microTime(p.now), DetectedAt: microTime(p.now), Sequence: target.node.Sequence,
	}
	p.intent = true
	p.Event("HandoverStarted", m.name+" hands over to "+target.name)
}

// plannedTarget returns the member that m, which must hand over, hands over to now; nil while none is fit. The pod that is named in the
// spec comes first, and is the only one when nothing but that is asked for.
func (p *pass) plannedTarget(m *member) *member {
	if t := p.members.named(p.shard.Primary); p.recorded.switchPending(p.shard.Primary) && t != nil && !t.outdated && p.mayBeTarget(t, m) {
		return t
	}
	if !p.podMustGo(m) && !p.lacksRoom(m) {
		return nil
	}
	return p.handoverTarget(m)
}

// handoverTarget returns the healthy replica that is to succeed m: one that is not to be replaced itself, or the master would soon
// have to move again; then the lowest, which scaling down leaves alone for the longest. Only a master whose pod ends anyway
// hands over to one that is to be replaced.
func (p *pass) handoverTarget(m *member) *member {
	var best *member
	for _, t := range p.members {
		if p.mayBeTarget(t, m) && (best == nil || best.outdated && !t.outdated || best.outdated == t.outdated && t.ordinal < best.ordinal) {
			best = t
		}
	}
	return best
}

// mayBeTarget reports whether m can hand over to t: its pod stays, clients reach it, and it has room and nearly all the data of m.
func (p *pass) mayBeTarget(t, m *member) bool {
	return t != m && !t.handoff && !t.pod.Deleting && t.reachable(p.in.Topology.Spec.Type, p.now) && p.inSync(t) && p.hasRoomOf(t, m) &&
		m.node.Sequence-t.node.Sequence <= handoverLag && (!t.outdated || m.pod.Deleting)
}

// mayTakeOver reports whether m, which may be nil, replicates from the given member and may be master in its place.
func (m *member) mayTakeOver(from *member) bool { return m != nil && !m.handoff && m.linked(from) }

// reachable reports whether clients, and kvrocks-controller in a cluster, can be taken to reach the pod through its Service. A
// time that is yet to come, by another clock, proves nothing and is not waited for.
func (m *member) reachable(mode v1alpha1.InstanceType, now time.Time) bool {
	delay := endpointsDelay
	if mode == v1alpha1.TypeCluster {
		delay += controllerRedial
	}
	age := now.Sub(m.was.ReadySince)
	return m.was.Attached && !m.was.Unready && (age < 0 || age >= delay)
}

// handOver takes the next step of a planned move away from m.
func (p standardShard) handOver(m *member) {
	t := p.members.named(p.outage.Target)
	p.Again(period.Writes)
	switch {
	case t != nil && t.isMaster() && t.node.Sequence >= m.node.Sequence && (m.Answered() || m.answersLate(p.now)):
		p.succeed(t)
	case m.answersLate(p.now), t.answersLate(p.now) && p.outageAge() < handoverTimeout:
		p.wait(condition.ReasonHandingOver, m.name+" is handing over to "+p.outage.Target, period.Writes)
	case m.silent():
		// It died on the way. The sentinels have forgotten it, so the sidecar decides, as for any dead master.
		if t == nil || !t.isMaster() { // else it is seen as master already
			p.abandonTarget()
		}
		p.outage.Cause, p.outage.DetectedAt, p.intent = v1alpha1.CauseDown, microTime(p.now), true
		p.masterSilent(m)
	case !m.Answered():
		p.wait(condition.ReasonHandingOver, m.name+" cannot serve yet ("+m.state()+")", period.Soon)
	case m.isMaster():
		p.stopWrites(m, t)
	default:
		p.promoteTarget(m, t)
	}
}

// stopWrites makes the master read-only, once no sentinel can take that for an outage.
func (p standardShard) stopWrites(m, t *member) {
	fit := t.mayTakeOver(m) && m.node.Sequence-t.node.Sequence <= handoverLag
	forgotten := p.sentinels.Monitoring == 0 && p.sentinels.Silent() < max(1, p.sentinels.Quorum)
	switch {
	case !fit || !forgotten && p.now.Sub(p.outage.Since.Time) > handoverSetup:
		p.resume(m)
	case !forgotten:
		p.sentinels.Unmonitor("")
		p.prove(m)
	case m.exists && t.was.Role != v1alpha1.RoleMaster:
		// It takes a moment until clients of -master are led to it, so that begins now. It refuses the writes of those that are led
		// to it too soon, as the old master will when it is stopped. A master without its pod ends too soon for that.
		p.prove(m)
		p.setRole(t, v1alpha1.RoleMaster)
	default:
		// It keeps its label and its gate: until its successor has them it is what there is, and says READONLY.
		p.outage.DetectedAt, p.intent = microTime(p.now), true
		p.Do(action.Follow{Pod: m.name, Host: layout.DeadHost, Port: layout.DeadPort})
		p.wait(condition.ReasonHandingOver, m.name+" is handing over to "+t.name, period.Writes)
	}
}

// promoteTarget handles a move whose old master is read-only. The target is promoted when it has all that the old master has; when that
// takes too long the old master is promoted again.
func (p standardShard) promoteTarget(m, t *member) {
	fit := t != nil && t.Answered() && !t.isMaster() && !t.pod.Deleting
	switch {
	case fit && t.node.Sequence >= m.node.Sequence:
		p.fenceMastersBut(t) // such as a target that was given up before this one
		p.Do(action.Promote{Pod: t.name})
		p.outage.PromotedAt = new(microTime(p.now))
		p.setRole(t, v1alpha1.RoleMaster)
		p.Do(action.DropClients{Pod: m.name, For: endpointsDelay})
		p.sentinels.MonitorSuccessor(t.address)
		p.fence(m, "it has handed over to "+t.name)
		p.wait(condition.ReasonHandingOver, t.name+" is being promoted in place of "+m.name, period.Writes)
	case fit && p.outageAge() < handoverTimeout:
		p.wait(condition.ReasonHandingOver, t.name+" is catching up with "+m.name, period.Writes)
	default:
		if p.outage.Target != "" {
			p.abandonTarget()
			p.intent = true
		}
		p.masterRestarted(m)
		p.Again(period.Writes)
	}
}

// readOnlyPredecessor reports whether m is handing over, and says itself that it takes no writes, so that it may stay in the
// Services until its successor is in them.
func (m *member) readOnlyPredecessor(o *v1alpha1.Outage) bool {
	return isHandover(o) && m.name == o.Master && m.Answered() && !m.isMaster() && !m.followsItself()
}

// labelledAhead reports whether m, still a replica, is the target of a planned move, which is labelled before the writes stop.
func (m *member) labelledAhead(o *v1alpha1.Outage) bool {
	return isHandover(o) && m.name == o.Target && m.Answered() && !m.isMaster()
}

// resume ends a handover with the old master in its place.
func (p *pass) resume(m *member) {
	stopped := p.outage.Target == ""
	p.abandonTarget()
	if stopped {
		ms := p.outageAge().Milliseconds()
		p.failovers.Append(v1alpha1.FailoverRecord{
			At: microTime(p.now), Shard: p.shard.Index, Cause: v1alpha1.CauseHandover,
			From: m.name, To: m.name, PromoteMs: ms, Sequence: m.node.Sequence, LostSequence: new(int64),
		})
		p.Warn("HandoverAborted", fmt.Sprintf("%s stays master, because no replica took over; writes were stopped for %d ms", m.name, ms))
	}
	p.prove(m)
	p.outage, p.intent = nil, true
}
