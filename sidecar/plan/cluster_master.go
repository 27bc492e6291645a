package plan

import (
	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/condition"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/lineage"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/period"
)

// settleMaster sees to it that the shard has the master that the record names, or that the record names one that can
// serve. It leaves it in s.proven when it answers as master.
func (s *clusterShard) settleMaster() {
	m := s.layoutMaster
	if m != nil && m.name == s.recorded.Master {
		s.noteProgress(m)
	}
	switch {
	case s.entry == nil:
		s.outside()
	case s.handingOver():
		clusterHandover{s}.handOver()
	case m == nil:
		s.layoutMasterUnknown()
	case s.passedBy():
		s.followRecord()
	default:
		s.settleLayoutMaster(m)
	}
}

// settleLayoutMaster settles the master on record, whatever became of the former one.
func (s *clusterShard) settleLayoutMaster(m *member) {
	changed := m.name != s.recorded.Master
	if changed {
		s.fenceMastersBut(m) // the former master may be hung, and serve again when it wakes
	}
	switch {
	case m.Answered() && s.failoverOutcomeUnknown():
		s.waitForController(m)
	case changed && m.hasPlace() && (m.isMaster() || !m.pod.Deleting && !lineage.Unfit(&s.recorded.Record, m, s.members)):
		s.settlePromoted(m)
	default:
		if s.carrier.serves(m) && !s.hasLayout(m) && !m.was.Attached {
			s.setNodes(m) // before clients reach it; the others get it in their turn
		}
		s.settleRecorded(m)
	}
}

// outside handles a shard that is not in the record: it has no master to be replaced.
func (s *clusterShard) outside() {
	s.recorded.Master, s.outage = "", nil
	s.waiting = condition.Verdict{Reason: condition.ReasonJoining, Message: "the shard is not in the cluster"}
}

// layoutMasterUnknown handles a record whose master is no member: one of the members must take its place.
func (s *clusterShard) layoutMasterUnknown() {
	if s.outage == nil {
		s.outage = &v1alpha1.Outage{
			Master: s.recorded.Master, Cause: v1alpha1.CauseDown, Since: microTime(s.now), DetectedAt: microTime(s.now),
			Sequence: s.recorded.Sequence(s.recorded.Master),
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

// waitForController says why m, nil when the master on record is no member, is not replaced.
func (s *clusterShard) waitForController(m *member) {
	who := masterName(m)
	if e := s.in.Controller.Err; s.in.Controller.Reach != Answered {
		s.wait(condition.ReasonControllerUnavailable, who+" must wait: kvrocks-controller does not answer: "+e, period.Wait)
		return
	}
	s.wait(condition.ReasonWaitingForMembers, "no record says who is master: waiting for "+s.members.awaited(s.shard.Replicas), period.Wait)
}
