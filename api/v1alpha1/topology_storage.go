package v1alpha1

import "k8s.io/apimachinery/pkg/api/resource"

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
