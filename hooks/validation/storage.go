package validation

import (
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

// checkEtcdStorage refuses volumes of etcd where the data nodes have none, and too small ones.
func (c checker) checkEtcdStorage() string {
	storage := c.spec.Cluster.Etcd.Storage
	switch least := resource.MustParse(v1alpha1.DefaultEtcdStorage); {
	case storage == nil:
		return ""
	case c.spec.Storage == nil:
		return "spec.cluster.etcd.storage needs spec.storage: etcd has volumes when the data nodes do; set spec.storage, or leave spec.cluster.etcd.storage out"
	case storage.Size.Cmp(least) < 0:
		return "spec.cluster.etcd.storage.size must be a quantity of at least 1Gi, which holds etcd's log and its snapshots; write for example 2Gi"
	}
	return ""
}

// checkSmaller refuses sizes that volumes which are there cannot get, because they do not shrink.
func (c checker) checkSmaller() string {
	var before v1alpha1.TopologyStorage
	if t := c.observed.Topology; t != nil && t.Spec.Storage != nil {
		before = *t.Spec.Storage
	}
	if storage := c.spec.Storage; storage != nil && shrinks(storage.Size, before.Size, c.observed.Volumes.Data) {
		return "spec.storage.size cannot become smaller, because volumes do not shrink; write at least " +
			c.observed.Volumes.Data.String() + ", or create a new KVRocks and move the data"
	}
	if c.spec.Type != v1alpha1.TypeCluster || c.spec.Cluster.Etcd.Storage == nil {
		return ""
	}
	var etcd resource.Quantity
	if before.EtcdSize != nil {
		etcd = *before.EtcdSize
	}
	if shrinks(c.spec.Cluster.Etcd.Storage.Size, etcd, c.observed.Volumes.Etcd) {
		return "spec.cluster.etcd.storage.size cannot become smaller (it is 1Gi when it is left out), because volumes do not shrink; write at least " +
			c.observed.Volumes.Etcd.String()
	}
	return ""
}

// shrinks reports whether a size is smaller than the one that was wanted before, and than what claims ask for. A size that no claim asks
// for, because the expansion to it was refused, may be taken back. Claims that were larger from the start, because they were kept from a
// former instance, do not count. Before is zero when the version of the operator that made the topology did not say it.
func shrinks(size, before resource.Quantity, claims *resource.Quantity) bool {
	return claims != nil && size.Cmp(*claims) < 0 && (before.IsZero() || size.Cmp(before) < 0)
}
