package plan

import (
	"fmt"

	"github.com/kvrocks/kvrocks-operator/sidecar/plan/condition"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/layout"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/lineage"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/period"
)

// A volume remembers the last layout that its node was given. When nothing else knows of any, because a cluster is made again
// on the volumes of a former one, or because all that knew it is gone at once, the layout is put together from these.

// savedShard is a shard with what its volumes remember together.
type savedShard struct {
	*clusterShard
	layout.Recalled
}

func newSavedShard(shard *clusterShard) *savedShard {
	volumes := make([]*layout.Saved, len(shard.members))
	for i, m := range shard.members {
		m.saved = layout.ParseSaved(m.pod.Saved)
		volumes[i] = m.saved
	}
	return &savedShard{shard, layout.Recall(volumes)}
}

// belongs reports whether the member has its place in the shard from the start. One whose volume names another master was not
// there when that was replaced, and one whose volume remembers nothing has no data: they join later, as replicas.
func (s *savedShard) belongs(m *member) bool {
	if s.Fresh() {
		return !m.leaving
	}
	return m.saved != nil && m.saved.Master == s.Newest.Master
}

// newEntry returns the shard as it is to be, in the instance with this uid. Its master is the one that is remembered, or else the
// one with the best claim. Volumes that have changed places may both be remembered as the master's: each was.
func (s *savedShard) newEntry(uid string) layout.Shard {
	master := lineage.Best(&s.recorded.Record, s.members, func(m *member) bool { return s.belongs(m) && m.saved != nil && m.saved.ID == s.Newest.Master })
	if master == nil {
		master = lineage.Best(&s.recorded.Record, s.members, s.belongs)
	}
	l := layout.Shard{Slots: s.Slots}
	for _, m := range s.members {
		if s.belongs(m) {
			l.Nodes = append(l.Nodes, layout.Node{ID: layout.NodeID(uid, m.name), Address: m.address, Port: m.port, Master: m == master})
		}
	}
	return l
}

// recoveryPending returns the name of a member of which it is not known yet what its volume remembers; empty when there is
// none. A node answers a second before its pod is reported to run, and only that report is sure to bring the volume's words
// along.
func (c *clusterPass) recoveryPending() string {
	for _, s := range c.shards {
		if s.shard.Leaving {
			continue
		}
		for _, m := range s.members {
			if m.exists && !m.pod.Running {
				return m.name
			}
		}
	}
	return ""
}

// recoverLayout makes the layout that the volumes remember the right one, and reports whether they remember any.
//
// Slots that no volume remembers were on shards that are not there, when the former cluster had more of them: then it
// waits until they are. Else they go to the shards that remember nothing, whose volumes were lost.
func (c *clusterPass) recoverLayout() bool {
	var shards []*savedShard
	var recalled []*layout.Recalled
	newest := layout.Saved{Version: -1}
	for _, s := range c.shards {
		if s.shard.Leaving {
			continue
		}
		saved := newSavedShard(s)
		shards, recalled = append(shards, saved), append(recalled, &saved.Recalled)
		if saved.Newest.Version > newest.Version {
			newest = saved.Newest
		}
	}
	if newest.Version < 0 {
		return false
	}
	if missing := layout.ResolveOwners(recalled); !missing.Empty() {
		if newest.Shards > len(shards) {
			c.wait(condition.ReasonShardsMissing, fmt.Sprintf("the volumes are those of a cluster of %d shards, and the slots %s "+
				"were on shards that are not there: write at least %[1]d into spec.master (an odd number), "+
				"or delete the volumes of this instance to make it again", newest.Shards, shortly(&missing)))
			return true
		}
		takers := layout.AssignMissing(&missing, recalled)
		c.Warn("SlotsAssumed", fmt.Sprintf("no volume remembers the slots %s; they are spread over %d shards", shortly(&missing), takers))
	}
	l := &layout.Layout{Version: newest.Version + 1}
	for _, s := range shards {
		if !s.Fresh() || !s.Slots.Empty() {
			l.Shards = append(l.Shards, s.newEntry(string(c.in.Topology.UID)))
		}
	}
	c.Event("LayoutRecalled", fmt.Sprintf("the volumes remember a cluster of %d shards; its slots are where they were", newest.Shards))
	c.publishLayout(l)
	return true
}

// publishLayout reports a layout as the right one, without doing anything about it yet: the passes that follow go by the report.
func (c *clusterPass) publishLayout(l *layout.Layout) {
	c.record, c.source = l, sourceStatus
	c.locate()
	for _, s := range c.shards {
		if m := s.layoutMaster; m != nil {
			s.recorded.Master = m.name
			if m.saved != nil && m.saved.ID == m.saved.Master {
				s.remembered = m // others may have a higher sequence, by writes that were lost when it became master
			}
		}
	}
	c.wait(condition.ReasonRebuilding, "the layout that the volumes remember is put on record")
	c.Again(period.Step)
}
