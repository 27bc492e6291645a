package hooks

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

func sized(size string) func(*v1alpha1.KVRocks) {
	return func(cr *v1alpha1.KVRocks) { cr.Spec.Storage.Size = resource.MustParse(size) }
}

// claimed are the sizes in the claim templates of all StatefulSets.
func claimed(w *world) map[string]string {
	sizes := map[string]string{}
	for _, set := range sortedByKey(w.seen.StatefulSets) {
		sizes[set.Name] = claimedSize(set).String()
	}
	return sizes
}

func TestALargerSizeGoesToTheSidecarAndChangesNoTemplate(t *testing.T) {
	for _, file := range []string{"standard-full.yaml", "cluster-full.yaml"} {
		t.Run(file, func(t *testing.T) {
			w := settled(t, example(t, file))
			before, templates, epoch := claimed(w), map[string]string{}, w.topology().Spec.ConfigEpoch
			for name, set := range w.seen.StatefulSets {
				templates[name] = set.Spec.Template.Annotations[annotationTemplate]
			}
			w.onRemove = func(pod, why string) { t.Errorf("%s: %s", pod, why) }
			w.change(sized("2Gi"))
			w.sync()
			assert.Equal(t, "2Gi", w.topology().Spec.Storage.Size.String())
			assert.Equal(t, metav1.ConditionFalse, meta.FindStatusCondition(w.cr.Status.Conditions, v1alpha1.ConditionReady).Status)
			w.settle()
			assert.Equal(t, v1alpha1.PhaseRunning, w.cr.Status.Phase, w.cr.Status.Reason)
			assert.Equal(t, before, claimed(w), "Kubernetes would refuse it")
			for name, set := range w.seen.StatefulSets {
				assert.Equal(t, templates[name], set.Spec.Template.Annotations[annotationTemplate], name)
			}
			assert.Equal(t, "2Gi", w.cr.Status.Volumes.Data.String())

			// What follows from the size: in kvrocks.conf for the next start, and live as far as kvrocks takes it live.
			assert.Contains(t, w.seen.ConfigMaps["shop/"+configName(w.cr.Name)].Data[configFile], "\nrocksdb.wal_size_limit_mb 204\n")
			assert.Equal(t, "204", w.topology().Spec.Config["rocksdb.max_total_wal_size"])
			assert.Equal(t, epoch, w.topology().Spec.ConfigEpoch)
			for _, set := range w.seen.StatefulSets { // made again, with the size that is wanted now
				set.Spec.VolumeClaimTemplates[0].Spec.Resources.Requests["storage"] = resource.MustParse("2Gi")
			}
			w.settle()
			assert.NotContains(t, w.topology().Spec.Config, "rocksdb.max_total_wal_size")
			assert.Equal(t, epoch, w.topology().Spec.ConfigEpoch, "no setting was removed")
		})
	}
}

func TestEtcdsVolumesGrow(t *testing.T) {
	w := settled(t, example(t, "cluster-full.yaml"))
	w.onRemove = func(pod, why string) { t.Errorf("%s: %s", pod, why) }
	w.change(func(cr *v1alpha1.KVRocks) { cr.Spec.Cluster.Etcd.Storage.Size = resource.MustParse("4Gi") })
	w.settle()
	assert.Equal(t, "4Gi", w.topology().Spec.Storage.EtcdSize.String())
	assert.Equal(t, "2Gi", claimed(w)["catalog-etcd"])
	assert.Equal(t, "4Gi", w.cr.Status.Volumes.Etcd.String())
	assert.Equal(t, "1Gi", w.cr.Status.Volumes.Data.String())
}

func TestVolumesThatCannotShrink(t *testing.T) {
	w := settled(t, example(t, "standard-full.yaml"))
	w.change(sized("4Gi"))
	w.settle()
	before := w.fingerprintOfChildren()
	w.change(sized("3Gi"))
	w.sync()
	assert.Contains(t, w.cr.Status.Reason, "spec.storage.size cannot become smaller, because volumes do not shrink; write at least 4Gi")
	assert.Equal(t, before, w.fingerprintOfChildren())
	w.change(sized("5Gi"))
	w.settle()
	assert.Equal(t, v1alpha1.PhaseRunning, w.cr.Status.Phase)
}

// A quota, or a class that does not expand, must not hold an instance to a size that it cannot have.
func TestASizeThatNoVolumeGotMayBeTakenBack(t *testing.T) {
	w := settled(t, example(t, "standard-full.yaml"))
	w.change(sized("4Gi"))
	w.sync()
	w.change(sized("2Gi"))
	w.sync()
	assert.Equal(t, "2Gi", w.topology().Spec.Storage.Size.String())
	w.change(sized("512Mi"))
	w.sync()
	assert.Contains(t, w.cr.Status.Reason, "write at least 1Gi", "the volumes of added pods begin with it")
}

func TestVolumesOfAFormerInstanceMayBeLarger(t *testing.T) {
	w := settled(t, example(t, "standard-full.yaml"))
	w.topology().Status.Volumes.Data = new(resource.MustParse("100Gi"))
	w.sync()
	assert.Equal(t, v1alpha1.PhaseRunning, w.cr.Status.Phase, w.cr.Status.Reason)
	assert.Equal(t, "100Gi", w.cr.Status.Volumes.Data.String())
	w.change(sized("2Gi"))
	w.settle()
	assert.Equal(t, v1alpha1.PhaseRunning, w.cr.Status.Phase, w.cr.Status.Reason)
}

func TestWhatVolumesWaitFor(t *testing.T) {
	for reason, test := range map[string]struct {
		status                       metav1.ConditionStatus
		ready, progressing, degraded metav1.ConditionStatus
	}{
		"VolumesExpanding":        {metav1.ConditionFalse, metav1.ConditionFalse, metav1.ConditionTrue, metav1.ConditionFalse},
		"FileSystemResizePending": {metav1.ConditionFalse, metav1.ConditionFalse, metav1.ConditionTrue, metav1.ConditionFalse},
		"QuotaExceeded":           {metav1.ConditionFalse, metav1.ConditionFalse, metav1.ConditionFalse, metav1.ConditionTrue},
		"ClaimsUnreadable":        {metav1.ConditionUnknown, metav1.ConditionTrue, metav1.ConditionFalse, metav1.ConditionFalse},
	} {
		t.Run(reason, func(t *testing.T) {
			w := settled(t, example(t, "standard-full.yaml"))
			seen := meta.FindStatusCondition(w.topology().Status.Conditions, v1alpha1.ConditionStorageReady)
			require.NotNil(t, seen)
			seen.Status, seen.Reason, seen.Message = test.status, reason, "data-orders-0: it waits"
			w.sync()
			for kind, want := range map[string]metav1.ConditionStatus{
				v1alpha1.ConditionStorageReady: test.status, v1alpha1.ConditionReady: test.ready,
				v1alpha1.ConditionProgressing: test.progressing, v1alpha1.ConditionDegraded: test.degraded,
			} {
				c := meta.FindStatusCondition(w.cr.Status.Conditions, kind)
				require.NotNil(t, c, kind)
				assert.Equal(t, want, c.Status, kind)
			}
			if test.ready == metav1.ConditionFalse {
				assert.Equal(t, "data-orders-0: it waits", w.cr.Status.Reason)
			}
		})
	}
}

func TestASidecarThatKnowsNothingOfVolumesKeepsNothingFromBeingReady(t *testing.T) {
	w := settled(t, example(t, "standard-full.yaml"))
	status := &w.topology().Status
	meta.RemoveStatusCondition(&status.Conditions, v1alpha1.ConditionStorageReady)
	status.Volumes = nil
	w.sync()
	assert.Equal(t, v1alpha1.PhaseRunning, w.cr.Status.Phase, w.cr.Status.Reason)
	assert.Equal(t, metav1.ConditionUnknown, meta.FindStatusCondition(w.cr.Status.Conditions, v1alpha1.ConditionStorageReady).Status)
	w.change(sized("512Mi"))
	w.sync()
	assert.Contains(t, w.cr.Status.Reason, "write at least 1Gi")
}
