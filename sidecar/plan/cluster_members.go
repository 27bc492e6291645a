package plan

import (
	"slices"

	"github.com/kvrocks/kvrocks-operator/sidecar/plan/action"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/condition"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/layout"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/period"
)

// changeMembers makes the record name every member of the topology and no other node, by one change in a pass.
func (c *clusterPass) changeMembers() {
	c.removeUnknown()
	steps := []func(*clusterShard){
		(*clusterShard).addNode, (*clusterShard).removeNode, (*clusterShard).addShard, (*clusterShard).removeShard,
	}
	for _, step := range steps {
		for _, s := range c.shards {
			if c.changing {
				return
			}
			step(s)
		}
	}
}

// addNode adds a member that the record does not name as a replica.
func (s *clusterShard) addNode() {
	if s.entry == nil || s.shard.Leaving {
		return
	}
	for _, m := range s.members {
		if m.entry == nil && !m.leaving && m.Answered() && !m.pod.Deleting && !s.c.changing {
			s.c.change(action.AddNode{MasterID: s.entry.Master().ID, Address: m.endpoint().String()})
		}
	}
}

// removeNode removes a replica that is about to leave, when those that stay are well.
func (s *clusterShard) removeNode() {
	if s.shard.Leaving || !s.stayingWell() {
		return
	}
	for _, m := range slices.Backward(s.members) {
		if m.leaving && m.entry != nil && !m.entry.Master && !s.c.changing {
			s.c.change(action.RemoveNode{ID: m.entry.ID})
		}
	}
}

// stayingWell reports whether the master stays, and those that stay with it replicate.
func (s *clusterShard) stayingWell() bool {
	if !s.masterServes() || s.proven.leaving {
		return false
	}
	return !slices.ContainsFunc(s.members, func(m *member) bool { return !m.leaving && m != s.proven && (!s.inSync(m) || !m.was.Attached) })
}

// mayLeave reports whether those that are about to leave are in no record and take no traffic.
func (s *clusterShard) mayLeave() bool {
	if s.in.paused() || s.shard.Leaving || !s.stayingWell() {
		return false
	}
	return !slices.ContainsFunc(s.members, func(m *member) bool { return m.leaving && (m.entry != nil || m.was.Attached) })
}

// addShard adds a shard without slots, once all its members answer.
func (s *clusterShard) addShard() {
	if s.entry != nil || s.shard.Leaving {
		return
	}
	if awaited := s.members.awaited(s.shard.Replicas); awaited != "" {
		s.wait(condition.ReasonJoining, "the shard joins when every member answers: waiting for "+awaited, period.Wait)
		return
	}
	if s.shard.Replicas < 1 || len(s.members) == 0 {
		return
	}
	s.Event("ShardAdded", s.shard.MasterName+" joins the cluster, without slots yet")
	s.c.change(action.AddShard{Addresses: s.addresses()})
}

// removeShard removes a shard that is to leave, once it owns no slots.
func (s *clusterShard) removeShard() {
	if s.entry == nil || !s.shard.Leaving || !s.entry.Slots.Empty() {
		return
	}
	s.Event("ShardRemoved", s.shard.MasterName+" owns no slots any more and leaves the cluster")
	s.c.change(action.RemoveShard{MasterID: s.entry.Master().ID})
}

// removable reports whether the shard has left the cluster and no sentinel knows it.
func (s *clusterShard) removable() bool {
	return s.shard.Leaving && s.c.onRecord && s.entry == nil && s.sentinels.Monitoring == 0
}

// removeUnknown removes from the record what is no member: a pod that is gone for good, a shard that the topology does not name.
func (c *clusterPass) removeUnknown() {
	if !c.hasUnknownNodes() || !c.complete() || c.changing {
		return
	}
	for i := range c.record.Shards {
		r := &c.record.Shards[i]
		switch m := r.Master(); {
		case c.changing:
		case !c.claimed[i] && r.Slots.Empty() && m != nil:
			// It may be one of ours that was added twice, by a call that seemed to have failed.
			c.change(action.RemoveShard{MasterID: m.ID})
		case c.claimed[i]:
			c.removeUnknownNodes(r)
		}
	}
}

// removeUnknownNodes removes the replicas of a shard that are no members.
func (c *clusterPass) removeUnknownNodes(r *layout.Shard) {
	for i := range r.Nodes {
		n := &r.Nodes[i]
		known := slices.ContainsFunc(c.shards, func(s *clusterShard) bool {
			return s.entry == r && slices.ContainsFunc(s.members, func(m *member) bool { return m.entry == n })
		})
		if !known && !n.Master && !c.changing {
			c.change(action.RemoveNode{ID: n.ID})
		}
	}
}

// hasUnknownNodes reports whether the record names more nodes than the members that it names.
func (c *clusterPass) hasUnknownNodes() bool {
	n := 0
	for i := range c.record.Shards {
		n += len(c.record.Shards[i].Nodes)
	}
	for _, s := range c.shards {
		for _, m := range s.members {
			if m.entry != nil {
				n--
			}
		}
	}
	return n > 0
}
