package plan

import (
	"fmt"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/condition"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/quorum"
)

// finish puts the plan together.
func (c *clusterPass) finish() Plan {
	v, ok := c.StorageVerdict()
	c.tellStorage(c.in.Topology, v, ok)
	c.tellPause(c.in.Topology)
	if c.record != nil && !c.in.Topology.Spec.Release {
		c.moves.ReviewUnsettled()
	}
	status := c.status(c.in, c.released)
	status.Shards = make([]v1alpha1.TopologyShardStatus, len(c.shards))
	status.ControllerEpoch, status.Migrations, status.NextMoveAt = c.controllerEpoch, c.moves.Entries, c.moves.NextAt
	status.LayoutVersion = c.in.Topology.Status.LayoutVersion
	if c.record != nil {
		status.LayoutVersion = c.record.Version
	}
	for i, s := range c.shards {
		status.Shards[i] = s.report()
	}
	v, ok = c.slotsVerdict()
	status.Conditions = append(condition.All(c.in.Topology, c.now, c),
		condition.New(c.in.Topology, c.now, v1alpha1.ConditionSlotsAssigned, ok, v))
	for _, s := range c.shards {
		s.limitPeriod()
	}
	return c.plan(status)
}

// report returns the shard as it is. What is reported of the layout is kept until another one is known: with it a lost record
// can be made again.
func (s *clusterShard) report() v1alpha1.TopologyShardStatus {
	status := s.reportShard(s.mayLeave())
	status.Removable = s.removable()
	if s.shard.Leaving {
		for _, m := range s.members {
			status.ScaleTo = max(status.ScaleTo, m.ordinal+1)
		}
	}
	switch {
	case s.entry != nil:
		for _, r := range s.entry.Slots.Ranges() {
			status.Slots = append(status.Slots, v1alpha1.SlotRange(r.String()))
		}
	case s.c.record == nil && s.recorded.Last != nil:
		status.Slots = s.recorded.Last.Slots
	}
	for i := range status.Nodes {
		n := &status.Nodes[i]
		switch m := s.members.named(n.Pod); {
		case m.entry != nil:
			n.NodeID = m.entry.ID
		case s.c.record == nil:
			if last := s.recorded.Node(n.Pod); last != nil {
				n.NodeID = last.NodeID
			}
		}
	}
	return status
}

// overall returns the verdict on all shards that stay: fine when all are ok, else that on the first which are not.
func (c *clusterPass) overall(fine condition.Verdict, of func(*clusterShard) (condition.Verdict, bool)) (condition.Verdict, bool) {
	var wrong condition.Few
	var first condition.Verdict
	for _, s := range c.shards {
		if v, ok := of(s); !ok {
			if wrong.Empty() {
				first = v
			}
			wrong.Add(fmt.Sprintf("shard %d: %s", s.shard.Index, v.Message))
		}
	}
	if wrong.Empty() {
		return fine, true
	}
	return condition.Verdict{Reason: first.Reason, Message: wrong.Join("; ", "; and %d more shards")}, false
}

// PrimaryVerdict reports whether every shard of the cluster has its master. One that is yet to join is not missed.
func (c *clusterPass) PrimaryVerdict() (condition.Verdict, bool) {
	if c.waiting.Reason != "" {
		return c.waiting, false
	}
	return c.overall(condition.Verdict{Reason: condition.ReasonMasterServing, Message: "every shard has its master"}, func(s *clusterShard) (condition.Verdict, bool) {
		if s.entry == nil && !s.c.in.Topology.Spec.Release {
			return condition.Verdict{}, true
		}
		return s.PrimaryVerdict()
	})
}

func (c *clusterPass) ReplicationVerdict() (condition.Verdict, bool) {
	versions := make([]string, 0, len(c.in.Nodes))
	for _, s := range c.shards {
		versions = s.recorded.appendVersions(versions, s.members)
	}
	return c.overall(condition.Replicating("every replica is linked to its master", versions), (*clusterShard).joinedVerdict)
}

func (c *clusterPass) StorageVerdict() (condition.Verdict, bool) {
	return c.overall(condition.Verdict{Reason: condition.ReasonVolumesHaveRoom, Message: "every volume has room"}, (*clusterShard).StorageVerdict)
}

// joinedVerdict returns the verdict on the replication of a shard that stays and is in the cluster.
func (s *clusterShard) joinedVerdict() (condition.Verdict, bool) {
	switch {
	case s.shard.Leaving:
		return condition.Verdict{}, true
	case s.entry == nil:
		return condition.Verdict{Reason: condition.ReasonJoining, Message: s.waiting.Message}, false
	}
	return s.ReplicationVerdict()
}

func (c *clusterPass) SentinelVerdict() (condition.Verdict, bool) {
	for _, s := range c.shards {
		// What is true of the sentinels as such is true for every shard.
		if !s.sentinels.Active || s.sentinels.Answered < s.sentinels.Quorum {
			return s.SentinelVerdict()
		}
	}
	return c.overall(condition.Verdict{Reason: quorum.ReasonAgreed, Message: "every sentinel monitors the master of every shard"}, func(s *clusterShard) (condition.Verdict, bool) {
		if s.entry == nil || s.shard.Leaving {
			return condition.Verdict{}, true
		}
		return s.SentinelVerdict()
	})
}

func (c *clusterPass) ConfigVerdict() (v condition.Verdict, ok, known bool) {
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

func (c *clusterPass) CredentialsVerdict() (condition.Verdict, bool) {
	for _, s := range c.shards {
		if v, ok := s.CredentialsVerdict(); !ok {
			return v, false
		}
	}
	if c.in.Controller.PasswordStale {
		return condition.Verdict{Reason: condition.ReasonApplying, Message: "kvrocks-controller is to take the present password"}, false
	}
	return condition.Verdict{Reason: condition.ReasonApplied, Message: "every node uses the wanted password"}, true
}
