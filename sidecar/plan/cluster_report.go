package plan

import (
	"fmt"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/quorum"
)

// finish puts the plan together.
func (c *clusterPass) finish() Plan {
	v, ok := c.storageVerdict()
	c.tellStorage(c.in.Topology, v, ok)
	last := &c.in.Topology.Status
	if c.record != nil && !c.in.Topology.Spec.Release {
		c.moves.ReviewUnsettled()
	}
	status := v1alpha1.KVRocksTopologyStatus{
		ObservedGeneration: c.in.Topology.Generation,
		Shards:             make([]v1alpha1.TopologyShardStatus, len(c.shards)),
		LayoutVersion:      last.LayoutVersion,
		ControllerEpoch:    c.controllerEpoch,
		Migrations:         c.moves.Entries,
		NextMoveAt:         c.moves.NextAt,
		Failovers:          c.failovers,
		PodFailures:        c.in.PodFailures,
		Released:           c.released,
		UnknownSettings:    c.reportUnknownSettings(c.in),
	}
	if c.record != nil {
		status.LayoutVersion = c.record.Version
	}
	for i, s := range c.shards {
		status.Shards[i] = s.report()
	}
	v, ok = c.slotsVerdict()
	status.Conditions = append(conditions(c.in.Topology, c.now, c),
		newCondition(c.in.Topology, c.now, v1alpha1.ConditionSlotsAssigned, truth(ok), v))
	for _, s := range c.shards {
		s.limitPeriod()
	}
	again, skipSlowProbes := c.nextPass()
	return Plan{Actions: c.actions, Status: status, Intent: c.intent, Events: c.events, Again: again, SkipSlowProbes: skipSlowProbes}
}

// report returns the shard as it is. What is reported of the layout is kept until another one is known: with it a lost record
// can be made again.
func (s *clusterShard) report() v1alpha1.TopologyShardStatus {
	status := s.reportShard(s.mayLeave())
	status.Removable = s.removable()
	if s.shard.Leaving {
		for i := range s.members {
			status.ScaleTo = max(status.ScaleTo, s.members[i].ordinal+1)
		}
	}
	switch {
	case s.entry != nil:
		for _, r := range s.entry.Slots.Ranges() {
			status.Slots = append(status.Slots, v1alpha1.SlotRange(r.String()))
		}
	case s.c.record == nil && s.last != nil:
		status.Slots = s.last.Slots
	}
	for i := range status.Nodes {
		n := &status.Nodes[i]
		switch m := s.member(n.Pod); {
		case m.entry != nil:
			n.NodeID = m.entry.ID
		case s.c.record == nil:
			if last := s.lastNode(n.Pod); last != nil {
				n.NodeID = last.NodeID
			}
		}
	}
	return status
}

// overall returns the verdict on all shards that stay: fine when all are ok, else that on the first which are not.
func (c *clusterPass) overall(fine verdict, of func(*clusterShard) (verdict, bool)) (verdict, bool) {
	var names []string
	var first verdict
	more := 0
	for _, s := range c.shards {
		v, ok := of(s)
		switch {
		case ok:
		case len(names) < namedAtMost:
			if names == nil {
				first = v
			}
			names = append(names, fmt.Sprintf("shard %d: %s", s.shard.Index, v.message))
		default:
			more++
		}
	}
	if len(names) == 0 {
		return fine, true
	}
	return verdict{first.reason, joined(names, more)}, false
}

// primaryVerdict reports whether every shard of the cluster has its master. One that is yet to join is not missed.
func (c *clusterPass) primaryVerdict() (verdict, bool) {
	if c.waiting.reason != "" {
		return c.waiting, false
	}
	return c.overall(verdict{ReasonMasterServing, "every shard has its master"}, func(s *clusterShard) (verdict, bool) {
		if s.entry == nil && !s.c.in.Topology.Spec.Release {
			return verdict{}, true
		}
		return s.primaryVerdict()
	})
}

func (c *clusterPass) replicationVerdict() (verdict, bool) {
	return c.overall(verdict{ReasonReplicasLinked, "every replica is linked to its master"}, (*clusterShard).replicationVerdict)
}

func (c *clusterPass) storageVerdict() (verdict, bool) {
	return c.overall(verdict{ReasonVolumesHaveRoom, "every volume has room"}, (*clusterShard).storageVerdict)
}

// replicationVerdict is that of a standard instance, for a shard that stays and is in the cluster.
func (s *clusterShard) replicationVerdict() (verdict, bool) {
	switch {
	case s.shard.Leaving:
		return verdict{}, true
	case s.entry == nil:
		return verdict{ReasonJoining, s.waiting.message}, false
	}
	return s.pass.replicationVerdict()
}

func (c *clusterPass) sentinelVerdict() (verdict, bool) {
	for _, s := range c.shards {
		// What is true of the sentinels as such is true for every shard.
		if !s.sentinels.Active || s.sentinels.Answered < s.sentinels.Quorum {
			return s.sentinelVerdict()
		}
	}
	return c.overall(verdict{quorum.ReasonAgreed, "every sentinel monitors the master of every shard"}, func(s *clusterShard) (verdict, bool) {
		if s.entry == nil || s.shard.Leaving {
			return verdict{}, true
		}
		return s.sentinelVerdict()
	})
}

func (c *clusterPass) configVerdict() (v verdict, ok, known bool) {
	known = true
	for _, s := range c.shards {
		v, ok, k := s.configVerdict()
		if k && !ok {
			return v, false, true
		}
		known = known && k
	}
	return applied(c.in), true, known
}

func (c *clusterPass) credentialsVerdict() (verdict, bool) {
	for _, s := range c.shards {
		if v, ok := s.credentialsVerdict(); !ok {
			return v, false
		}
	}
	if c.in.Controller.PasswordStale {
		return verdict{ReasonApplying, "kvrocks-controller is to take the present password"}, false
	}
	return verdict{ReasonApplied, "every node uses the wanted password"}, true
}
