package layout

import (
	"slices"
	"strconv"

	"github.com/kvrocks/kvrocks-operator/api/slots"
)

// A node that follows this address has no master: it is read-only and keeps its data. It tells a master that was stopped
// on purpose from a node that has just booted, which follows itself.
const (
	DeadHost = "127.0.0.1"
	DeadPort = 1
)

// Layout is which nodes belong to a cluster and which shard owns which slots, as kvrocks-controller has it on record or as a node was
// given it.
type Layout struct {
	// Version grows with every change.
	Version int64
	// Shards in the order of the source; kvrocks-controller may reorder them, so a shard is found by its nodes.
	Shards []Shard
}

// Shard is one master, its replicas and its slots.
type Shard struct {
	Nodes []Node
	Slots slots.Set
}

// Node is one node of a layout.
type Node struct {
	// ID has 40 characters.
	ID string
	// Address and Port as announced.
	Address string
	Port    int32
	// Master is true for the one master of the shard.
	Master bool
}

// Endpoint is where a node can be found.
type Endpoint struct {
	Address string
	Port    int32
}

// String returns the address with its port, as kvrocks-controller takes it.
func (e Endpoint) String() string { return e.Address + ":" + strconv.Itoa(int(e.Port)) }

// Endpoint returns where the node can be found.
func (n *Node) Endpoint() Endpoint { return Endpoint{n.Address, n.Port} }

// Position is where a node stands in a layout: the indexes of its shard, and of itself in it.
type Position struct{ Shard, Node int }

// Positions finds the nodes by where they can be found. One that is named twice, because a shard was added twice, is found where the
// slots are.
func (l *Layout) Positions() map[Endpoint]Position {
	n := 0
	for i := range l.Shards {
		n += len(l.Shards[i].Nodes)
	}
	all := make(map[Endpoint]Position, n)
	for i := range l.Shards {
		for j := range l.Shards[i].Nodes {
			at := l.Shards[i].Nodes[j].Endpoint()
			if _, twice := all[at]; twice && l.Shards[i].Slots.Empty() {
				continue
			}
			all[at] = Position{i, j}
		}
	}
	return all
}

// ShardOf returns the shard that the node with this id belongs to; nil when it belongs to none.
func (l *Layout) ShardOf(id string) *Shard {
	for i := range l.Shards {
		if l.Shards[i].Has(id) {
			return &l.Shards[i]
		}
	}
	return nil
}

// IsMaster reports whether the node with this id is the master of a shard.
func (l *Layout) IsMaster(id string) bool {
	s := l.ShardOf(id)
	return s != nil && slices.ContainsFunc(s.Nodes, func(n Node) bool { return n.ID == id && n.Master })
}

// Follows reports whether one node is a replica of another.
func (l *Layout) Follows(id, masterID string) bool {
	s := l.ShardOf(id)
	return s != nil && !l.IsMaster(id) && slices.ContainsFunc(s.Nodes, func(n Node) bool { return n.ID == masterID && n.Master })
}

// HasStopped reports whether the node at an address is alone in a shard without slots, as in a layout of [Layout.StopWrites].
func (l *Layout) HasStopped(address string) bool {
	for i := range l.Shards {
		if s := &l.Shards[i]; len(s.Nodes) == 1 && s.Nodes[0].Address == address && s.Slots.Empty() {
			return true
		}
	}
	return false
}

// Master returns the node that is to be master of the shard; nil when there is none.
func (s *Shard) Master() *Node {
	for i := range s.Nodes {
		if s.Nodes[i].Master {
			return &s.Nodes[i]
		}
	}
	return nil
}

// Has reports whether a node with this id belongs to the shard.
func (s *Shard) Has(id string) bool {
	return slices.ContainsFunc(s.Nodes, func(n Node) bool { return n.ID == id })
}
