package plan

import (
	"slices"
	"strconv"

	"github.com/kvrocks/kvrocks-operator/api/slots"
	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
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
	c.newest = -1
	var live *Layout
	for i := range c.shards {
		for j := range c.shards[i].members {
			m := &c.shards[i].members[j]
			if m.version() < c.newest || m.version() < 0 {
				continue
			}
			if m.version() > c.newest {
				c.newest, live = m.version(), nil
			}
			if l := m.node.Cluster.Layout; live == nil && l != nil && !c.shards[i].mayBeStopped(m) && l.complete() {
				live = l
			}
		}
	}
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
	if c.record = c.reported(); c.record != nil {
		c.source = sourceStatus
	}
}

// mayBeStopped reports whether the node may have been given a layout that is not the record's, to stop its writes: a planned move
// is under way, or its layout is one of stopLayout, whatever has become of that move since.
func (s *clusterShard) mayBeStopped(m *member) bool {
	return s.outage != nil && s.outage.Cause == v1alpha1.CauseHandover && s.outage.Master == m.name || s.hasStopLayout(m)
}

// hasStopLayout reports whether the node says a layout in which it owns no slots and another member of its shard is of another shard.
func (s *clusterShard) hasStopLayout(m *member) bool {
	if m.node.Cluster == nil || m.node.Cluster.Layout == nil {
		return false
	}
	l := m.node.Cluster.Layout
	alone := slices.IndexFunc(l.Shards, func(o LayoutShard) bool {
		return len(o.Nodes) == 1 && o.Slots.Empty() && o.Nodes[0].Address == m.address
	})
	if alone < 0 {
		return false
	}
	places := l.places()
	return slices.ContainsFunc(s.members, func(o member) bool {
		_, placed := places[nodeAddress{o.address, o.port}]
		return placed && o.address != m.address
	})
}

// reported returns the layout that the last report holds; nil when it holds none or not all of it. A pod whose address has
// changed since keeps its place.
func (c *clusterPass) reported() *Layout {
	status := &c.in.Topology.Status
	if status.LayoutVersion == 0 {
		return nil
	}
	l := &Layout{Version: status.LayoutVersion}
	for i := range status.Shards {
		last := &status.Shards[i]
		var s LayoutShard
		for _, text := range last.Slots {
			r, err := slots.ParseRange(string(text))
			if err != nil {
				return nil
			}
			s.Slots.Add(r)
		}
		masters := 0
		for _, n := range last.Nodes {
			if n.NodeID == "" {
				continue
			}
			address := n.Address
			if m := c.memberOf(last.Index, n.Pod); m != nil {
				address = m.address
			}
			master := n.Pod == last.Master
			if master {
				masters++
			}
			s.Nodes = append(s.Nodes, LayoutNode{ID: n.NodeID, Address: address, Port: c.in.Topology.Spec.Port, Master: master})
		}
		if len(s.Nodes) == 0 {
			continue
		}
		if masters != 1 {
			return nil
		}
		l.Shards = append(l.Shards, s)
	}
	if !l.complete() {
		return nil
	}
	return l
}

func (c *clusterPass) memberOf(shard int32, pod string) *member {
	for _, s := range c.shards {
		if s.shard.Index == shard {
			return s.member(pod)
		}
	}
	return nil
}

// complete reports whether every slot has one owner, and every shard one master that can be found.
func (l *Layout) complete() bool {
	var all slots.Set
	for i := range l.Shards {
		s := &l.Shards[i]
		m := s.master()
		if both := all.Intersect(&s.Slots); !both.Empty() || m == nil || m.Address == deadHost {
			return false
		}
		all = all.Union(&s.Slots)
	}
	return all == slots.All()
}

// master returns the node that is to be master of the shard; nil when there is none.
func (s *LayoutShard) master() *LayoutNode {
	for i := range s.Nodes {
		if s.Nodes[i].Master {
			return &s.Nodes[i]
		}
	}
	return nil
}

// shardOf returns the shard that the node belongs to; nil when it belongs to none.
func (l *Layout) shardOf(id string) *LayoutShard {
	for i := range l.Shards {
		for j := range l.Shards[i].Nodes {
			if l.Shards[i].Nodes[j].ID == id {
				return &l.Shards[i]
			}
		}
	}
	return nil
}

// same reports whether both say the same of every node and slot, in whatever order.
func (l *Layout) same(o *Layout) bool {
	if l == o {
		return true
	}
	if l.Version != o.Version || len(l.Shards) != len(o.Shards) {
		return false
	}
	for i := range l.Shards {
		s := &l.Shards[i]
		m := s.master()
		if m == nil {
			return false
		}
		if t := o.Shards[i].master(); t != nil && t.ID == m.ID {
			if !s.same(&o.Shards[i]) {
				return false
			}
			continue
		}
		if t := o.shardOf(m.ID); t == nil || !s.same(t) {
			return false
		}
	}
	return true
}

func (s *LayoutShard) same(o *LayoutShard) bool {
	if len(s.Nodes) != len(o.Nodes) || s.Slots != o.Slots {
		return false
	}
	for i := range s.Nodes {
		found := false
		for j := range o.Nodes {
			found = found || s.Nodes[i] == o.Nodes[j]
		}
		if !found {
			return false
		}
	}
	return true
}

// stopLayout returns the record, but that the target has the place of the shard's master m, which is left as a master without
// slots: it refuses writes and goes on feeding its replicas.
func stopLayout(record *Layout, entry *LayoutShard, m, target *LayoutNode) *Layout {
	stop := &Layout{Version: record.Version, Shards: make([]LayoutShard, 0, len(record.Shards)+1)}
	for i := range record.Shards {
		s := &record.Shards[i]
		if s != entry {
			stop.Shards = append(stop.Shards, *s)
			continue
		}
		rest := LayoutShard{Slots: s.Slots}
		for _, n := range s.Nodes {
			if n.ID != m.ID {
				n.Master = n.ID == target.ID
				rest.Nodes = append(rest.Nodes, n)
			}
		}
		alone := *m
		alone.Master = true
		stop.Shards = append(stop.Shards, rest, LayoutShard{Nodes: []LayoutNode{alone}})
	}
	return stop
}

// strandedLayout returns the record, but that no node can find the master of the shard, so that its replicas keep their data
// whatever the master is.
func strandedLayout(record *Layout, entry *LayoutShard) *Layout {
	stranded := &Layout{Version: record.Version, Shards: slices.Clone(record.Shards)}
	for i := range record.Shards {
		if &record.Shards[i] != entry {
			continue
		}
		nodes := slices.Clone(entry.Nodes)
		for j := range nodes {
			if nodes[j].Master {
				nodes[j].Address, nodes[j].Port = deadHost, deadPort
			}
		}
		stranded.Shards[i].Nodes = nodes
	}
	return stranded
}

// endpoint returns an address with its port, as kvrocks-controller takes it.
func endpoint(address string, port int32) string {
	return address + ":" + strconv.Itoa(int(port))
}
