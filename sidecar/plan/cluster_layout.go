package plan

import (
	"slices"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/layout"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/period"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/report"
)

// source says where the record of a pass comes from; zero when no layout is known.
type source int

const (
	// sourceController: kvrocks-controller has it.
	sourceController source = iota + 1
	// sourceNode: a live node has it, newer than what kvrocks-controller has or while that has none or does not answer.
	sourceNode
	// sourceStatus: only the last report has it.
	sourceStatus
)

// findRecord finds out which layout is right. kvrocks-controller is, unless a live node has a newer one: then its record
// was lost or came back from an old copy. Without either the last report is.
func (c *clusterPass) findRecord() {
	live := c.findNewest()
	controller, status := &c.in.Controller, &c.in.Topology.Status
	if controller.Reach == Answered && controller.Record != nil {
		c.behind = controller.Record.Version < c.newest
		if !c.behind || live == nil {
			c.record, c.source = controller.Record, sourceController
			return
		}
	}
	if live != nil && c.newest >= status.LayoutVersion {
		c.record, c.source = live, sourceNode
		return
	}
	if c.record = report.Layout(status, c.in.Topology.Spec.Port, c.addressOf); c.record != nil {
		c.source = sourceStatus
	}
}

// findNewest finds out which version the newest layout of a node has, and returns one of it that is complete; nil when no node says
// one.
func (c *clusterPass) findNewest() (live *layout.Layout) {
	c.newest = -1
	for _, s := range c.shards {
		for _, m := range s.members {
			if m.version() < c.newest || m.version() < 0 {
				continue
			}
			if m.version() > c.newest {
				c.newest, live = m.version(), nil
			}
			if l := m.node.Cluster.Layout; live == nil && l != nil && !s.mayBeStopped(m) && l.Complete() {
				live = l
			}
		}
	}
	return live
}

// mayBeStopped reports whether the node may have been given a layout that is not the record's, to stop its writes: a planned move
// is under way, or its layout is one of [layout.Layout.StopWrites], whatever has become of that move since.
func (s *clusterShard) mayBeStopped(m *member) bool {
	return s.outage != nil && s.outage.Cause == v1alpha1.CauseHandover && s.outage.Master == m.name || s.hasStopLayout(m)
}

// hasStopLayout reports whether the node says a layout in which it owns no slots and another member of its shard is of another shard.
func (s *clusterShard) hasStopLayout(m *member) bool {
	if m.node.Cluster == nil || m.node.Cluster.Layout == nil {
		return false
	}
	l := m.node.Cluster.Layout
	if !l.HasStopped(m.address) {
		return false
	}
	positions := l.Positions()
	return slices.ContainsFunc(s.members, func(o *member) bool {
		_, placed := positions[o.endpoint()]
		return placed && o.address != m.address
	})
}

// addressOf returns the present address of a pod of a shard; empty when that is no member.
func (c *clusterPass) addressOf(shard int32, pod string) string {
	if s := c.shardAt(shard); s != nil {
		if m := s.members.named(pod); m != nil {
			return m.address
		}
	}
	return ""
}

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
