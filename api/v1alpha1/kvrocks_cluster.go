package v1alpha1

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/runtime"
)

// Migration says on which shard some slots should be.
type Migration struct {
	// Shard that the slots should be on, counted from 0.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=998
	Shard int32 `json:"shard"`
	// Slots as single numbers and ranges: "300", "1-2".
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=256
	Slots []WantedSlots `json:"slots"`
}

// SlotRange is one slot ("300") or a range of slots ("1-2"), within 0 to 16383.
//
// +kubebuilder:validation:MaxLength=11
type SlotRange string

// WantedSlots is a SlotRange that a person wrote.
//
// +kubebuilder:validation:MaxLength=11
// +kubebuilder:validation:XValidation:rule="self.matches('^[0-9]{1,5}(-[0-9]{1,5})?$')",message="a slot must be written as a number or a range, for example 300 or 1-2"
// +kubebuilder:validation:XValidation:rule="!self.matches('^[0-9]{1,5}(-[0-9]{1,5})?$') || self.split('-').all(s, int(s) <= 16383)",message="a slot must be between 0 and 16383"
// +kubebuilder:validation:XValidation:rule="!self.matches('^[0-9]{1,5}-[0-9]{1,5}$') || int(self.split('-')[0]) < int(self.split('-')[1])",message="a range of slots must go from the lower to the higher, for example 1-2; write a single slot as one number"
type WantedSlots string

// ClusterSpec holds settings of type cluster.
type ClusterSpec struct {
	// Etcd is kvrocks-controller's store.
	// +optional
	Etcd EtcdSpec `json:"etcd,omitempty"`
	// Controller is kvrocks-controller.
	// +optional
	Controller ControllerSpec `json:"controller,omitempty"`
	// Rebalance spreads the slots evenly, with as few moves as possible, when shards were added.
	// +optional
	Rebalance bool `json:"rebalance,omitempty"`
	// Drain moves the slots of shards that are to be removed to the remaining ones.
	// +optional
	Drain bool `json:"drain,omitempty"`
	// Migration tunes the moving of slots.
	// +optional
	Migration MigrationSpec `json:"migration,omitempty"`
}

// EtcdSpec is kvrocks-controller's store.
//
// +kubebuilder:validation:XValidation:rule="!has(self.replicas) || self.replicas == 1 || self.replicas == 3",message="spec.cluster.etcd.replicas must be 1 or 3"
type EtcdSpec struct {
	// Replicas of etcd: 1 or 3.
	// +optional
	// +kubebuilder:default=3
	Replicas int32 `json:"replicas,omitempty"`
	// Image of etcd. Default: the release that the operator was tested with.
	// +optional
	// +kubebuilder:validation:MaxLength=512
	Image string `json:"image,omitempty"`
	// Resources of the main container of each pod. Default: requests of 20m and 64Mi, limits of 1 and 512Mi; cpu and memory each, unless a
	// request or a limit of it is given.
	// +optional
	Resources *corev1.ResourceRequirements `json:"resources,omitempty"`
	// PodTemplate is merged into the template of the etcd pods; see spec.podTemplate, of which nothing is inherited. The container named
	// etcd is the operator's.
	// +optional
	// +kubebuilder:pruning:PreserveUnknownFields
	PodTemplate *runtime.RawExtension `json:"podTemplate,omitempty"`
	// Storage of each member, where the data nodes have volumes (spec.storage), of the same class.
	// +optional
	Storage *EtcdStorage `json:"storage,omitempty"`
	// Placement of the pods.
	Placement `json:",inline"`
}

// EtcdStorage says how large the volumes of etcd's members are.
type EtcdStorage struct {
	// Size of each volume, at least 1Gi, which is what they have when this is left out. A larger one expands the volumes while they are
	// in use, if their class allows that; they never shrink.
	// +kubebuilder:validation:XValidation:rule="isQuantity(string(self)) && quantity(string(self)).compareTo(quantity('1Gi')) >= 0",message="spec.cluster.etcd.storage.size must be a quantity of at least 1Gi, which holds etcd's log and its snapshots; write for example 2Gi"
	Size resource.Quantity `json:"size"`
}

// ControllerSpec is kvrocks-controller.
type ControllerSpec struct {
	// Replicas of kvrocks-controller.
	// +optional
	// +kubebuilder:default=1
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=9
	Replicas int32 `json:"replicas,omitempty"`
	// Image of kvrocks-controller. Default: the release that the operator was tested with.
	// +optional
	// +kubebuilder:validation:MaxLength=512
	Image string `json:"image,omitempty"`
	// Resources of the main container of each pod. Default: requests of 20m and 32Mi, limits of 500m and 256Mi; cpu and memory each, unless a
	// request or a limit of it is given.
	// +optional
	Resources *corev1.ResourceRequirements `json:"resources,omitempty"`
	// PodTemplate is merged into the template of the kvrocks-controller pods; see spec.podTemplate, of which nothing is inherited. The container named
	// controller is the operator's.
	// +optional
	// +kubebuilder:pruning:PreserveUnknownFields
	PodTemplate *runtime.RawExtension `json:"podTemplate,omitempty"`
	// Placement of the pods.
	Placement `json:",inline"`
}

// MigrationSpec tunes the moving of slots.
type MigrationSpec struct {
	// KeysPerSecond limits the speed of a migration on average: the slots go in parts of some seconds' worth of keys, each as fast as
	// kvrocks can, with pauses between. 0 means no limit.
	// +optional
	// +kubebuilder:validation:Minimum=0
	KeysPerSecond int32 `json:"keysPerSecond,omitempty"`
	// DeadlineSeconds is how long one range of slots may take from its start, with all its retries, before it is given up
	// and reported as Failed; 0 means no deadline. Default: 3600.
	// +optional
	// +kubebuilder:validation:Minimum=0
	DeadlineSeconds *int32 `json:"deadlineSeconds,omitempty"`
}
