// Package v1alpha1 holds the API of the operator: [KVRocks], which people write, and [KVRocksTopology], the handshake
// between the hooks (which write its spec) and the sidecar (which writes its status).
//
// +kubebuilder:object:generate=true
// +groupName=kvrocks.apache.org
package v1alpha1

import (
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Group and Version name the API.
const (
	Group   = "kvrocks.apache.org"
	Version = "v1alpha1"
)

// GroupVersion returns the API group and version of every type in this package.
func GroupVersion() schema.GroupVersion { return schema.GroupVersion{Group: Group, Version: Version} }

// AddToScheme registers the types of this package.
func AddToScheme(s *runtime.Scheme) error {
	s.AddKnownTypes(GroupVersion(), &KVRocks{}, &KVRocksList{}, &KVRocksTopology{}, &KVRocksTopologyList{})
	metav1.AddToGroupVersion(s, GroupVersion())
	return nil
}
