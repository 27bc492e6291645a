package plan

import (
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/action"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/layout"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/period"
)

// clusterShard is one shard of the topology in a pass.
type clusterShard struct {
	*pass
	c *clusterPass
	// entry is the shard in the record; nil when it is not in it.
	entry *layout.Shard
	// layoutMaster is the member that is master by the record; nil when the record's master is no member. It may differ from
	// recorded.master, which the last report names.
	layoutMaster *member
}

// find finds the shard and its members in the record.
func (s *clusterShard) find(positions map[layout.Endpoint]layout.Position) {
	for _, m := range s.members {
		at, known := positions[m.endpoint()]
		if !known {
			continue
		}
		in := &s.c.record.Shards[at.Shard]
		if s.entry == nil {
			s.entry = in
			s.c.claimed[at.Shard] = true
		}
		if s.entry != in {
			continue
		}
		m.entry = &in.Nodes[at.Node]
		if m.entry.Master {
			s.layoutMaster = m
		}
	}
}

// endpoint returns where the node can be found.
func (m *member) endpoint() layout.Endpoint { return layout.Endpoint{Address: m.address, Port: m.port} }

// version returns that of the layout which the node has; -1 when it has none or does not answer.
func (m *member) version() int64 {
	if !m.Answered() || m.node.Cluster == nil {
		return -1
	}
	return m.node.Cluster.Version
}

// hasLayout reports whether the node has the layout of the record, as far as it was asked.
func (s *clusterShard) hasLayout(m *member) bool {
	if m.entry == nil || m.version() != s.c.record.Version {
		return false
	}
	n := m.node.Cluster
	return (n.ID == "" || n.ID == m.entry.ID) && (n.Layout == nil || n.Layout.Same(s.c.record))
}

// setNodes gives the record to a node (SETNODES), once in a pass. A node that is ahead of the record is left alone: the record
// is not the right one, and a better one is being looked for.
func (s *clusterShard) setNodes(m *member) {
	if m.layoutGiven || s.c.layoutWithheldFrom == s || m.version() > s.c.record.Version {
		s.Again(period.Step)
		return
	}
	m.layoutGiven = true
	s.Do(action.Push{Pod: m.name, ID: m.entry.ID, Layout: s.c.record, Force: m.version() == s.c.record.Version})
	s.Again(period.Step)
}

// readSentinels sums up what the sentinels say about the master on record. They are only heard: on the nodes of a cluster their
// own attempts to replace a master are refused.
func (s *clusterShard) readSentinels() {
	m := s.layoutMaster
	if m == nil {
		m = s.members.named(s.recorded.Master)
	}
	s.readQuorum(m)
	s.sentinels.View = s.sentinels.OnlyDetects()
}

// fenceUnplaced fences every node that has restarted, and every one that is not in the record.
func (s *clusterShard) fenceUnplaced() {
	s.fenceRestarted()
	for _, m := range s.members {
		switch {
		case m.Answered() && m.version() < 0:
			s.fence(m, "the node has no layout")
		case s.c.record != nil && m.entry == nil:
			s.fence(m, "the node is not in the cluster")
		}
	}
}

// hasPlace reports whether the node has been given a place since it started.
func (m *member) hasPlace() bool { return m.version() >= 0 && !m.followsItself() }
