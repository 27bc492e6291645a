package scenarios

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

// TestVolumesGrowWhileTheyServe: a larger size expands every claim under a writer, also those of pods that are added later; what an expansion
// waits for is said; a smaller size is refused, but for one that no claim has got. The volumes of the local cluster are directories, which
// no driver expands: the test plays the driver and the node on the status of the claims.
func TestVolumesGrowWhileTheyServe(t *testing.T) {
	t.Parallel()
	s := begin(t)
	class := s.expandableClass()
	s.apply(strings.Replace(standardCR("orders", 2, ""), "size: 1Gi,", "size: 1Gi, class: "+class+",", 1))
	s.ready("orders", readyWithin)
	s.condition("orders", v1alpha1.ConditionStorageReady, metav1.ConditionTrue, time.Minute)
	before, w := s.pods("orders"), s.write("orders-master", password)
	const storageReady = v1alpha1.ConditionStorageReady

	s.patch("orders", `{"spec":{"storage":{"size":"2Gi"}}}`)
	s.claimAsks("data-orders-0", "2Gi")
	s.claimAsks("data-orders-1", "2Gi")
	under := s.condition("orders", storageReady, metav1.ConditionFalse, time.Minute, "VolumesExpanding")
	assert.Contains(t, under.Message, "data-orders-0, data-orders-1: its driver is to expand it from 1Gi to 2Gi")
	s.event("orders", "VolumeExpansionStarted")
	s.claimHas("data-orders-0", "2Gi")
	s.claimHas("data-orders-1", "1Gi", corev1.PersistentVolumeClaimFileSystemResizePending)
	pending := s.condition("orders", storageReady, metav1.ConditionFalse, time.Minute, "FileSystemResizePending")
	assert.Contains(t, pending.Message, "data-orders-1: its node is to expand the file system")
	assert.NotContains(t, pending.Message, "data-orders-0")
	s.claimHas("data-orders-1", "2Gi")
	s.condition("orders", storageReady, metav1.ConditionTrue, time.Minute)
	s.event("orders", "VolumeExpanded")
	s.ready("orders", readyWithin)
	assert.Equal(t, uids(before), uids(s.pods("orders")), "no pod is replaced")
	for pod := range before {
		const live = "rocksdb.max_total_wal_size"
		assert.Equal(t, "204", s.direct(pod, password).ConfigGet(s.ctx, live).Val()[live])
	}

	s.patch("orders", `{"spec":{"replicas":3}}`)
	s.claimAsks("data-orders-2", "2Gi") // it was made from the template, with 1Gi
	s.claimHas("data-orders-2", "2Gi")
	s.ready("orders", readyWithin)

	_, err := s.dyn.Resource(kvrocksResource).Namespace(s.namespace).Patch(s.ctx, "orders", types.MergePatchType,
		[]byte(`{"spec":{"storage":{"size":"1500Mi"}}}`), metav1.PatchOptions{})
	require.ErrorContains(t, err, "spec.storage.size cannot become smaller, because volumes do not shrink")

	s.allowExpansion(class, false)
	s.patch("orders", `{"spec":{"storage":{"size":"3Gi"}}}`)
	unsupported := s.condition("orders", storageReady, metav1.ConditionFalse, time.Minute, "ExpansionUnsupported")
	assert.Contains(t, unsupported.Message, "the StorageClass "+class+" does not expand volumes")
	s.event("orders", "ExpansionUnsupported")
	s.patch("orders", `{"spec":{"storage":{"size":"2Gi"}}}`) // no claim got it, so it may be taken back
	s.ready("orders", readyWithin)
	s.allowExpansion(class, true)

	s.quota("6Gi")
	s.patch("orders", `{"spec":{"storage":{"size":"3Gi"}}}`)
	exceeded := s.condition("orders", storageReady, metav1.ConditionFalse, time.Minute, "QuotaExceeded")
	assert.Contains(t, exceeded.Message, "exceeded quota: storage")
	s.condition("orders", v1alpha1.ConditionPrimaryAvailable, metav1.ConditionTrue, time.Second)
	require.NoError(t, s.kube.CoreV1().ResourceQuotas(s.namespace).Delete(s.ctx, "storage", metav1.DeleteOptions{}))
	for pod := range s.pods("orders") {
		s.claimAsks("data-"+pod, "3Gi")
		s.claimHas("data-"+pod, "3Gi")
	}
	s.ready("orders", readyWithin)
	assert.Empty(t, s.missing(s.direct(s.master("orders"), password), w.finish()))
}

// expandableClass makes a StorageClass like the one of the local cluster that says of itself that it expands volumes, and returns its name.
func (s *scenario) expandableClass() string {
	s.Helper()
	classes := s.kube.StorageV1().StorageClasses()
	like, err := classes.Get(s.ctx, "standard", metav1.GetOptions{})
	require.NoError(s, err)
	class := &storagev1.StorageClass{
		ObjectMeta: metav1.ObjectMeta{Name: s.namespace}, Provisioner: like.Provisioner, AllowVolumeExpansion: new(true),
	}
	_, err = classes.Create(s.ctx, class, metav1.CreateOptions{})
	require.NoError(s, err)
	s.Cleanup(func() { _ = classes.Delete(s.ctx, class.Name, metav1.DeleteOptions{}) })
	return class.Name
}

func (s *scenario) allowExpansion(class string, allow bool) {
	s.Helper()
	_, err := s.kube.StorageV1().StorageClasses().Patch(s.ctx, class, types.MergePatchType,
		fmt.Appendf(nil, `{"allowVolumeExpansion":%t}`, allow), metav1.PatchOptions{})
	require.NoError(s, err)
}

// quota limits what the claims of the namespace may ask for together, and waits until it is in force.
func (s *scenario) quota(storage string) {
	s.Helper()
	quotas := s.kube.CoreV1().ResourceQuotas(s.namespace)
	_, err := quotas.Create(s.ctx, &corev1.ResourceQuota{
		ObjectMeta: metav1.ObjectMeta{Name: "storage"},
		Spec:       corev1.ResourceQuotaSpec{Hard: corev1.ResourceList{corev1.ResourceRequestsStorage: resource.MustParse(storage)}},
	}, metav1.CreateOptions{})
	require.NoError(s, err)
	s.eventually("the quota is in force", time.Minute, func() error {
		quota, err := quotas.Get(s.ctx, "storage", metav1.GetOptions{})
		if err == nil && len(quota.Status.Used) == 0 {
			err = errors.New("nothing is counted yet")
		}
		return err
	})
}

// claimAsks waits until a claim asks for a size. A refusal is tried again after a minute.
func (s *scenario) claimAsks(name, size string) {
	s.Helper()
	s.eventually(name+" asks for "+size, 100*time.Second, func() error {
		claim, err := s.kube.CoreV1().PersistentVolumeClaims(s.namespace).Get(s.ctx, name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		if asks := claim.Spec.Resources.Requests.Storage().String(); asks != size {
			return fmt.Errorf("it asks for %s", asks)
		}
		return nil
	})
}

// claimHas says of a claim what a storage driver and a node would: its capacity, and the conditions that are True.
func (s *scenario) claimHas(name, size string, conditions ...corev1.PersistentVolumeClaimConditionType) {
	s.Helper()
	claims := s.kube.CoreV1().PersistentVolumeClaims(s.namespace)
	s.eventually("the status of "+name+" is written", time.Minute, func() error {
		claim, err := claims.Get(s.ctx, name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		claim.Status.Capacity = corev1.ResourceList{corev1.ResourceStorage: resource.MustParse(size)}
		claim.Status.Conditions = nil
		for _, kind := range conditions {
			claim.Status.Conditions = append(claim.Status.Conditions, corev1.PersistentVolumeClaimCondition{Type: kind, Status: corev1.ConditionTrue})
		}
		_, err = claims.UpdateStatus(s.ctx, claim, metav1.UpdateOptions{})
		return err
	})
}
