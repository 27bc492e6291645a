package hooks

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/metacontroller"
)

// deleting is an instance whose deletion was asked for and answered once.
func deleting(t *testing.T) (w *world, finalize func() bool) {
	t.Helper()
	w = settled(t, example(t, "standard-minimal.yaml"))
	w.change(func(cr *v1alpha1.KVRocks) { cr.DeletionTimestamp = &metav1.Time{Time: epoch.Add(time.Hour)} })
	finalize = func() bool {
		response := finalizing(w).(*metacontroller.FinalizeResponse)
		w.apply(&response.SyncResponse)
		return response.Finalized
	}
	require.False(t, finalize())
	return w, finalize
}

func TestADeletionSaysWhatItWaitsFor(t *testing.T) {
	w, finalize := deleting(t)
	assert.Equal(t, "asking the sidecar to release the instance", w.cr.Status.Reason)

	finalize()
	assert.Contains(t, w.cr.Status.Reason, "waiting since 2026-01-02T04:04:05Z for the sidecar, which has answered generation")
	assert.Contains(t, w.cr.Status.Reason, "kubectl -n kvrocks-system get deployment kvrocks-sidecar")
	assert.Contains(t, w.cr.Status.Reason, "kubectl -n shop annotate kvrocks demo kvrocks.apache.org/release=skip")
	assert.Equal(t, w.cr.Status.Reason, w.condition(v1alpha1.ConditionReady).Message)
	assert.Equal(t, metav1.ConditionTrue, w.condition(v1alpha1.ConditionProgressing).Status)
	assert.Equal(t, metav1.ConditionTrue, w.condition(v1alpha1.ConditionPrimaryAvailable).Status, "it still serves")
	assert.Equal(t, "demo-0", w.cr.Status.Master)

	w.sidecar()
	w.topology().Status.Released = false
	meta.FindStatusCondition(w.topology().Status.Conditions, v1alpha1.ConditionSentinelAgreed).Message = "sentinel-1 does not answer"
	finalize()
	assert.Contains(t, w.cr.Status.Reason, "until it is released; the sidecar is removing what refers to the instance: sentinel-1 does not answer")

	w.sidecar()
	finalize()
	w.controller()
	w.pods["demo-1"].Spec.NodeName, w.pods["demo-1"].Finalizers = "machine-7", []string{"example.org/keep"}
	w.pods["demo-1"].DeletionTimestamp = &metav1.Time{Time: epoch}
	finalize()
	assert.Equal(t, "waiting for 3 pods to end, demo-1 among them (on the node machine-7, due to have ended by 2026-01-02T03:04:05Z, "+
		"held by its finalizer example.org/keep); if its machine is lost, delete it by force: kubectl -n shop delete pod demo-1 --force --grace-period=0",
		w.cr.Status.Reason)
	assert.Equal(t, metav1.ConditionFalse, w.condition(v1alpha1.ConditionPrimaryAvailable).Status, "its pods end")
	assert.Empty(t, w.cr.Status.Master)

	clear(w.pods)
	assert.True(t, finalize())
}

func TestADeletionGoesOnWithoutTheSidecarWhenAPersonSaysSo(t *testing.T) {
	w, finalize := deleting(t)
	for range 3 {
		require.False(t, finalize())
	}
	require.NotNil(t, w.set())
	w.cr.Annotations = map[string]string{v1alpha1.AnnotationRelease: v1alpha1.ReleaseSkipped}
	assert.False(t, finalize())
	assert.Nil(t, w.set())
	clear(w.pods)
	assert.True(t, finalize())
}

func TestARefusedInstanceGoesOnShowingWhatIsObserved(t *testing.T) {
	w := settled(t, example(t, "standard-minimal.yaml"))
	before := w.cr.Generation
	w.change(func(cr *v1alpha1.KVRocks) { cr.Spec.KVRocksConfig = v1alpha1.KVRocksConfig{"requirepass": "secret"} })
	w.sync()
	assert.Equal(t, v1alpha1.PhaseFailed, w.cr.Status.Phase)

	w.masters[0] = "demo-2"
	w.setReady(w.pods["demo-0"], false)
	w.pods["demo-0"].Status.ContainerStatuses[0].Ready = false
	w.controller()
	w.sidecar()
	primary := meta.FindStatusCondition(w.topology().Status.Conditions, v1alpha1.ConditionPrimaryAvailable)
	primary.Status, primary.Reason = metav1.ConditionFalse, "MasterDown"
	w.sync()
	assert.Equal(t, "demo-2", w.cr.Status.Master)
	assert.Equal(t, "2/3", w.cr.Status.Ready)
	assert.Equal(t, metav1.ConditionFalse, w.condition(v1alpha1.ConditionPrimaryAvailable).Status)
	assert.Equal(t, before, w.condition(v1alpha1.ConditionPrimaryAvailable).ObservedGeneration)
	assert.Equal(t, w.cr.Generation, w.condition(v1alpha1.ConditionReady).ObservedGeneration)
}
