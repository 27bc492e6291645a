package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// KVRocksTopology is the handshake between the hooks and the sidecar: spec is what the data plane must look like and is
// written by the hooks alone; status is what the data plane looks like and is written by the sidecar alone. There is one
// per KVRocks, with the same name.
//
// +kubebuilder:object:root=true
// +kubebuilder:resource:path=kvrockstopologies,singular=kvrockstopology,shortName=kvt
// +kubebuilder:subresource:status
// +kubebuilder:printcolumn:name="Type",type=string,JSONPath=`.spec.type`
// +kubebuilder:printcolumn:name="Masters",type=string,JSONPath=`.status.shards[*].master`
// +kubebuilder:printcolumn:name="Observed",type=integer,JSONPath=`.status.observedGeneration`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type KVRocksTopology struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec KVRocksTopologySpec `json:"spec"`
	// +optional
	Status KVRocksTopologyStatus `json:"status,omitempty"`
}

// KVRocksTopologyList is a list of KVRocksTopology.
//
// +kubebuilder:object:root=true
type KVRocksTopologyList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []KVRocksTopology `json:"items"`
}

// KVRocksTopologySpec is what the data plane must look like.
type KVRocksTopologySpec struct {
	// Type of the instance.
	Type InstanceType `json:"type"`
	// Port that the nodes (or the sentinels) listen on.
	Port int32 `json:"port"`
	// PasswordSecret holds the password; absent when there is none.
	// +optional
	PasswordSecret *SecretKeyRef `json:"passwordSecret,omitempty"`
	// Sentinel that monitors this instance; absent when nobody does.
	// +optional
	Sentinel *SentinelRef `json:"sentinel,omitempty"`
	// Sentinels is the wanted number of sentinels (type sentinel only). The quorum is Sentinels/2+1.
	// +optional
	Sentinels int32 `json:"sentinels,omitempty"`
	// Failover settings to give to the sentinels.
	// +optional
	Failover *Failover `json:"failover,omitempty"`
	// Controller is kvrocks-controller (cluster only).
	// +optional
	Controller *ControllerRef `json:"controller,omitempty"`
	// Shards of the instance; none for a sentinel.
	// +optional
	// +listType=map
	// +listMapKey=index
	Shards []TopologyShard `json:"shards,omitempty"`
	// Config holds the settings that are applied live.
	// +optional
	Config map[string]string `json:"config,omitempty"`
	// Migrate lists slots and the shard that they should be on.
	// +optional
	// +listType=atomic
	Migrate []TopologyMigration `json:"migrate,omitempty"`
	// Migration says how slots may move (cluster only).
	// +optional
	Migration *MigrationPolicy `json:"migration,omitempty"`
	// Release is true while the instance is being deleted: the sidecar clears the monitors and reports released.
	// +optional
	Release bool `json:"release,omitempty"`
}

// SentinelRef names a sentinel instance of the same namespace.
type SentinelRef struct {
	// Name of the KVRocks (and of its KVRocksTopology) of type sentinel.
	Name string `json:"name"`
}

// ControllerRef says where kvrocks-controller answers.
type ControllerRef struct {
	// URL without the /api/v1 prefix.
	URL string `json:"url"`
}

// MigrationPolicy says how slots may move.
type MigrationPolicy struct {
	// Rebalance spreads the slots evenly over the wanted shards, with as few moves as possible.
	// +optional
	Rebalance bool `json:"rebalance,omitempty"`
	// Drain moves the slots of shards that are to leave to the others.
	// +optional
	Drain bool `json:"drain,omitempty"`
	// Paused keeps moves from beginning; the one that is under way ends.
	// +optional
	Paused bool `json:"paused,omitempty"`
	// KeysPerSecond limits the speed of a move; 0 means no limit.
	// +optional
	KeysPerSecond int32 `json:"keysPerSecond,omitempty"`
	// DeadlineSeconds is how long one range may take from its start, with all its retries, before it is given up as
	// Failed. 0 means no deadline.
	// +optional
	DeadlineSeconds int32 `json:"deadlineSeconds,omitempty"`
}

// TopologyMigration says on which shard some slots should be.
type TopologyMigration struct {
	// Shard that the slots should be on, counted from 0.
	Shard int32 `json:"shard"`
	// Slots as single numbers and ranges.
	// +listType=atomic
	Slots []SlotRange `json:"slots"`
}

// TopologyShard is one shard as it must look.
type TopologyShard struct {
	// Index of the shard, from 0.
	Index int32 `json:"index"`
	// MasterName is the name registered with sentinel: "orders" for a standard instance, "orders.0" for shard 0 of a
	// cluster. A CR name never contains a dot, so the two cannot collide.
	MasterName string `json:"masterName"`
	// Replicas is the number of pods that the shard is to have. Members beyond it are about to leave.
	Replicas int32 `json:"replicas"`
	// Leaving is true when the whole shard is to be removed (cluster): it gets no more slots, and its pods go once it is
	// removable.
	// +optional
	Leaving bool `json:"leaving,omitempty"`
	// Members are the pods that belong to the shard now, in ordinal order, with those that are about to leave.
	// +optional
	// +listType=map
	// +listMapKey=pod
	Members []Member `json:"members,omitempty"`
	// Handoff lists the pods that must not be master, because they are about to be updated or removed.
	// +optional
	// +listType=set
	Handoff []string `json:"handoff,omitempty"`
}

// Member is a pod of a shard.
type Member struct {
	// Pod name.
	Pod string `json:"pod"`
	// Address is the ClusterIP of the pod's own Service, which is announced, monitored and registered.
	Address string `json:"address"`
}

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
	// Sentinels of a sentinel instance, by pod name.
	// +optional
	// +listType=map
	// +listMapKey=pod
	Sentinels []SentinelStatus `json:"sentinels,omitempty"`
	// Migrations, running and finished.
	// +optional
	// +listType=atomic
	Migrations []MigrationStatus `json:"migrations,omitempty"`
	// Failovers are the last 10, the newest last.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=10
	Failovers []FailoverRecord `json:"failovers,omitempty"`
	// Released is true once nothing outside the instance refers to it any more (after spec.release).
	// +optional
	Released bool `json:"released,omitempty"`
	// Conditions as the sidecar sees them: PrimaryAvailable, ReplicationHealthy, SentinelAgreed, SlotsAssigned,
	// ConfigApplied, CredentialsApplied.
	// +optional
	// +listType=map
	// +listMapKey=type
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// TopologyShardStatus is one shard as it is.
type TopologyShardStatus struct {
	// Index of the shard, from 0.
	Index int32 `json:"index"`
	// Master is the pod that was last proved to be the master. It stays while the master is down and nobody has
	// replaced it.
	// +optional
	Master string `json:"master,omitempty"`
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
	// Target is the pod chosen as the successor in a planned handover.
	// +optional
	Target string `json:"target,omitempty"`
	// Sequence is the highest sequence among the other members when the outage was detected: what a successor has.
	// +optional
	Sequence int64 `json:"sequence,omitempty"`
}

// FailoverCause says why a master was replaced.
type FailoverCause string

// The causes.
const (
	// CauseDown: the master was down.
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
	// Lag behind the master in sequence numbers, as of the last change of this status.
	// +optional
	Lag int64 `json:"lag,omitempty"`
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
	// StartedAt is when it began.
	// +optional
	StartedAt *metav1.Time `json:"startedAt,omitempty"`
	// RetryAt is when the next attempt is due.
	// +optional
	RetryAt *metav1.Time `json:"retryAt,omitempty"`
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
	// PromoteMs is the time from the verdict (or from stopping the writes) to the successor taking writes, in
	// milliseconds. For a handover this is how long writes were stopped.
	PromoteMs int64 `json:"promoteMs"`
	// Sequence that the successor started from.
	// +optional
	Sequence int64 `json:"sequence,omitempty"`
	// LostSequence is how many sequence numbers the old master had that its successor lacks. It is known once the old
	// master has come back with its data; until then it is absent. -1 means that it will never be known: the old master
	// came back without its data, or followed its successor before it could be asked.
	// +optional
	LostSequence *int64 `json:"lostSequence,omitempty"`
}
