package plan

import (
	"time"

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
