package plan

import (
	"fmt"
	"strings"
	"time"

	"github.com/kvrocks/kvrocks-operator/sidecar/plan/period"
)

// change plans a change of kvrocks-controller's record.
func (c *clusterPass) change(a Action) {
	c.changing = true
	c.do(a)
	c.again(period.Step)
}

// create makes the record of a new cluster. Nothing is known of the past but the data, so every member must answer first.
func (c *clusterPass) create() {
	switch {
	case c.newest >= 0:
		c.wait(ReasonRebuilding, "the nodes have a layout that is not known yet")
		return
	case c.in.Controller.Reach != Answered:
		c.wait(ReasonControllerUnavailable, "kvrocks-controller does not answer: "+c.in.Controller.Err)
		return
	}
	if awaited := c.awaited(); awaited != "" {
		c.wait(ReasonWaitingForMembers, "the cluster is created when every member answers: waiting for "+awaited)
		return
	}
	if pod := c.recoveryPending(); pod != "" {
		c.wait(ReasonWaitingForMembers, "what the volume of "+pod+" remembers is not known yet")
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
		for i := range s.members {
			data = data || s.members[i].node.Sequence > 0
		}
	}
	if len(shards) == 0 {
		return
	}
	if data {
		c.warn("SlotsAssumed", "some nodes hold data and nobody knows their slots; they are spread evenly by shard, as in a new cluster")
	}
	c.event("ClusterCreated", fmt.Sprintf("the record of a cluster of %d shards is made", len(shards)))
	c.change(CreateCluster{Shards: shards})
	c.wait(ReasonCreating, "the cluster is being created")
	c.again(period.Step)
}

// addresses returns those of the wanted members, with port, that of the one with the best claim first.
func (s *clusterShard) addresses() []string {
	first := s.promotionCandidate(func(m *member) bool { return !m.leaving })
	all := []string{first.endpoint().String()}
	for i := range s.members {
		if m := &s.members[i]; m != first && !m.leaving {
			all = append(all, m.endpoint().String())
		}
	}
	return all
}

// namedAtMost is how many shards or pods a message names.
const namedAtMost = 3

// awaited names the first members that do not answer; empty when all do.
func (c *clusterPass) awaited() string {
	var names []string
	more := 0
	for _, s := range c.shards {
		if s.shard.Leaving {
			continue
		}
		a := s.awaited()
		switch {
		case a == "":
		case len(names) < namedAtMost:
			names = append(names, "shard "+fmt.Sprint(s.shard.Index)+": "+a)
		default:
			more++
		}
	}
	return joined(names, more)
}

// joined returns the names in words, and how many shards more there are.
func joined(names []string, more int) string {
	text := strings.Join(names, "; ")
	if more > 0 {
		text += fmt.Sprintf("; and %d more shards", more)
	}
	return text
}

// complete reports whether every wanted pod is a member, so that what is in the record and no member does not belong there.
func (c *clusterPass) complete() bool {
	for _, s := range c.shards {
		if !s.shard.Leaving && len(s.members) < int(s.shard.Replicas) {
			return false
		}
	}
	return len(c.shards) > 0
}

// deleteStaleRecord deletes a record that has none of the members, because a former instance of this name left it behind, and
// reports whether it did.
func (c *clusterPass) deleteStaleRecord() bool {
	if !c.onRecord || !c.complete() {
		return false
	}
	for _, s := range c.shards {
		if s.entry != nil {
			return false
		}
	}
	c.warn("RecordDropped", "kvrocks-controller's record names no pod of this instance; it is made anew")
	c.change(DeleteCluster{})
	c.wait(ReasonRebuilding, "kvrocks-controller's record is made anew")
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
			c.warn("RecordRestored", "kvrocks-controller has lost its record; it is made anew from "+a.name)
			c.change(ImportCluster{Pod: a.name})
		} else {
			c.again(period.Soon)
		}
	case c.behind && c.source == sourceNode && lateSince >= c.newest:
		// It was reported before, so this is no change that was under way when the record was read.
		if a := c.importSource(); a != nil {
			c.warn("RecordRestored", "kvrocks-controller's record is older than what the nodes have; it is made anew from "+a.name)
			c.change(DeleteCluster{})
			c.change(ImportCluster{Pod: a.name})
		}
	case c.behind:
		c.again(period.Soon)
	case c.recordNeedsPassword():
		if a := c.importSource(); a != nil {
			c.event("RecordRestored", "kvrocks-controller's record is made anew with the present password")
			c.controllerEpoch, c.intent = c.controllerEpoch+1, true
			c.change(DeleteCluster{})
			c.change(ImportCluster{Pod: a.name})
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
	c.warn("ControllerReplaced", "kvrocks-controller waits in vain for a leader that is gone, and is started anew: "+c.in.Controller.Err)
}

// recordNeedsPassword reports whether the record holds an old password, every node has taken the present one, and nothing else is going on.
func (c *clusterPass) recordNeedsPassword() bool {
	return c.onRecord && c.in.Controller.PasswordStale && c.passwordTaken() && c.settled() && !c.moves.UnderWay()
}

func (c *clusterPass) passwordTaken() bool {
	return c.in.Credentials.Err == "" && len(c.in.Credentials.Stale) == 0
}

// importSource returns an attached node that has the record, best a master, for kvrocks-controller to import the layout from;
// nil when there is none.
func (c *clusterPass) importSource() *member {
	var replica *member
	for _, s := range c.shards {
		for i := range s.members {
			m := &s.members[i]
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
