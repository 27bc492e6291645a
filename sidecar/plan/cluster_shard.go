package plan

import (
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
	// pass.master, which the last report names.
	layoutMaster *member
}

// find finds the shard and its members in the record.
func (s *clusterShard) find(positions map[layout.Endpoint]layout.Position) {
	for i := range s.members {
		m := &s.members[i]
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
	if !m.answered() || m.node.Cluster == nil {
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
		s.again(period.Step)
		return
	}
	m.layoutGiven = true
	s.do(Push{Pod: m.name, ID: m.entry.ID, Layout: s.c.record, Force: m.version() == s.c.record.Version})
	s.again(period.Step)
}

// readSentinels sums up what the sentinels say about the master on record. They are only heard: on the nodes of a cluster their
// own attempts to replace a master are refused.
func (s *clusterShard) readSentinels() {
	m := s.layoutMaster
	if m == nil {
		m = s.member(s.master)
	}
	s.readQuorum(m)
	s.sentinels = s.sentinels.OnlyDetects()
}

// fenceUnplaced fences every node that has restarted, and every one that is not in the record.
func (s *clusterShard) fenceUnplaced() {
	s.fenceRestarted()
	for i := range s.members {
		switch m := &s.members[i]; {
		case m.answered() && m.version() < 0:
			s.fence(m, "the node has no layout")
		case s.c.record != nil && m.entry == nil:
			s.fence(m, "the node is not in the cluster")
		}
	}
}

// hasPlace reports whether the node has been given a place since it started.
func (m *member) hasPlace() bool { return m.version() >= 0 && !m.followsItself() }

// confirmedByReplica reports whether a replica that has the record follows m, so that no member can have succeeded it.
func (s *clusterShard) confirmedByReplica(m *member) bool {
	for i := range s.members {
		if o := &s.members[i]; o != m && s.hasLayout(o) && o.follows(m) {
			return true
		}
	}
	return false
}

// outsider returns a member that answers, is not on record and holds what m has lost: its standing is better, or m was never
// written to. One that merely has a higher sequence may be a former master with writes of its own. Nil when there is none.
func (s *clusterShard) outsider(m *member) *member {
	for i := range s.members {
		o := &s.members[i]
		if o == m || o.entry != nil || !o.answered() {
			continue
		}
		if s.standing(o) > s.standing(m) || m.node.Sequence == 0 && s.outranks(o, m) {
			return o
		}
	}
	return nil
}
