package v1alpha1

import "k8s.io/apimachinery/pkg/api/resource"

// Reasons of StorageReady while volumes are on their way to the wanted size. The sidecar gives them; for the hooks a change is being carried
// out then, and nothing is wrong.
const (
	// ReasonVolumesPending: a claim is not made yet, or has no volume yet.
	ReasonVolumesPending = "VolumesPending"
	// ReasonVolumesExpanding: the expansion was asked for.
	ReasonVolumesExpanding = "VolumesExpanding"
	// ReasonResizePending: the volume is larger, and its node is still to expand the file system.
	ReasonResizePending = "FileSystemResizePending"
)

// TopologyStorage says how large the volumes are to be. Those that are smaller are expanded; none shrinks.
type TopologyStorage struct {
	// Size of the volume of each data node.
	Size resource.Quantity `json:"size"`
	// EtcdSize is that of etcd's members (cluster only).
	// +optional
	EtcdSize *resource.Quantity `json:"etcdSize,omitempty"`
}

// VolumeSizes are the largest sizes that the claims of an instance ask for.
type VolumeSizes struct {
	// Data nodes.
	// +optional
	Data *resource.Quantity `json:"data,omitempty"`
	// Etcd's members (cluster only).
	// +optional
	Etcd *resource.Quantity `json:"etcd,omitempty"`
}
