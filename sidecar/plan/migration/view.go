package migration

import (
	"time"

	"github.com/kvrocks/kvrocks-operator/api/slots"
	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/layout"
)

// View is what a pass of the cluster knows before it looks after slots that move.
type View struct {
	// Now is the time of the observation.
	Now time.Time
	// Topology says what is to move, and what was reported last.
	Topology *v1alpha1.KVRocksTopology
	// Record is the layout that is right; nil when none is known.
	Record *layout.Layout
	// OnRecord is true when it is kvrocks-controller's, so that it can be changed.
	OnRecord bool
	// Cluster gives the shards, and takes the steps.
	Cluster Cluster
}

// Cluster is the pass of a cluster as far as slots that move need it: what it knows of the shards, and what it does.
type Cluster interface {
	// Len returns the number of shards of the topology, and Shard what is known of one by its place in the list.
	Len() int
	Shard(place int) Shard
	// ReplicaSequence returns the highest sequence of the attached replicas of a shard that replicate from its master on record; ok is
	// false when there is none.
	ReplicaSequence(index int32) (sequence int64, ok bool)

	// CountKeys has a node count the keys of some slots: the result is in Node.Count of the passes that follow.
	CountKeys(pod string, r slots.Range)
	// MoveSlots begins a move on the source, with a limit of keys per second (0: none).
	MoveSlots(pod string, r slots.Range, toID string, keysPerSecond int32)
	// RecordSlots puts slots on record as those of the shard of a master.
	RecordSlots(r slots.Range, toID string)
	// SetNodes gives a node its id and a layout, also when it has this version or a newer one.
	SetNodes(pod, id string, l *layout.Layout)
	// HandOver has the master of a shard hand over, and reports whether a replica is fit to succeed it.
	HandOver(index int32) bool

	// Intent has the entries put on record before the steps are taken.
	Intent()
	// Again asks for the next pass within d, because something is awaited; Ongoing because of what goes on by itself.
	Again(d time.Duration)
	Ongoing(d time.Duration)
	// Event and Warn say what happened.
	Event(reason, message string)
	Warn(reason, message string)
}

// Shard is what is known of a shard of the topology.
type Shard struct {
	// Index is its number.
	Index int32
	// Leaving is true when it is to be removed.
	Leaving bool
	// Entry is the shard in the record; nil when it is not in it.
	Entry *layout.Shard
	// Master is the member that is master by the record; without a name when that is no member.
	Master Node
	// Proven is true when the master answers as such and nothing contests its place.
	Proven bool
	// Outage is true while the master is being replaced.
	Outage bool
}

// Node is what is known of the master of a shard.
type Node struct {
	// Pod is its name; empty when there is no node.
	Pod string
	// ID in the record.
	ID string
	// Answers is true when it answers, and Master when it does as a master of a cluster.
	Answers, Master bool
	// HasLayout is true when it has the layout of the record.
	HasLayout bool
	// Attached is the state of its pod's readiness gate.
	Attached bool
	// Outgoing and Incoming are the last moves away from it and to it, as it said last; nil when there were none since it started.
	Outgoing, Incoming *layout.SlotMove
	// Count is its last count of keys; nil when there was none.
	Count *SlotCount
}

// SlotCount is how many keys some slots had on a node.
type SlotCount struct {
	Slots slots.Range
	// Keys on the node; -1 when there are too many to count.
	Keys int64
	// Sequence of the node in the pass that asked for the count: a node that has that much has what there was to count.
	Sequence int64
}

// placed reports whether the shard's master serves by the record.
func (s *Shard) placed() bool { return s.Master.Master && s.Master.HasLayout }

// incoming returns how the process says that just these slots came to it last; empty when others did, or none.
func (n *Node) incoming(r slots.Range) layout.MoveState {
	if n.Incoming == nil || n.Incoming.Slots != r {
		return ""
	}
	return n.Incoming.State
}
