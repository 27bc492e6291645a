package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Phase sums an instance up in one word. It is for people; programs read the conditions.
type Phase string

// The phases.
const (
	PhaseCreating Phase = "Creating"
	PhaseRunning  Phase = "Running"
	PhaseUpdating Phase = "Updating"
	PhaseDegraded Phase = "Degraded"
	PhaseFailed   Phase = "Failed"
	PhaseDeleting Phase = "Deleting"
	PhasePaused   Phase = "Paused"
)

// Types of the conditions on KVRocks.status. A condition that applies to the type of an instance exists from the first
// sync; it is Unknown until it is known.
const (
	// ConditionReady is True when the instance serves: all pods ready and the data plane as wanted.
	ConditionReady = "Ready"
	// ConditionProgressing is True while a change is being carried out.
	ConditionProgressing = "Progressing"
	// ConditionDegraded is True when the instance serves with less than its spec asks for.
	ConditionDegraded = "Degraded"
	// ConditionPrimaryAvailable is True while every shard has a master that takes writes.
	ConditionPrimaryAvailable = "PrimaryAvailable"
	// ConditionReplicationHealthy is True while every replica's link is up.
	ConditionReplicationHealthy = "ReplicationHealthy"
	// ConditionStorageHealthy is True while every volume has room.
	ConditionStorageHealthy = "StorageHealthy"
	// ConditionStorageReady is True when every volume has the size that spec.storage asks for.
	ConditionStorageReady = "StorageReady"
	// ConditionPrimaryPlaced is True when the pods that spec.primary or spec.primaries names are masters, or were since they were named.
	// It exists while a pod is named.
	ConditionPrimaryPlaced = "PrimaryPlaced"
	// ConditionPaused is True while the annotation AnnotationPaused holds planned changes; absent otherwise.
	ConditionPaused = "Paused"
	// ConditionSentinelAgreed is True while every sentinel monitors the same master with the right quorum.
	ConditionSentinelAgreed = "SentinelAgreed"
	// ConditionSlotsAssigned is True while each of the 16384 slots has one owner.
	ConditionSlotsAssigned = "SlotsAssigned"
	// ConditionConfigApplied is True when every node runs with kvrocksConfig.
	ConditionConfigApplied = "ConfigApplied"
	// ConditionCredentialsApplied is True when every node and sentinel uses the wanted password.
	ConditionCredentialsApplied = "CredentialsApplied"
)

// ReasonSwitchingPrimary of ConditionPrimaryPlaced: a pod that the spec names is still to be made master.
const ReasonSwitchingPrimary = "SwitchingPrimary"

// ReasonPaused means that planned changes are held by the annotation AnnotationPaused.
const ReasonPaused = "Paused"

// KVRocksStatus is what the operator sees. It is derived from the observed children at each sync; nothing reads it
// back to decide what to do.
type KVRocksStatus struct {
	// ObservedGeneration is the generation that this status was derived for.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// Phase sums the instance up in one word.
	// +optional
	Phase Phase `json:"phase,omitempty"`
	// Reason says in a sentence why the phase is what it is.
	// +optional
	Reason string `json:"reason,omitempty"`
	// Replicas is the number of pods that exist (per shard for a cluster), for the scale subresource.
	// +optional
	Replicas int32 `json:"replicas"`
	// ReadyReplicas is the number of ready pods of the whole instance.
	// +optional
	ReadyReplicas int32 `json:"readyReplicas"`
	// Ready is "ready pods/wanted pods" of the whole instance.
	// +optional
	Ready string `json:"ready,omitempty"`
	// Selector of the pods, for the scale subresource.
	// +optional
	Selector string `json:"selector,omitempty"`
	// Image that the pods run or are being updated to.
	// +optional
	Image string `json:"image,omitempty"`
	// Master is the pod that is the master of a standard instance.
	// +optional
	Master string `json:"master,omitempty"`
	// Quorum of a sentinel instance: replicas/2+1.
	// +optional
	Quorum int32 `json:"quorum,omitempty"`
	// Shards of a standard (one) or cluster instance.
	// +optional
	// +listType=map
	// +listMapKey=index
	Shards []ShardStatus `json:"shards,omitempty"`
	// ShardsReady is "shards with a master/wanted shards" of a cluster.
	// +optional
	ShardsReady string `json:"shardsReady,omitempty"`
	// Slots is "slots that a shard owns/16384" of a cluster.
	// +optional
	Slots string `json:"slots,omitempty"`
	// SlotMap tells a person where the slots are, in their order, such as "0-5460: shard 0, master orders-0-1". At most 512
	// lines.
	// +optional
	// +listType=atomic
	SlotMap []string `json:"slotMap,omitempty"`
	// Volumes are the largest sizes that claims of the instance ask for, or will ask for when pods are added. The spec cannot ask for
	// less.
	// +optional
	Volumes *VolumeSizes `json:"volumes,omitempty"`
	// Migrations of slots, running and finished.
	// +optional
	// +listType=atomic
	Migrations []MigrationStatus `json:"migrations,omitempty"`
	// LastFailover tells what happened the last time a master was replaced.
	// +optional
	LastFailover *FailoverRecord `json:"lastFailover,omitempty"`
	// Conditions with documented reasons.
	// +optional
	// +listType=map
	// +listMapKey=type
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// ShardStatus is one shard as a person wants to see it.
type ShardStatus struct {
	// Index of the shard, from 0.
	Index int32 `json:"index"`
	// Master is the pod that takes the writes.
	// +optional
	Master string `json:"master,omitempty"`
	// Slots that the shard owns (cluster).
	// +optional
	// +listType=atomic
	Slots []SlotRange `json:"slots,omitempty"`
	// Nodes of the shard by pod name.
	// +optional
	// +listType=map
	// +listMapKey=pod
	Nodes []ShardNode `json:"nodes,omitempty"`
}

// ShardNode is one data node as a person wants to see it.
type ShardNode struct {
	// Pod that the node runs in.
	Pod string `json:"pod"`
	// Role that the node has.
	// +optional
	Role Role `json:"role,omitempty"`
	// Link to the master.
	// +optional
	Link Link `json:"link,omitempty"`
	// Lag in sequence numbers behind the master, as of the last change of this status; 0 below the threshold of concern.
	// +optional
	Lag int64 `json:"lag,omitempty"`
}
