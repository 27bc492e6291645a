package plan

import (
	"fmt"
	"slices"
	"time"

	"github.com/kvrocks/kvrocks-operator/sidecar/plan/action"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/condition"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/lineage"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/period"
)

// change plans a change of kvrocks-controller's record.
func (c *clusterPass) change(a action.Action) {
	c.changing = true
	c.Do(a)
	c.Again(period.Step)
}

// create makes the record of a new cluster. Nothing is known of the past but the data, so every member must answer first.
func (c *clusterPass) create() {
	switch {
	case c.newest >= 0:
		c.wait(condition.ReasonRebuilding, "the nodes have a layout that is not known yet")
		return
	case c.in.Controller.Reach != Answered:
		c.wait(condition.ReasonControllerUnavailable, "kvrocks-controller does not answer: "+c.in.Controller.Err)
		return
	}
	if awaited := c.awaited(); awaited != "" {
		c.wait(condition.ReasonWaitingForMembers, "the cluster is created when every member answers: waiting for "+awaited)
		return
	}
	if pod := c.recoveryPending(); pod != "" {
		c.wait(condition.ReasonWaitingForMembers, "what the volume of "+pod+" remembers is not known yet")
		return
	}
	if c.recoverLayout() {
		return
	}
	var shards [][]string
	data := false
	for _, s := range c.shards {
		if s.shard.Leaving {
			continue
		}
		shards = append(shards, s.addresses())
		data = data || slices.ContainsFunc(s.members, func(m *member) bool { return m.node.Sequence > 0 })
	}
	if len(shards) == 0 {
		return
	}
	if data {
		c.Warn("SlotsAssumed", "some nodes hold data, and it is not known of which slots; they are spread evenly by shard, as in a new cluster")
	}
	c.Event("ClusterCreated", fmt.Sprintf("the record of a cluster of %d shards is made", len(shards)))
	c.change(action.CreateCluster{Shards: shards})
	c.wait(condition.ReasonCreating, "the cluster is being created")
	c.Again(period.Step)
}

// addresses returns those of the wanted members, with port, that of the one with the best claim first.
func (s *clusterShard) addresses() []string {
	first := lineage.Best(&s.recorded.Record, s.members, func(m *member) bool { return !m.leaving })
	all := []string{first.endpoint().String()}
	for _, m := range s.members {
		if m != first && !m.leaving {
			all = append(all, m.endpoint().String())
		}
	}
	return all
}

// awaited names the first members that do not answer; empty when all do.
func (c *clusterPass) awaited() string {
	var all condition.Few
	for _, s := range c.shards {
		if a := s.members.awaited(s.shard.Replicas); a != "" && !s.shard.Leaving {
			all.Add("shard " + fmt.Sprint(s.shard.Index) + ": " + a)
		}
	}
	return all.Join("; ", "; and %d more shards")
}

// complete reports whether every wanted pod is a member, so that what is in the record and no member does not belong there.
func (c *clusterPass) complete() bool {
	return len(c.shards) > 0 && !slices.ContainsFunc(c.shards, func(s *clusterShard) bool {
		return !s.shard.Leaving && len(s.members) < int(s.shard.Replicas)
	})
}

// deleteStaleRecord deletes a record that has none of the members, because a former instance of this name left it behind, and
// reports whether it did.
func (c *clusterPass) deleteStaleRecord() bool {
	if !c.onRecord || !c.complete() || slices.ContainsFunc(c.shards, func(s *clusterShard) bool { return s.entry != nil }) {
		return false
	}
	c.Warn("RecordDropped", "kvrocks-controller's record names no pod of this instance; it is made again")
	c.change(action.DeleteCluster{})
	c.wait(condition.ReasonRebuilding, "kvrocks-controller's record is made again")
	return true
}

// restoreRecord makes kvrocks-controller's record again from a node when it was lost, is older than what the nodes have, or
// holds an old password.
func (c *clusterPass) restoreRecord() {
	if c.in.Controller.Reach != Answered || c.changing {
		return
	}
	lateSince := c.in.Topology.Status.LayoutVersion
	switch {
	case c.lost:
		if a := c.importSource(); a != nil {
			c.Warn("RecordRestored", "kvrocks-controller has lost its record; it is made again from "+a.name)
			c.change(action.ImportCluster{Pod: a.name})
		} else {
			c.Again(period.Soon)
		}
	case c.behind && c.source == sourceNode && lateSince >= c.newest:
		// It was reported before, so this is no change that was under way when the record was read.
		if a := c.importSource(); a != nil {
			c.Warn("RecordRestored", "kvrocks-controller's record is older than what the nodes have; it is made again from "+a.name)
			c.change(action.DeleteCluster{})
			c.change(action.ImportCluster{Pod: a.name})
		}
	case c.behind:
		c.Again(period.Soon)
	case c.recordNeedsPassword():
		if a := c.importSource(); a != nil {
			c.Event("RecordRestored", "kvrocks-controller's record is made again with the present password")
			c.controllerEpoch, c.intent = c.controllerEpoch+1, true
			c.change(action.DeleteCluster{})
			c.change(action.ImportCluster{Pod: a.name})
		}
	}
}

// leaderGoneLimit is how long kvrocks-controller may send to a leader that is gone. etcd notices within 6 s that one has
// ended, and the process that starts in its place is up in a moment.
const leaderGoneLimit = 30 * time.Second

// replaceController has the processes of kvrocks-controller replaced when they wait in vain for a leader. Version 1.2.0 does
// so for ever when its etcd begins again, empty, while it waits for the end of the leader that was there before.
func (c *clusterPass) replaceController() {
	since := c.in.Controller.LeaderGoneSince
	if since.IsZero() || c.now.Sub(since) < leaderGoneLimit {
		return
	}
	c.controllerEpoch, c.intent = c.controllerEpoch+1, true
	c.Warn("ControllerReplaced", "kvrocks-controller waits in vain for a leader that is gone, and is started again: "+c.in.Controller.Err)
}

// recordNeedsPassword reports whether the record holds an old password, every node has taken the present one, and nothing else is going on.
func (c *clusterPass) recordNeedsPassword() bool {
	credentials := &c.in.Credentials
	return c.onRecord && c.in.Controller.PasswordStale && credentials.Err == "" && len(credentials.Stale) == 0 && c.settled() && !c.moves.UnderWay()
}

// importSource returns an attached node that has the record, best a master, for kvrocks-controller to import the layout from;
// nil when there is none.
func (c *clusterPass) importSource() *member {
	var replica *member
	for _, s := range c.shards {
		for _, m := range s.members {
			fit := m.was.Attached && m.pod.Attached && !m.pod.Deleting && m.hasPlace() && !m.stopped() && s.hasLayout(m) && !s.mayBeStopped(m)
			if fit && m == s.proven {
				return m
			}
			if fit && replica == nil {
				replica = m
			}
		}
	}
	return replica
}
