package hooks

import (
	"maps"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/hooks/kvrocksconf"
)

// The claims of a StatefulSet are made from its template, which Kubernetes never lets change (keepImmutable). The sidecar expands those
// that are smaller than the topology asks for, among them the claims of pods that were added since.

// topologyStorage tells the sidecar how large the volumes are to be; nil when there are none.
func (in *instance) topologyStorage() *v1alpha1.TopologyStorage {
	if in.spec.Storage == nil {
		return nil
	}
	storage := &v1alpha1.TopologyStorage{Size: in.spec.Storage.Size}
	if in.spec.Type == v1alpha1.TypeCluster {
		storage.EtcdSize = &in.spec.Cluster.Etcd.Storage.Size
	}
	return storage
}

// volumeSizes returns the largest sizes that claims of the instance ask for, as the sidecar reports them, or will ask for, as the templates
// say; nil when there are none.
func (in *instance) volumeSizes() *v1alpha1.VolumeSizes {
	var sizes v1alpha1.VolumeSizes
	if in.topology != nil && in.topology.Status.Volumes != nil {
		sizes = *in.topology.Status.Volumes
	}
	for _, set := range sortedByKey(in.children.StatefulSets) {
		largest := &sizes.Data
		if set == in.etcdSet() {
			largest = &sizes.Etcd
		}
		if size := claimedSize(set); size != nil && (*largest == nil || size.Cmp(**largest) > 0) {
			*largest = size
		}
	}
	if sizes == (v1alpha1.VolumeSizes{}) {
		return nil
	}
	return &sizes
}

// claimedSize returns what the claims that are made for pods of a StatefulSet ask for; nil when there are none.
func claimedSize(set *appsv1.StatefulSet) *resource.Quantity {
	for i := range set.Spec.VolumeClaimTemplates {
		claim := &set.Spec.VolumeClaimTemplates[i]
		if size, ok := claim.Spec.Resources.Requests[corev1.ResourceStorage]; ok && claim.Name == v1alpha1.VolumeData {
			return &size
		}
	}
	return nil
}

// liveSettings returns the settings that the sidecar applies to running nodes. Those that follow from the size of the volumes are among them
// once these have grown; before, nodes were started with them.
func (in *instance) liveSettings() map[string]string {
	live := kvrocksconf.Live(in.spec)
	if set := in.firstDataSet(); set != nil && in.spec.Storage != nil {
		if size := claimedSize(set); size != nil && size.Cmp(in.spec.Storage.Size) < 0 {
			maps.Copy(live, kvrocksconf.LiveOfVolume(in.spec))
		}
	}
	return live
}

// expanding reports whether a reason is one of the sidecar's for volumes that are on their way to the wanted size: then a change is being
// carried out, and nothing is wrong.
func expanding(reason string) bool {
	switch reason {
	case v1alpha1.ReasonVolumesPending, v1alpha1.ReasonVolumesExpanding, v1alpha1.ReasonResizePending:
		return true
	}
	return false
}
