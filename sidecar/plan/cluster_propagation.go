package plan

import "github.com/kvrocks/kvrocks-operator/sidecar/plan/period"

// placeMembers gives every other member its place behind the proved master, and attaches it when its link is up.
func (s *clusterShard) placeMembers() {
	for _, m := range s.members {
		// One that is going is given the record all the same, if it was master: clients ask it where their slots are.
		if m == s.proven || m.entry == nil || !m.Answered() || m.pod.Deleting && !m.wasMaster() {
			continue
		}
		if m.version() >= 0 && m.follows(s.proven) {
			s.placeReplica(m)
		} else {
			s.joinAsReplica(m)
		}
	}
}

// joinAsReplica makes a member follow the proved master by giving it the record.
func (s *clusterShard) joinAsReplica(m *member) {
	if m.isMaster() || !m.hasPlace() || m.stopped() {
		// Before it follows it must be on record that it is not in sync.
		s.intent = s.intent || s.recorded.Role(m) != ""
		s.measureLoss(m)
		s.fence(m, "it does not follow the master")
	}
	if takesNone := m.version() < 0 || (clusterHandover{s}).stopped(m); takesNone && s.awaitsNewer(m) {
		m.keptFenced = true
		s.Again(period.Soon)
		return
	}
	s.setNodes(m)
	s.Again(period.Soon)
}

// propagateLayout gives the record to every node that has another one and whose role it does not change: the masters first,
// and before them the one that slots were moved to, and then the one that they were moved from.
func (c *clusterPass) propagateLayout() {
	if to, from, ok := c.moves.Ends(); ok {
		for _, i := range [...]int32{to, from} {
			if s := c.shardAt(i); s != nil && s.proven != nil {
				s.propagateTo(s.proven)
			}
		}
	}
	for _, s := range c.shards {
		if s.proven != nil {
			s.propagateTo(s.proven)
		}
	}
	for _, s := range c.shards {
		for _, m := range s.members {
			if m.entry != nil && !m.entry.Master && m.hasPlace() && !m.isMaster() && !m.stopped() {
				s.propagateTo(m)
			}
		}
	}
}

// propagateTo gives the record to a node that answers with an older or another layout.
func (s *clusterShard) propagateTo(m *member) {
	if m.entry != nil && m.Answered() && m.version() <= s.c.record.Version && !s.hasLayout(m) {
		s.setNodes(m)
	}
}
