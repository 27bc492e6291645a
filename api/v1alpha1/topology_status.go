package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// Role of a data node, as far as it is proved.
type Role string

// The roles. A node that has not been given its place has none.
const (
	RoleMaster  Role = "master"
	RoleReplica Role = "replica"
)

// Link of a data node to its master.
type Link string

// The links.
const (
	// LinkUp: the node replicates. A master's link is up by definition.
	LinkUp Link = "up"
	// LinkSyncing: a full sync is under way.
	LinkSyncing Link = "syncing"
	// LinkLagging: the node replicates and is too far behind to be in sync; see Failover.MaxLagWrites.
	LinkLagging Link = "lagging"
	// LinkDown: the node answers but does not replicate.
	LinkDown Link = "down"
	// LinkLoading: the node is restoring its database.
	LinkLoading Link = "loading"
	// LinkUnreachable: the node does not answer.
	LinkUnreachable Link = "unreachable"
	// LinkUnattached: the node answers but has not been given its place.
	LinkUnattached Link = "unattached"
)

// KVRocksTopologyStatus is what the data plane looks like.
type KVRocksTopologyStatus struct {
	// ObservedGeneration is the generation of the spec that the sidecar acted on.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// Shards as they are.
	// +optional
	// +listType=map
	// +listMapKey=index
	Shards []TopologyShardStatus `json:"shards,omitempty"`
	// LayoutVersion is the version of the layout that shards describes (cluster), as of the last change of the layout.
	// With the slots and node ids of shards it is enough to rebuild kvrocks-controller's record.
	// +optional
	LayoutVersion int64 `json:"layoutVersion,omitempty"`
	// ControllerEpoch counts how often kvrocks-controller's processes had to be replaced (cluster): they keep connections
	// with the first password that they saw, and may wait for ever for a leader that is gone. The hooks replace them when it
	// grows.
	// +optional
	ControllerEpoch int64 `json:"controllerEpoch,omitempty"`
	// Upgrade lists the pod templates of spec.upgrade that may be rolled out now.
	// +optional
	// +listType=atomic
	Upgrade []string `json:"upgrade,omitempty"`
	// Sentinels of a sentinel instance, by pod name.
	// +optional
	// +listType=map
	// +listMapKey=pod
	Sentinels []SentinelStatus `json:"sentinels,omitempty"`
	// Migrations, running and finished.
	// +optional
	// +listType=atomic
	Migrations []MigrationStatus `json:"migrations,omitempty"`
	// NextMoveAt is when the next slots may move, so that on average no more keys move than spec.migration.keysPerSecond
	// allows. Nil when that does not matter.
	// +optional
	NextMoveAt *metav1.Time `json:"nextMoveAt,omitempty"`
	// Failovers are the last 10, the newest last.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=10
	Failovers []FailoverRecord `json:"failovers,omitempty"`
	// PodFailures say why pods of a StatefulSet cannot be made, as Kubernetes' events of the last 20 minutes tell.
	// +optional
	// +listType=map
	// +listMapKey=statefulSet
	PodFailures []PodFailure `json:"podFailures,omitempty"`
	// Volumes are the largest sizes that claims ask for; absent until they are known, and where there are none.
	// +optional
	Volumes *VolumeSizes `json:"volumes,omitempty"`
	// Released is true once nothing outside the instance refers to it any more (after spec.release).
	// +optional
	Released bool `json:"released,omitempty"`
	// UnknownSettings are the settings of spec.config that some node does not know and ignores.
	// +optional
	// +listType=set
	UnknownSettings []string `json:"unknownSettings,omitempty"`
	// Conditions as the sidecar sees them: PrimaryAvailable, ReplicationHealthy, StorageHealthy, StorageReady, SentinelAgreed, SlotsAssigned,
	// ConfigApplied, CredentialsApplied, PrimaryPlaced.
	// +optional
	// +listType=map
	// +listMapKey=type
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// PodFailure says why a pod cannot be made.
type PodFailure struct {
	// StatefulSet that the pod would belong to.
	StatefulSet string `json:"statefulSet"`
	// Message of Kubernetes.
	Message string `json:"message"`
}

// TopologyShardStatus is one shard as it is.
type TopologyShardStatus struct {
	// Index of the shard, from 0.
	Index int32 `json:"index"`
	// Master is the pod that was last proved to be the master. It stays while the master is down, until
	// it is replaced.
	// +optional
	Master string `json:"master,omitempty"`
	// PrimarySwitched is the pod of spec.shards[].primary once it has been master since it was named: it is not made master again
	// when the role has moved on.
	// +optional
	PrimarySwitched string `json:"primarySwitched,omitempty"`
	// Slots that the shard owns (cluster).
	// +optional
	// +listType=atomic
	Slots []SlotRange `json:"slots,omitempty"`
	// ScaleTo is the number of replicas that the StatefulSet may be shrunk to now.
	// +optional
	ScaleTo int32 `json:"scaleTo,omitempty"`
	// Removable is true when the shard owns no slot and has left the cluster.
	// +optional
	Removable bool `json:"removable,omitempty"`
	// Outage is set while the master is down or is handing over.
	// +optional
	Outage *Outage `json:"outage,omitempty"`
	// Nodes by pod name.
	// +optional
	// +listType=map
	// +listMapKey=pod
	Nodes []TopologyNode `json:"nodes,omitempty"`
}

// Outage is what the sidecar must remember between noticing that a master has to be replaced and seeing its successor.
type Outage struct {
	// Master that is to be replaced.
	Master string `json:"master"`
	// Cause is why.
	Cause FailoverCause `json:"cause"`
	// Since is when the master last answered, or when the handover began.
	Since metav1.MicroTime `json:"since"`
	// DetectedAt is when it was called down by the quorum (or when the handover stopped the writes).
	DetectedAt metav1.MicroTime `json:"detectedAt"`
	// PromotedAt is when the successor was made master in a planned handover: from then on it takes writes.
	// +optional
	PromotedAt *metav1.MicroTime `json:"promotedAt,omitempty"`
	// Target is the pod chosen as the successor in a planned handover.
	// +optional
	Target string `json:"target,omitempty"`
	// Sequence is the highest sequence among the other members when the outage was detected: what a successor has.
	// +optional
	Sequence int64 `json:"sequence,omitempty"`
	// MasterSequence is the highest sequence that is known of the master: what it said last, or what was last reported of it.
	// A successor that has less loses writes.
	// +optional
	MasterSequence int64 `json:"masterSequence,omitempty"`
	// ChosenByController is true of a handover that kvrocks-controller began by changing its record on its own, or late, until the
	// target is seen with all that the stopped master has. Until then nothing is known of what is lost.
	// +optional
	ChosenByController bool `json:"chosenByController,omitempty"`
}

// FailoverCause says why a master was replaced.
type FailoverCause string

// The causes.
const (
	// CauseDown: the master was down, also when it came back at once without all its data.
	CauseDown FailoverCause = "MasterDown"
	// CauseHandover: a planned move, because the pod is to be updated or removed.
	CauseHandover FailoverCause = "Handover"
	// CauseRestart: the whole shard came back and another member had more data.
	CauseRestart FailoverCause = "ColdStart"
)

// TopologyNode is one data node as it is.
type TopologyNode struct {
	// Pod that the node runs in.
	Pod string `json:"pod"`
	// Address that it announces.
	// +optional
	Address string `json:"address,omitempty"`
	// Version of the program, as the node said last: its kvrocks_version, else its redis_version.
	// +optional
	Version string `json:"version,omitempty"`
	// Role as far as it is proved.
	// +optional
	Role Role `json:"role,omitempty"`
	// Link to its master.
	// +optional
	Link Link `json:"link,omitempty"`
	// Attached is true while the node may take traffic.
	// +optional
	Attached bool `json:"attached,omitempty"`
	// Sequence of the last write that the node has, as of the last change of this status.
	// +optional
	Sequence int64 `json:"sequence,omitempty"`
	// Volume is the identity of the volume that the node had when its role was last proved; empty when it is not known.
	// Role and sequence are those of this volume: another one in its place has no claim to be master.
	// +optional
	Volume string `json:"volume,omitempty"`
	// Lag behind the master in sequence numbers, as of the last change of this status.
	// +optional
	Lag int64 `json:"lag,omitempty"`
	// BehindSince is when the node, which replicates, was found too far behind its master to be in sync; absent when it is not.
	// +optional
	BehindSince *metav1.Time `json:"behindSince,omitempty"`
	// UsedPercent is how full the file system with the node's data is, give or take three points.
	// +optional
	UsedPercent int32 `json:"usedPercent,omitempty"`
	// NodeID in a cluster.
	// +optional
	NodeID string `json:"nodeID,omitempty"`
	// Message says what is wrong with the node.
	// +optional
	Message string `json:"message,omitempty"`
}

// SentinelStatus is one sentinel as it is.
type SentinelStatus struct {
	// Pod that the sentinel runs in.
	Pod string `json:"pod"`
	// Reachable is true when it answers.
	Reachable bool `json:"reachable"`
	// Masters that it monitors.
	// +optional
	// +listType=atomic
	Masters []string `json:"masters,omitempty"`
	// Message says what is wrong with it.
	// +optional
	Message string `json:"message,omitempty"`
}

// MigrationState of a range of slots.
// +kubebuilder:validation:Enum=Pending;Running;Done;Failed
type MigrationState string

// The states of a migration.
const (
	MigrationPending MigrationState = "Pending"
	MigrationRunning MigrationState = "Running"
	MigrationDone    MigrationState = "Done"
	MigrationFailed  MigrationState = "Failed"
)

// MigrationStatus tells how far a range of slots is.
type MigrationStatus struct {
	// Slots that move.
	Slots SlotRange `json:"slots"`
	// From is the shard that they leave.
	From int32 `json:"from"`
	// To is the shard that they go to.
	To int32 `json:"to"`
	// State of the move.
	State MigrationState `json:"state"`
	// Current is the part of Slots that is on its way from one node to the other now. It is on record before the first
	// key moves.
	// +optional
	Current SlotRange `json:"current,omitempty"`
	// Moved is how many of Slots are on shard To by now.
	// +optional
	Moved int32 `json:"moved,omitempty"`
	// Keys is how many keys have moved with them, as far as they were counted.
	// +optional
	Keys int64 `json:"keys,omitempty"`
	// Attempts is how often Current was begun.
	// +optional
	Attempts int32 `json:"attempts,omitempty"`
	// Repeated: the destination's process took just the slots of Current before, so that its word alone does not say that
	// they have arrived.
	// +optional
	Repeated bool `json:"repeated,omitempty"`
	// StartedAt is when it began.
	// +optional
	StartedAt *metav1.Time `json:"startedAt,omitempty"`
	// RetryAt is when the next attempt is due, after one that failed.
	// +optional
	RetryAt *metav1.Time `json:"retryAt,omitempty"`
	// StuckAt is when the attempt that is under way is taken for a stuck one: the source says that it goes on, and the destination
	// knows nothing of it. Absent while the destination does.
	// +optional
	StuckAt *metav1.Time `json:"stuckAt,omitempty"`
	// FinishedAt is when it was Done or Failed.
	// +optional
	FinishedAt *metav1.Time `json:"finishedAt,omitempty"`
	// Message says how far it is or why it failed.
	// +optional
	Message string `json:"message,omitempty"`
}

// FailoverRecord tells how one master was replaced.
type FailoverRecord struct {
	// At is when the successor was seen as master.
	At metav1.MicroTime `json:"at"`
	// Shard in which it happened.
	Shard int32 `json:"shard"`
	// Cause of it.
	Cause FailoverCause `json:"cause"`
	// From is the pod that was master.
	// +optional
	From string `json:"from,omitempty"`
	// To is the pod that is master now.
	To string `json:"to"`
	// DetectMs is the time from the last answer of the old master to the quorum's verdict, in milliseconds. For a
	// handover, 0.
	DetectMs int64 `json:"detectMs"`
	// PromoteMs is the time from the verdict (or from stopping the writes) to the successor being seen to take writes, in
	// milliseconds. For a handover this is how long the shard took no writes, by the sidecar's clock. What a client misses
	// includes the time that it takes to learn of the successor, which is not known here.
	PromoteMs int64 `json:"promoteMs"`
	// Sequence that the successor started from.
	// +optional
	Sequence int64 `json:"sequence,omitempty"`
	// LostSequence is how many sequence numbers the old master had that its successor lacks. It is known at once, as the
	// least that was lost, when a member in sync is known to have had more; else once the old master has come back with its
	// data; until then it is absent. -1 means that it will never be known: the old master
	// came back without its data, or followed its successor before it could be asked.
	// +optional
	LostSequence *int64 `json:"lostSequence,omitempty"`
	// LossPending is true while lostSequence is only the least that was lost, because the old master has not come back yet.
	// +optional
	LossPending bool `json:"lossPending,omitempty"`
}
