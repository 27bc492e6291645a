package plan

import (
	"slices"
	"time"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/action"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/condition"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/lineage"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/period"
)

// clusterCarrier is the [carrier] of a shard of a cluster. kvrocks-controller alone promotes, by changing its record, of its own accord or asked by the
// sidecar; and a node is made what the record says by SETNODES. Between the two may lie many passes.
type clusterCarrier struct{ *clusterShard }

// fenceDelay is how long after its gate was withdrawn a pod can still be reached through its Service, with much to spare.
const fenceDelay = 2 * time.Second

// eligible: kvrocks-controller promotes what is in its record.
func (s clusterCarrier) eligible(m *member) bool { return m.entry != nil }

func (s clusterCarrier) canCallDown(m *member) bool {
	return s.sentinels.AgreeingOn(m.address) >= max(1, s.sentinels.Quorum)
}

func (s clusterCarrier) serves(m *member) bool { return m.isMaster() && m.version() >= 0 }

// disputed waits for kvrocks-controller, which may have been asked for another one.
func (s clusterCarrier) disputed(m *member) bool {
	if s.undisputed(m) {
		return false
	}
	s.waitForController(m)
	return true
}

// mayChoose: without kvrocks-controller nothing can be carried out.
func (s clusterCarrier) mayChoose(m *member) bool {
	if s.c.onRecord || s.c.lost {
		return true
	}
	s.waitForController(m)
	return false
}

// restore makes m what the record says.
func (s clusterCarrier) restore(m *member) { s.install(m) }

func (s clusterCarrier) accept(x *member) {
	switch o := s.better(x); {
	case o == nil && x.isMaster() && s.hasLayout(x):
		s.succeed(x)
	case o != nil:
		s.Warn("ElectionOverruled", x.name+" was made master by kvrocks-controller, and "+o.name+" has more data")
		s.beginOutage(x, v1alpha1.CauseDown)
		s.promote(o, x)
	default:
		s.install(x)
	}
}

// better returns the member that has more than x, which kvrocks-controller has put on record as master without knowing what it has,
// and which takes no writes yet. Nil when there is none, or the two cannot be compared: x was in sync, or nothing was reported of it, so that it
// may have followed a master that is not on record.
func (s clusterCarrier) better(x *member) *member {
	best := lineage.Best(&s.recorded.Record, s.members, s.eligible)
	if best == nil || x.takesWrites() || s.recorded.Standing(best) != lineage.Known || !s.recorded.Outranks(best, x) || s.recorded.Of(x) == nil {
		return nil
	}
	return best
}

// overrule has kvrocks-controller replace x, which it made master on its own.
func (s clusterCarrier) overrule(x *member) {
	s.Warn("ElectionOverruled", x.name+" was made master by kvrocks-controller and lacks data that others have")
	s.beginOutage(x, v1alpha1.CauseDown)
	s.decide(x)
}

func (s clusterCarrier) promote(next, m *member) {
	switch {
	case next == m:
		s.installReturned(m)
	case !s.prepare(next):
		s.wait(condition.ReasonPromoting, next.name+" is to be master and must be reachable first", period.Step)
	case s.c.lost:
		s.wait(condition.ReasonRebuilding, "kvrocks-controller has lost its record", period.Step)
	case next.node.Sequence == 0:
		s.wait(condition.ReasonMasterDown, "nothing was ever written to the shard, so no member can succeed its master", period.Wait)
	case s.c.layoutWithheldFrom == s.clusterShard:
		s.wait(condition.ReasonPromoting, "slots that have left the shard are put on record before it gets a new master", period.Step)
	default:
		s.failOver(next)
	}
}

// failOver asks kvrocks-controller to make next the master on record. That is carried out in the passes that follow.
func (s clusterCarrier) failOver(next *member) {
	if s.outage.Target != next.name {
		s.outage.Target, s.intent = next.name, true
	}
	s.fenceMastersBut(next)
	s.c.change(action.FailOver{MasterID: s.entry.Master().ID, PreferredID: next.entry.ID})
	s.wait(condition.ReasonPromoting, next.name+" is to be master", period.Writes)
}

// prepare makes a node fit to be chosen by kvrocks-controller, which asks it through its Service: it must be attached, have
// a layout, and be a replica. It reports whether nothing is left to be done.
func (s clusterCarrier) prepare(next *member) bool {
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
		s.Do(action.Push{Pod: next.name, ID: next.entry.ID, Layout: given, Force: next.version() >= given.Version})
		return false
	case !next.was.Attached:
		s.fenceMastersBut(next)
		s.setRole(next, v1alpha1.RoleReplica)
		s.attach(next)
		return false
	}
	return true
}

// installReturned makes the master on record master again, unless a pod that is not on record has a better claim.
func (s clusterCarrier) installReturned(m *member) {
	if o := s.outsider(m); o != nil {
		s.wait(condition.ReasonWaitingForMembers, m.name+" lacks data that "+o.name+" has, which is not in the cluster yet; if nothing else is awaited, "+
			"delete the instance with storage.reclaim: Retain and apply it again: it is made again from what the volumes remember", period.Soon)
		return
	}
	s.install(m)
}

// undisputed reports whether no member but m can have been made master. What kvrocks-controller says is certain. While it
// cannot be asked either every member must answer, or a replica must confirm m. When it has lost its record for good a majority
// must do, or a member that never comes back would hold up the shard for ever.
func (s clusterCarrier) undisputed(m *member) bool {
	return s.c.source == sourceController || s.members.awaited(s.shard.Replicas) == "" || s.confirmedByReplica(m) ||
		s.c.lost && s.members.majority(m) && s.recorded.KeptData(m)
}

// confirmedByReplica reports whether a replica that has the record follows m, so that no member can have succeeded it.
func (s clusterCarrier) confirmedByReplica(m *member) bool {
	return slices.ContainsFunc(s.members, func(o *member) bool { return o != m && s.hasLayout(o) && o.follows(m) })
}

// outsider returns a member that answers, is not on record and holds what m has lost: its standing is better, or m was never
// written to. One that merely has a higher sequence may be a former master with writes of its own. Nil when there is none.
func (s clusterCarrier) outsider(m *member) *member {
	for _, o := range s.members {
		if o == m || o.entry != nil || !o.Answered() {
			continue
		}
		if s.recorded.Standing(o) > s.recorded.Standing(m) || m.node.Sequence == 0 && s.recorded.Outranks(o, m) {
			return o
		}
	}
	return nil
}

// install makes the master on record what the record says.
func (s clusterCarrier) install(m *member) {
	s.fenceMastersBut(m)
	s.setNodes(m)
	s.wait(condition.ReasonPromoting, m.name+" is being made master, as the record says", period.Step)
}
