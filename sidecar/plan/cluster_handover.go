package plan

import (
	"slices"
	"time"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/action"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/condition"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/period"
)

// clusterHandoverTimeout bounds how long the writes to a shard may be stopped by a planned move. kvrocks-controller has its part
// in it, so it is longer than that of a standard instance.
const clusterHandoverTimeout = 5 * time.Second

// startHandovers begins one planned move when none is under way: another would change the record, which would let the first
// master take writes again.
func (c *clusterPass) startHandovers() {
	if slices.ContainsFunc(c.shards, (*clusterShard).handingOver) {
		return
	}
	for _, s := range c.shards {
		if c.changing {
			return
		}
		s.startHandover()
	}
}

// startHandover stops the writes of a master that must not be master. From then on each pass takes the step that what it
// sees asks for: when the target has all the data, kvrocks-controller makes it master on record; it is given the record, and seen as
// master. Until then the way back is to give the old master the record again.
func (s *clusterShard) startHandover() {
	m := s.proven
	if s.mustHandOver(m) {
		s.Again(period.Wait)
		s.handOverFrom(m, s.plannedTarget(m))
	}
}

// handOverFrom begins to hand over to the target, which is fit to succeed m or nil, and reports whether it did.
func (s *clusterShard) handOverFrom(m, target *member) bool {
	if s.sentinels.ODown || s.failovers.AbortedLately(s.shard.Index, s.now) || target == nil || !s.hasLayout(target) || target.node.Sequence == 0 {
		return false
	}
	s.beginHandover(m, target)
	return true
}

func (s *clusterShard) beginHandover(m, target *member) {
	s.recordHandover(m, target)
	s.stopWrites(m, target)
	s.c.changing = true
}

func (s *clusterShard) stopWrites(m, target *member) {
	m.layoutGiven = true
	s.Do(action.Push{
		Pod: m.name, ID: m.entry.ID, Force: true,
		Layout: s.c.record.StopWrites(s.entry, m.entry, target.entry),
	})
	s.wait(condition.ReasonHandingOver, m.name+" is handing over to "+target.name, period.Writes)
}

// stopped reports whether the master takes no writes, because it says itself that it owns no slots.
func (s clusterHandover) stopped(m *member) bool {
	if !m.isMaster() || m.entry == nil || m.node.Cluster == nil {
		return false
	}
	if s.entry.Slots.Empty() {
		return true
	}
	l := m.node.Cluster.Layout
	if l == nil {
		return false
	}
	in := l.ShardOf(m.entry.ID)
	return in != nil && in.Slots.Empty()
}

// passedBy reports whether the record names another member while the recorded master serves. kvrocks-controller has decided on
// its own, or late, and has not given the nodes the layout yet.
func (s *clusterShard) passedBy() bool {
	old := s.members.named(s.recorded.Master)
	return s.outage == nil && old != nil && old != s.layoutMaster && old.entry != nil && old.isMaster() && old.was.Attached &&
		s.layoutMaster.linked(old) && s.layoutMaster.version() < s.c.record.Version
}

// followRecord does what the record says without losing a write: as in a planned move, of which it is the second half.
func (s *clusterShard) followRecord() {
	s.beginHandover(s.members.named(s.recorded.Master), s.layoutMaster)
	s.outage.ChosenByController = true
}

// clusterHandover is a planned move that is under way in a shard of a cluster.
type clusterHandover struct{ *clusterShard }

// handOver takes the next step of a planned move.
func (s clusterHandover) handOver() {
	m, t := s.members.named(s.outage.Master), s.members.named(s.outage.Target)
	recorded := s.layoutMaster != nil && s.layoutMaster != m
	if recorded && s.layoutMaster != t {
		// kvrocks-controller has chosen another one.
		t = s.layoutMaster
		s.outage.Target, s.outage.ChosenByController, s.intent = t.name, true, true
		s.outage.Sequence = min(s.outage.Sequence, t.node.Sequence)
	}
	s.Again(period.Writes)
	switch {
	case recorded && t.isMaster() && s.hasLayout(t):
		s.succeed(t)
	case s.awaitsAnswer(m, t, recorded):
		s.wait(condition.ReasonHandingOver, s.outage.Master+" is handing over", period.Writes)
	case recorded && !t.hasPlace(), !recorded && m.cannotHandOver():
		s.endHandover(m)
	case recorded:
		s.installTarget(m, t)
	case !m.Answered():
		s.wait(condition.ReasonHandingOver, m.name+" cannot serve yet ("+m.state()+")", period.Soon)
	default:
		s.moveOn(m, t)
	}
}

// installAtOnce returns the pod of t, which has all the data of the old master, unless the shard is to be given no layout.
func (s clusterHandover) installAtOnce(t *member) string {
	if s.c.layoutWithheldFrom == s.clusterShard {
		return ""
	}
	return t.name
}

// awaitsAnswer reports whether a planned move still has time, and waits for the answer of m or t, which may be nil, or for the record.
func (s clusterHandover) awaitsAnswer(m, t *member, recorded bool) bool {
	return s.outageAge() < clusterHandoverTimeout && (m.answersLate(s.now) || t.answersLate(s.now) || !recorded && s.outdates(m))
}

// cannotHandOver reports whether m, which may be nil, has left the record, is silent, or answers and is no master.
func (m *member) cannotHandOver() bool {
	return m == nil || m.entry == nil || m.silent() || m.Answered() && !m.isMaster()
}

// outdates reports whether m, which may be nil, was given a newer layout than the record at hand: that was changed in between, and is
// read again.
func (s clusterHandover) outdates(m *member) bool {
	return m != nil && m.version() > s.c.record.Version
}

// endHandover goes on as after an outage, because one of the two has failed or restarted, or the old master was given the
// record already.
func (s clusterHandover) endHandover(m *member) {
	s.outage.DetectedAt, s.intent = microTime(s.now), true
	s.outage.Cause = v1alpha1.CauseDown
	if m != nil && m.Answered() && !m.hasPlace() {
		s.outage.Cause = s.members.restartCause(m)
	}
	if s.layoutMaster == m {
		s.outage.Target = ""
	}
	s.settleMaster()
	s.Again(period.Writes)
}

// installTarget handles a move whose target is master on record. It is given the record when it has all the data of the old
// master, which may not have been stopped if the record was not changed by the sidecar.
func (s clusterHandover) installTarget(m, t *member) {
	proved := m != nil && m.isMaster() && t.linked(m) && s.outageAge() < clusterHandoverTimeout
	if proved {
		if !s.stopped(m) {
			s.stopWrites(m, t)
			return
		}
		if t.node.Sequence < m.node.Sequence {
			s.wait(condition.ReasonHandingOver, t.name+" is catching up with "+m.name, period.Writes)
			return
		}
	}
	if proved || s.outage.PromotedAt == nil { // once: each change is written to the API
		s.outage.ChosenByController = !proved
	}
	if s.outage.PromotedAt == nil {
		s.outage.PromotedAt = new(microTime(s.now))
	}
	s.setNodes(t)
	s.wait(condition.ReasonHandingOver, t.name+" is being made master in place of "+s.recorded.Master, period.Writes)
}

// remainsTarget reports whether t, which may be nil, can still be made master in place of m by kvrocks-controller.
func (s clusterHandover) remainsTarget(t, m *member) bool {
	return t.mayTakeOver(m) && t.was.Attached && t.hasPlace()
}

// moveOn handles a move whose old master is master on record and answers as such.
func (s clusterHandover) moveOn(m, t *member) {
	if s.outage.Target != "" && (!s.remainsTarget(t, m) || s.outageAge() > clusterHandoverTimeout) {
		s.outage.Target, s.intent, t = "", true, nil
	}
	switch {
	case s.outage.Target == "" && s.hasLayout(m) && m.node.Cluster.Layout != nil:
		s.resume(m)
	case s.outage.Target == "":
		m.layoutGiven = true
		s.Do(action.Push{Pod: m.name, ID: m.entry.ID, Layout: s.c.record, Force: true})
		s.wait(condition.ReasonHandingOver, m.name+" is to take writes again", period.Writes)
	case !s.stopped(m) || m.version() < s.c.record.Version:
		s.stopWrites(m, t)
	case t.node.Sequence < m.node.Sequence:
		s.wait(condition.ReasonHandingOver, t.name+" is catching up with "+m.name, period.Writes)
	case !s.c.onRecord || s.c.changing:
		s.wait(condition.ReasonHandingOver, t.name+" can be made master once kvrocks-controller answers", period.Writes)
	default:
		s.outage.Sequence = t.node.Sequence
		s.c.change(action.FailOver{MasterID: m.entry.ID, PreferredID: t.entry.ID, Install: s.installAtOnce(t)})
		s.wait(condition.ReasonHandingOver, t.name+" is to be master in place of "+m.name, period.Writes)
	}
}
