package plan

import (
	"time"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/period"
)

// fenceDelay is how long after its gate was withdrawn a pod can still be reached through its Service, with much to spare.
const fenceDelay = 2 * time.Second

// settleMaster sees to it that the shard has the master that the record names, or that the record names one that can
// serve. It leaves it in s.proven when it answers as master.
func (s *clusterShard) settleMaster() {
	m := s.layoutMaster
	if m != nil && m.name == s.master {
		s.noteProgress(m)
	}
	switch {
	case s.entry == nil:
		s.outside()
	case s.handingOver():
		s.handOver()
	case m == nil:
		s.layoutMasterUnknown()
	case s.passedBy():
		s.followRecord()
	default:
		s.settleLayoutMaster(m)
	}
}

// settleLayoutMaster takes the step that the state of the master on record asks for, whatever became of the former one.
func (s *clusterShard) settleLayoutMaster(m *member) {
	if m.name != s.master {
		s.fenceMastersBut(m) // the former master may be hung, and serve again when it wakes
	}
	switch {
	case m.isMaster() && m.version() >= 0:
		s.layoutMasterServing(m)
	case m.answered():
		s.layoutMasterRestarted(m)
	case m.silent():
		s.layoutMasterSilent(m)
	default:
		s.layoutMasterNotReady(m)
	}
}

// outside handles a shard that is not in the record: it has no master to be replaced.
func (s *clusterShard) outside() {
	s.master, s.outage = "", nil
	s.waiting = verdict{ReasonJoining, "the shard is not in the cluster"}
}

// layoutMasterServing handles a master on record that answers as master.
func (s *clusterShard) layoutMasterServing(m *member) {
	switch {
	case s.failoverOutcomeUnknown():
		s.waitForController(m)
	case m.name != s.master && s.waitsForRival(m):
	case m.name != s.master && s.unfit(m):
		s.replaceUnfit(m)
	case m.name == s.master:
		if !s.hasLayout(m) && !m.was.Attached {
			s.setNodes(m) // before clients reach it; the others get it in their turn
		}
		s.prove(m)
		s.endOutage(m)
	case s.hasLayout(m):
		s.succeed(m)
	default:
		s.install(m)
	}
}

// layoutMasterRestarted handles a master on record that answers and is none: it has restarted, or the record has only just made
// it master.
func (s *clusterShard) layoutMasterRestarted(m *member) {
	elected := m.hasPlace() && m.name != s.master && !m.pod.Deleting && !s.unfit(m)
	switch {
	case s.failoverOutcomeUnknown():
		s.waitForController(m)
	case elected && s.waitsForRival(m):
	case elected:
		s.install(m)
	case s.holdsAll(m) && s.undisputed(m) && s.losesTooMuch(m):
	case s.holdsAll(m) && s.undisputed(m):
		s.install(m)
	case s.holdsAll(m):
		s.waitForController(m)
	default:
		s.beginOutage(m, s.members.restartCause(m))
		s.decide(m)
	}
}

// layoutMasterSilent handles a master on record that does not answer, or has no pod. The sentinels say when that is an outage.
// Where they do not watch it the sidecar goes by what it sees itself; and where a process is known to have ended, or the
// sentinels have not called it down for long.
func (s *clusterShard) layoutMasterSilent(m *member) {
	blind := s.sentinels.AgreeingOn(m.address) < max(1, s.sentinels.Quorum)
	seen := blind && (!m.exists || m.downFor(s.now) >= s.downAfter())
	begun := s.outage != nil && s.outage.Master == m.name
	if !begun && !s.sentinels.ODown && !seen && !s.processEnded(m) && !s.overdue(m) {
		s.wait(ReasonMasterDown, m.name+" does not answer ("+m.state()+")", period.Soon)
		return
	}
	s.beginOutage(m, v1alpha1.CauseDown)
	s.decide(m)
}

// layoutMasterNotReady handles a master on record that is alive, but loads its database or refuses the password. That is no
// outage unless the sentinels say so.
func (s *clusterShard) layoutMasterNotReady(m *member) {
	if s.sentinels.ODown || s.outage != nil && s.outage.Master == m.name {
		s.beginOutage(m, v1alpha1.CauseDown)
		s.decide(m)
		return
	}
	s.wait(ReasonMasterDown, m.name+" cannot serve yet ("+m.state()+")", period.Soon)
}

// layoutMasterUnknown handles a record whose master is no member: one of the members must take its place.
func (s *clusterShard) layoutMasterUnknown() {
	if s.outage == nil {
		s.outage = &v1alpha1.Outage{
			Master: s.master, Cause: v1alpha1.CauseDown, Since: microTime(s.now), DetectedAt: microTime(s.now),
			Sequence: s.lastSequence(s.master),
		}
		s.intent = true
	}
	s.decide(nil)
}

// failoverOutcomeUnknown reports whether kvrocks-controller was asked for a failover and has not answered since. If it has
// carried it out, the old master must not serve again.
func (s *clusterShard) failoverOutcomeUnknown() bool {
	return s.c.source != sourceController && s.in.Controller.Reach != Answered && s.outage != nil && s.outage.Target != ""
}

// undisputed reports whether no member but m can have been made master. What kvrocks-controller says is certain. While it
// cannot be asked either every member must answer, or a replica must confirm m. When it has lost its record for good a majority
// must do, or a member that never comes back would hold up the shard for ever.
func (s *clusterShard) undisputed(m *member) bool {
	lost := s.c.lost && s.members.majority(m) && s.keptData(m)
	return s.c.source == sourceController || s.awaited() == "" || s.confirmedByReplica(m) || lost
}

func (s *clusterShard) waitForController(m *member) {
	who := "the master"
	if m != nil {
		who = m.name
	}
	if e := s.in.Controller.Err; s.in.Controller.Reach != Answered {
		s.wait(ReasonControllerUnavailable, who+" must wait: kvrocks-controller does not answer: "+e, period.Wait)
		return
	}
	s.wait(ReasonWaitingForMembers, "no record says who is master: waiting for "+s.awaited(), period.Wait)
}

// install makes the master on record what the record says.
func (s *clusterShard) install(m *member) {
	s.fenceMastersBut(m)
	s.setNodes(m)
	s.wait(ReasonPromoting, m.name+" is being made master, as the record says", period.Step)
}

// decide has the master on record replaced by a member that has its data; m is nil when it is no member.
func (s *clusterShard) decide(m *member) {
	if !s.c.onRecord && !s.c.lost {
		s.waitForController(m)
		return
	}
	next, awaited := s.successor(m)
	switch {
	case next == nil:
		s.wait(ReasonWaitingForMembers, "no successor for the master yet: waiting for "+awaited, period.Soon)
	case s.losesTooMuch(next):
	case next == m:
		s.installReturned(m)
	case !s.prepare(next):
		s.wait(ReasonPromoting, next.name+" is to be master and must be reachable first", period.Step)
	case s.c.lost:
		s.wait(ReasonRebuilding, "kvrocks-controller has lost its record", period.Step)
	case next.node.Sequence == 0:
		s.wait(ReasonMasterDown, "nothing was ever written to the shard, so nobody can succeed its master", period.Wait)
	case s.c.layoutWithheldFrom == s:
		s.wait(ReasonPromoting, "slots that have left the shard are put on record before it gets a new master", period.Step)
	default:
		s.failOver(next)
	}
}

// installReturned makes the master on record master again, unless a pod that is not on record has a better claim.
func (s *clusterShard) installReturned(m *member) {
	if o := s.outsider(m); o != nil {
		s.wait(ReasonWaitingForMembers, m.name+" lacks data that "+o.name+" has, which is not in the cluster yet; if nothing else is awaited, "+
			"delete the instance with storage.reclaim: Retain and apply it again: it is made again from what the volumes remember", period.Soon)
		return
	}
	s.install(m)
}

// failOver asks kvrocks-controller to make next the master on record. That is carried out in the passes that follow.
func (s *clusterShard) failOver(next *member) {
	if s.outage.Target != next.name {
		s.outage.Target, s.intent = next.name, true
	}
	s.fenceMastersBut(next)
	s.c.change(FailOver{MasterID: s.entry.Master().ID, PreferredID: next.entry.ID})
	s.wait(ReasonPromoting, next.name+" is to be master", period.Writes)
}

// successor returns the member that is to succeed m, or what is waited for. When every member answers it is the one with the
// best claim. Otherwise it must be in sync; and unless the sentinels say that m is down a majority must answer, because the
// sidecar may be the one that is cut off.
func (s *clusterShard) successor(m *member) (next *member, awaited string) {
	awaited = s.awaited()
	if awaited == "" {
		return s.promotionCandidate(func(o *member) bool { return o.entry != nil }), ""
	}
	if !s.sentinels.ODown && !s.members.majority(m) || s.mayReturn(m) {
		return nil, awaited
	}
	return s.promotionCandidate(func(o *member) bool { return o != m && o.entry != nil && s.inSyncReplica(o) }), awaited
}

// prepare makes a node fit to be chosen by kvrocks-controller, which asks it through its Service: it must be attached, have
// a layout, and be a replica. It reports whether nothing is left to be done.
func (s *clusterShard) prepare(next *member) bool {
	switch {
	case next.isMaster() || !next.hasPlace():
		s.fence(next, "it has no place yet")
		s.fenceMastersBut(next)
		given := s.c.record.Strand(s.entry)
		if s.c.lost {
			// kvrocks-controller is to take its record from this node, so that must know the right addresses. By then
			// the old master, which may be empty, cannot be reached any more.
			if s.outageAge() < fenceDelay {
				return false
			}
			given = s.c.record
		}
		s.do(Push{Pod: next.name, ID: next.entry.ID, Layout: given, Force: next.version() >= given.Version})
		return false
	case !next.was.Attached:
		s.fenceMastersBut(next)
		s.setRole(next, v1alpha1.RoleReplica)
		s.attach(next)
		return false
	}
	return true
}
