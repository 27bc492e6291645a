package action

import (
	"github.com/kvrocks/kvrocks-operator/api/slots"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/layout"
)

// Actions on kvrocks-controller. The caller finds the shard by its nodes in a fresh record before it acts, and fails when
// what the action presumes is no longer so.
type (
	// CreateCluster makes the record of a new cluster: the slots are spread evenly over the shards in their order. The
	// first address of each shard is its master.
	CreateCluster struct{ Shards [][]string } // addresses with port
	// ImportCluster makes the record from what a live node says.
	ImportCluster struct{ Pod string }
	// DeleteCluster deletes the record; nodes are not touched.
	DeleteCluster struct{}
	// AddShard adds a shard without slots; the first address is its master.
	AddShard struct{ Addresses []string } // with port
	// RemoveShard removes the shard of the node from the record. It is refused while the shard owns slots.
	RemoveShard struct{ MasterID string }
	// AddNode adds a replica to the shard of a master.
	AddNode struct {
		MasterID string
		Address  string // with port
	}
	// RemoveNode removes a replica from the record.
	RemoveNode struct{ ID string }
	// FailOver makes Preferred master of its shard in the record, if the recorded master is still MasterID. With Install, which is the
	// pod of Preferred, that is given the changed record at once: a planned move has stopped the writes.
	FailOver struct{ MasterID, PreferredID, Install string }
	// RecordSlots puts slots, which one shard owns, on record as another's (slot_only).
	RecordSlots struct {
		Slots      slots.Range
		ToMasterID string
	}
)

// Actions on the nodes of a cluster.
type (
	// Push gives a node its id and a layout (SETNODEID, SETNODES). It is how a node becomes master or replica. With Force
	// it is taken even when the node has this version or a newer one.
	Push struct {
		Pod    string
		ID     string
		Layout *layout.Layout
		Force  bool
	}
	// MoveSlots begins a move (CLUSTERX MIGRATE ... ASYNC) on the source master, with a limit of keys per second (0: none).
	MoveSlots struct {
		Pod           string
		Slots         slots.Range
		ToID          string
		KeysPerSecond int32
	}
	// CountKeys counts the keys of some slots on a node. The result is in Node.Count of the passes that follow, until
	// another count is asked of the node or its process changes.
	CountKeys struct {
		Pod   string
		Slots slots.Range
	}
)

func (CreateCluster) action() {}
func (ImportCluster) action() {}
func (DeleteCluster) action() {}
func (AddShard) action()      {}
func (RemoveShard) action()   {}
func (AddNode) action()       {}
func (RemoveNode) action()    {}
func (FailOver) action()      {}
func (RecordSlots) action()   {}
func (Push) action()          {}
func (MoveSlots) action()     {}
func (CountKeys) action()     {}
