package hooks

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

func (w *world) condition(kind string) metav1.Condition {
	w.t.Helper()
	found := meta.FindStatusCondition(w.cr.Status.Conditions, kind)
	require.NotNil(w.t, found, kind)
	return *found
}

func TestConditionsAreTimedByWhatWasObserved(t *testing.T) {
	w := newWorld(t, example(t, "standard-minimal.yaml"))
	w.sync()
	created := w.condition(v1alpha1.ConditionReady)
	assert.Equal(t, metav1.ConditionFalse, created.Status)
	assert.True(t, created.LastTransitionTime.Time.Equal(epoch), "nothing was observed but the parent")

	w.settle()
	ready := w.condition(v1alpha1.ConditionReady)
	assert.Equal(t, metav1.ConditionTrue, ready.Status)
	assert.True(t, ready.LastTransitionTime.After(epoch))
	assert.False(t, ready.LastTransitionTime.After(w.clock))

	w.clock = w.clock.Add(time.Hour)
	w.setReady(w.pods["demo-1"], false)
	w.controller()
	w.sync()
	later := w.condition(v1alpha1.ConditionReady)
	assert.Equal(t, metav1.ConditionFalse, later.Status)
	assert.True(t, later.LastTransitionTime.Time.Equal(w.clock), "the newest fact is the pod's condition")

	w.change(func(cr *v1alpha1.KVRocks) { cr.Spec.PodAnnotations = map[string]string{"a": "b"} })
	w.sync()
	again := w.condition(v1alpha1.ConditionReady)
	assert.Equal(t, later.LastTransitionTime, again.LastTransitionTime, "it did not change, only its reason did")
	assert.Equal(t, w.cr.Generation, again.ObservedGeneration)
}

func TestTheSidecarsConditionsAreCarriedOver(t *testing.T) {
	w := settled(t, example(t, "standard-minimal.yaml"))
	broken := meta.FindStatusCondition(w.topology().Status.Conditions, v1alpha1.ConditionReplicationHealthy)
	broken.Status, broken.Reason, broken.Message = metav1.ConditionFalse, "LinkDown", "demo-2 does not replicate"
	w.sync()
	shown := w.condition(v1alpha1.ConditionReplicationHealthy)
	assert.Equal(t, broken.LastTransitionTime, shown.LastTransitionTime)
	assert.Equal(t, "LinkDown", shown.Reason)
	assert.Equal(t, v1alpha1.PhaseDegraded, w.cr.Status.Phase)
	assert.Equal(t, "demo-2 does not replicate", w.cr.Status.Reason)
	assert.Equal(t, metav1.ConditionTrue, w.condition(v1alpha1.ConditionDegraded).Status)
	assert.Equal(t, metav1.ConditionFalse, w.condition(v1alpha1.ConditionReady).Status)
	assert.Equal(t, metav1.ConditionTrue, w.condition(v1alpha1.ConditionPrimaryAvailable).Status)
}

func TestWhatAPersonSeesOfASettledInstance(t *testing.T) {
	w := settled(t, example(t, "standard-minimal.yaml"))
	status := w.cr.Status
	assert.Equal(t, "3/3", status.Ready)
	assert.Equal(t, "demo-0", status.Master)
	assert.Equal(t, int32(3), status.Replicas)
	assert.Equal(t, "app.kubernetes.io/component=data,app.kubernetes.io/instance=demo,app.kubernetes.io/managed-by=kvrocks-operator", status.Selector)
	assert.Empty(t, status.Reason)
	require.Len(t, status.Shards, 1)
	assert.Len(t, status.Shards[0].Nodes, 3)

	w = settled(t, example(t, "sentinel-full.yaml"))
	assert.Equal(t, "5/5", w.cr.Status.Ready)
	assert.Equal(t, int32(3), w.cr.Status.Quorum)
}

func TestAPodThatCannotStartIsNamedWithTheReason(t *testing.T) {
	w := newWorld(t, example(t, "standard-minimal.yaml"))
	w.broken = map[string]bool{v1alpha1.DefaultKVRocksImage: true}
	w.settle()
	assert.Equal(t, v1alpha1.PhaseCreating, w.cr.Status.Phase)
	assert.Equal(t, "the pod demo-0 cannot start: ImagePullBackOff: the image "+v1alpha1.DefaultKVRocksImage+" cannot be pulled", w.cr.Status.Reason)
	assert.Equal(t, "0/3", w.cr.Status.Ready)
}

func TestAnInstanceThatNobodyMonitorsHasNoSuchCondition(t *testing.T) {
	cr := example(t, "standard-minimal.yaml")
	cr.Labels = nil
	w := settled(t, cr)
	assert.Nil(t, meta.FindStatusCondition(w.cr.Status.Conditions, v1alpha1.ConditionSentinelAgreed))
	assert.Nil(t, w.topology().Spec.Sentinel)
}
