package plan

import (
	"time"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/layout"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/migration"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/quorum"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/storage"
)

// Input is all that a pass knows.
type Input struct {
	// Now is the time of the observation.
	Now time.Time
	// Topology is what the hooks want, with the status that the last pass reported.
	Topology *v1alpha1.KVRocksTopology
	// Pods are the data pods of the instance that exist, by name. A member of the topology may have none.
	Pods map[string]Pod
	// Nodes are the answers of the data nodes, by pod name. Every pod that has an IP has an entry.
	Nodes map[string]Node
	// Sentinels is what watches the instance.
	Sentinels Sentinels
	// PodFailures say why pods that are missing cannot be made, by StatefulSet. They are passed on to status.
	PodFailures []v1alpha1.PodFailure
	// Credentials says whether the wanted password could be read.
	Credentials Credentials
	// Controller of a cluster.
	Controller Controller
}

// Pod is a data pod as the API server shows it.
type Pod struct {
	// UID tells a replaced pod from its predecessor.
	UID string
	// IP is empty until the pod has been started.
	IP string
	// Deleting is true once the pod has a deletion timestamp.
	Deleting bool
	// Running is true while the container kvrocks runs.
	Running bool
	// BackingOff is true while Kubernetes waits before it starts the container again (CrashLoopBackOff).
	BackingOff bool
	// Attached is the state of the readiness gate. Unready is true while the pod is not Ready in spite of it, so that no Service leads
	// to it. ReadySince is when it became Ready, in whole seconds; zero when that is not known.
	Attached, Unready bool
	ReadySince        time.Time
	// Role is the value of the role label; empty when there is none.
	Role v1alpha1.Role
	// Saved is what hooks/scripts/recall.sh printed when the pod was started: the identity of the volume, and what it
	// remembered of its cluster. Empty when it printed nothing, or nothing yet.
	Saved string
}

// Reach says how far a call to a node or a sentinel got.
type Reach string

const (
	// Answered means: it answered in full.
	Answered Reach = "Answered"
	// Loading means: it answers that it restores its database.
	Loading Reach = "Loading"
	// Refused means: it answers but refuses every known password.
	Refused Reach = "Refused"
	// Unresponsive means: it accepts connections (or keeps one open) and does not answer in time.
	Unresponsive Reach = "Hung"
	// Unreachable means: nothing listens, or there is no pod.
	Unreachable Reach = "Down"
)

// Node is a data node as it answered.
type Node struct {
	// Reach says whether the fields below Err are known. When it is not Answered they hold what the node said last, if
	// it ever did in the life of this process.
	Reach Reach
	// Err is the refusal or the failure in words; empty when Answered.
	Err string
	// LastMaster is when the pod's node, in whatever process, was last known to serve as master: its last answer as such,
	// or the loss of the connection after it. Zero when it never was in the life of the sidecar.
	LastMaster time.Time
	// DownSince is when the present run of failures began; zero when Answered.
	DownSince time.Time

	// Outlives is true of a process that still answers although its pod was deleted by force; its connection stands since
	// before. It ends within seconds.
	Outlives bool
	// Version of the program, as it says itself; empty when it never did in the life of the sidecar.
	Version string
	// RunID changes when the process of the node changes.
	RunID string
	// Role as the node reports it. Every node boots as a replica of itself.
	Role v1alpha1.Role
	// MasterHost and MasterPort of a replica.
	MasterHost string
	MasterPort int32
	// LinkUp is master_link_status. It stays up with a hung master: see LastIO.
	LinkUp bool
	// Syncing is true during a full sync.
	Syncing bool
	// LastIO is how long ago the master last sent something.
	LastIO time.Duration
	// Sequence of the last entry that the node has. 0 means nothing was ever written.
	Sequence int64
	// SequenceBefore is what the node had, as master, MaxLag ago; 0 when that is not known.
	SequenceBefore int64
	// Replicas are the addresses that a master lists as its replicas. kvrocks goes on listing one that vanished without a
	// word until a write to it fails, and lists itself for a moment after it was a replica of itself.
	Replicas []string
	// Disk is the file system that holds the data.
	Disk storage.Disk
	// Refusal is why the node, a master, takes no writes; empty when it does, or was not asked because there is room.
	Refusal storage.Refusal
	// Priority is slave-priority: 0 keeps sentinel from electing the node. Unset answers count as 100.
	Priority int32
	// Config holds the observed value of each setting that the topology's spec.config names and the node knows, and of
	// replica-announce-ip and masterauth-matches ("yes"/"no": whether masterauth is the wanted password). It is read
	// rarely; nil means not read in this pass.
	Config map[string]string
	// Refusals holds the node's message for each setting whose wanted value it refused to take live. The caller keeps
	// them from failed [action.Configure] actions and forgets one when the wanted value or the node's RunID changes. A refused
	// setting is reported, not retried.
	Refusals map[string]string
	// RequiresRestart holds those of Refusals which the node knows and changes only when it starts.
	RequiresRestart map[string]bool
	// Cluster is what a node of a cluster says of its layout; nil when the node is in no cluster or never answered.
	Cluster *ClusterNode
	// Count is the result of the last [action.CountKeys] action; nil when there was none.
	Count *migration.SlotCount
}

// Sentinels is what watches the instance.
type Sentinels struct {
	// Configured is true when the topology names a sentinel instance.
	Configured bool
	// Exists is true when that sentinel instance has a topology.
	Exists bool
	// Want is its number of sentinels; the quorum is Want/2+1.
	Want int32
	// Views are the answers of its pods, by pod name.
	Views map[string]SentinelView
}

// SentinelView is what one sentinel says about the instance.
type SentinelView struct {
	// IP of the pod.
	IP string
	// Reach says whether the fields below Err are known.
	Reach Reach
	// Err is the failure in words.
	Err string
	// Spinning is true when it uses up a processor, and its connections to the nodes of the instance were not renewed a
	// moment ago.
	Spinning bool
	// Tilt is true while its clock or its scheduling was disturbed a moment ago: it then calls nothing down and carries no
	// failover on, for 30 s.
	Tilt bool
	// Access says how it stands to the wanted password of the sentinel instance; nil when that was not asked, none is wanted, or
	// it does not say.
	Access *SentinelAccess
	// Masters holds what it says of each master name of the instance; a name that it does not monitor is missing.
	Masters map[string]quorum.MasterView
}

// SentinelAccess is how a sentinel stands to the wanted password of its instance.
type SentinelAccess struct {
	// Open: it takes clients without a password.
	Open bool
	// Accepts the wanted password; AcceptsOthers than that.
	Accepts, AcceptsOthers bool
	// Presents the wanted password to its peers.
	Presents bool
}

// Credentials says whether the wanted password could be read.
type Credentials struct {
	// Err says why not; empty when it could, or when no password is wanted.
	Err string
	// Stale lists, sorted, the pods whose node took a previous password and needs the present one.
	Stale []string
}

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
