package plan

import (
	"time"

	"github.com/kvrocks/kvrocks-operator/api/slots"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/layout"
)

// ClusterNode is what a node of a cluster says of its layout.
type ClusterNode struct {
	// Version of its layout; -1 when it has none, as after every start.
	Version int64
	// ID that it has been given; empty when it has none.
	ID string
	// Layout as it sees it; nil when it has none or was not asked in this pass. The caller asks when Version has changed,
	// and whenever a pass looks closely.
	Layout *layout.Layout
	// Outgoing is the last move of slots away from this master; nil when it never began one since it started.
	Outgoing *layout.SlotMove
	// Incoming is the last move of slots to this master; nil when there was none since it started.
	Incoming *layout.SlotMove
}

// Controller is kvrocks-controller with its record of the cluster.
type Controller struct {
	// Reach says whether Record is known: Answered, or Unreachable (which includes that it has no etcd or no leader).
	Reach Reach
	// Err is the failure in words.
	Err string
	// DownSince is when the present run of failures began; zero when Answered.
	DownSince time.Time
	// LeaderGoneSince is since when it has been sending to a leader at whose address nothing answers; zero when it does not.
	// It counts from the start again, and some time later, when its processes have been replaced.
	LeaderGoneSince time.Time
	// Record is its record of the cluster; nil when it answers that it has none.
	Record *layout.Layout
	// PasswordStale is true when the record holds another password than the wanted one for some node.
	PasswordStale bool
}

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
