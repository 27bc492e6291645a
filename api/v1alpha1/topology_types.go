package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
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
	// ParentGeneration is the generation of the KVRocks that this spec was made from. A report on this spec is thereby a
	// report on that generation.
	// +optional
	ParentGeneration int64 `json:"parentGeneration,omitempty"`
	// Port that the nodes (or the sentinels) listen on.
	Port int32 `json:"port"`
	// PasswordSecret holds the password; absent when there is none.
	// +optional
	PasswordSecret *SecretKeyRef `json:"passwordSecret,omitempty"`
	// PasswordSecretVersion is the resourceVersion at which the hooks saw the Secret of the password; empty until they have.
	// When it changes the password may have changed, and is read again.
	// +optional
	PasswordSecretVersion string `json:"passwordSecretVersion,omitempty"`
	// Sentinel that monitors this instance; absent when none does.
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
	// ConfigEpoch counts how often settings were removed from Config. Every pod is restarted when it grows, because only a
	// process that starts has the default of what was removed.
	// +optional
	ConfigEpoch int64 `json:"configEpoch,omitempty"`
	// StorageWarnPercent is how full a volume may be, in percent, before StorageHealthy says so. 0 means that nothing is said:
	// the data lies on the disk of the machine.
	// +optional
	StorageWarnPercent int32 `json:"storageWarnPercent,omitempty"`
	// Storage says how large the volumes are to be; absent where there are none.
	// +optional
	Storage *TopologyStorage `json:"storage,omitempty"`
	// Migrate lists slots and the shard that they should be on.
	// +optional
	// +listType=atomic
	Migrate []TopologyMigration `json:"migrate,omitempty"`
	// Migration says how slots may move (cluster only).
	// +optional
	Migration *MigrationPolicy `json:"migration,omitempty"`
	// Upgrade lists the hashes of pod templates that a new version of the operator makes although no person changed the spec.
	// The sidecar grants them, a few instances at a time, in status.upgrade. The list stays until every pod runs with them.
	// +optional
	// +listType=atomic
	Upgrade []string `json:"upgrade,omitempty"`
	// Paused is true while no planned change may be begun: no move of a master but off a pod that ends, no replacement of pods, no
	// member or shard joins or leaves, no slot begins to move, no volume grows, no setting changes. Failover goes on, and what is under way ends.
	// +optional
	Paused bool `json:"paused,omitempty"`
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
	// KeysPerSecond limits the speed of a move on average: the slots go in parts of some seconds' worth of keys, each as fast as
	// kvrocks can, with pauses between. 0 means no limit.
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
	// Primary is the pod that is to be made master, once: see status.shards[].primarySwitched. Empty when none is named.
	// +optional
	Primary string `json:"primary,omitempty"`
	// Members are the pods that belong to the shard now, in ordinal order, with those that are about to leave.
	// +optional
	// +listType=map
	// +listMapKey=pod
	Members []Member `json:"members,omitempty"`
	// Handoff lists the pods that must not be master, because they are about to be removed.
	// +optional
	// +listType=set
	Handoff []string `json:"handoff,omitempty"`
	// Replace holds the pods that are to be replaced because they were made from another template than the present one,
	// each with its UID: the pod that comes in its place is another. The sidecar deletes them one at a time, each when every
	// other wanted member of the shard serves, and the master last, after one handover to a pod that is not listed.
	// +optional
	Replace map[string]types.UID `json:"replace,omitempty"`
}

// Member is a pod of a shard.
type Member struct {
	// Pod name.
	Pod string `json:"pod"`
	// Address is the ClusterIP of the pod's own Service, which is announced, monitored and registered.
	Address string `json:"address"`
}
