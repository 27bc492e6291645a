package plan

import (
	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/condition"
)

// switchPending reports whether the pod that the spec names is still to be made master. Once it has been, the role may move on and is not
// moved back: a node that comes and goes would otherwise cost two moves each time.
func (r *recorded) switchPending(named string) bool {
	return named != "" && named != r.Master && (r.Last == nil || r.Last.PrimarySwitched != named)
}

// primarySwitched returns the pod that the spec names, once it has been master since then.
func (r *recorded) primarySwitched(named string) string {
	if r.switchPending(named) {
		return ""
	}
	return named
}

// PlacedVerdict reports whether the pod that the spec names was made master.
func (p *facts) PlacedVerdict() (condition.Verdict, bool) {
	named := p.shard.Primary
	switch {
	case named == "" || named == p.recorded.Master:
		return condition.Verdict{Reason: condition.ReasonPrimaryAsNamed, Message: p.recorded.Master + " is the master, as the spec asks"}, true
	case !p.recorded.switchPending(named):
		return condition.Verdict{
			Reason: condition.ReasonPrimaryMovedOn,
			Message: named + " was made master, and the role has moved on to " + p.recorded.Master +
				" since; to have it moved back take the name out of the spec and write it again",
		}, true
	}
	return condition.Verdict{Reason: v1alpha1.ReasonSwitchingPrimary, Message: named + " is to be master: " + p.switchObstacle(p.members.named(named))}, false
}

// switchObstacle returns, in a few words, what a move to t, which may be nil, waits for.
func (p *facts) switchObstacle(t *member) string {
	switch {
	case t == nil:
		return "it has no pod yet"
	case p.handingOver() && p.outage.Target == t.name:
		return p.outage.Master + " is handing over to it"
	case p.in.paused():
		return "the instance is paused"
	case p.proven == nil || p.outage != nil:
		return "waiting for a master that can hand over"
	case !t.exists || t.pod.Deleting || !t.Answered():
		return t.state()
	case t.outdated:
		return "its pod is to be replaced first"
	case !p.inSync(t):
		return "it is not in sync with " + p.proven.name
	case !t.was.Attached || t.was.Unready:
		return "its pod is not Ready"
	}
	return "the move begins when nothing else is under way and it has nearly every write"
}

// PlacedVerdict reports whether every pod that the spec names was made master.
func (c *clusterPass) PlacedVerdict() (condition.Verdict, bool) {
	fine := condition.Verdict{Reason: condition.ReasonPrimaryAsNamed, Message: "every pod that the spec names is the master of its shard"}
	var moved condition.Few
	for _, s := range c.shards {
		if v, ok := s.PlacedVerdict(); ok && v.Reason == condition.ReasonPrimaryMovedOn {
			moved.Add(v.Message)
		}
	}
	if !moved.Empty() {
		fine = condition.Verdict{Reason: condition.ReasonPrimaryMovedOn, Message: moved.Join("; ", "; and %d more shards")}
	}
	return c.overall(fine, (*clusterShard).PlacedVerdict)
}
