package reconcile

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	clienttesting "k8s.io/client-go/testing"

	"k8s.io/client-go/tools/cache"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan"
)

// patches are the bodies of the patches since the last call.
func (w *world) patches() []string {
	var bodies []string
	for _, a := range w.client.Actions() {
		if p, ok := a.(clienttesting.PatchAction); ok {
			bodies = append(bodies, p.GetName()+"/"+p.GetSubresource()+" "+string(p.GetPatch()))
		}
	}
	w.client.ClearActions()
	return bodies
}

func TestGateIsGrantedToExactlyTheObservedPod(t *testing.T) {
	w := newWorld(t)
	key := w.standard("orders", 1)
	w.plan = plan.Plan{Actions: []plan.Action{plan.Attach{Pod: "orders-0"}}}
	_, err := w.Reconcile(t.Context(), key)
	require.NoError(t, err)
	assert.Equal(t, []string{`orders-0/status {"metadata":{"uid":"uid-orders-0","resourceVersion":"100"},` +
		`"status":{"conditions":[{"type":"kvrocks.apache.org/attached","status":"True","lastProbeTime":null,` +
		`"lastTransitionTime":"2026-01-02T03:04:05Z","reason":"Attached",` +
		`"message":"the node has its place in the instance"}]}}`}, w.patches())
}

func TestGateIsWithdrawnWhateverHappenedToThePodSince(t *testing.T) {
	w := newWorld(t)
	key := w.standard("orders", 1)
	w.plan = plan.Plan{Actions: []plan.Action{plan.Detach{Pod: "orders-0", Reason: "it is down"}}}
	_, err := w.Reconcile(t.Context(), key)
	require.NoError(t, err)
	patches := w.patches()
	require.Len(t, patches, 1)
	assert.NotContains(t, patches[0], "resourceVersion")
	assert.Contains(t, patches[0], `"uid":"uid-orders-0"`)
	assert.Contains(t, patches[0], `"status":"False"`)
	assert.Contains(t, patches[0], "it is down")
}

func TestRoleLabelIsSetAndRemoved(t *testing.T) {
	w := newWorld(t)
	key := w.standard("orders", 1)
	w.plan = plan.Plan{Actions: []plan.Action{
		plan.Label{Pod: "orders-0", Role: v1alpha1.RoleMaster}, plan.Label{Pod: "orders-0"},
	}}
	_, err := w.Reconcile(t.Context(), key)
	require.NoError(t, err)
	assert.Equal(t, []string{
		`orders-0/ {"metadata":{"uid":"uid-orders-0","labels":{"kvrocks.apache.org/role":"master"}}}`,
		`orders-0/ {"metadata":{"uid":"uid-orders-0","labels":{"kvrocks.apache.org/role":null}}}`,
	}, w.patches())
}

func TestStaleCacheDoesNotHideOwnWrites(t *testing.T) {
	w := newWorld(t)
	key := w.standard("orders", 1)
	c, err := newKubernetesCache(nil, w.client, func(string) cache.ListerWatcher { return &cache.ListWatch{} }, w.podWriter.overlay, w.written)
	require.NoError(t, err)
	all := c.caches[""]
	require.NoError(t, all.pods.GetStore().Add(w.cluster.pods[0].DeepCopy()))
	require.NoError(t, all.topologies.GetStore().Add(w.cluster.topologies[key].DeepCopy()))
	w.kubernetes = c

	w.plan = plan.Plan{
		Actions: []plan.Action{plan.Label{Pod: "orders-0", Role: v1alpha1.RoleMaster}}, Status: status(1), Intent: true,
	}
	// The fake API server does not count versions.
	w.client.PrependReactor("patch", "pods", func(clienttesting.Action) (bool, runtime.Object, error) {
		pod := w.cluster.pods[0].DeepCopy()
		pod.ResourceVersion, pod.Labels[v1alpha1.LabelRole] = "101", "master"
		return true, pod, nil
	})
	_, err = w.Reconcile(t.Context(), key)
	require.NoError(t, err)
	w.plan = plan.Plan{Status: status(1)}
	_, err = w.Reconcile(t.Context(), key)
	require.NoError(t, err)
	second := w.seen[1]
	assert.Equal(t, v1alpha1.RoleMaster, second.Pods["orders-0"].Role, "the cache still shows the pod without the label")
	assert.Equal(t, int64(1), second.Topology.Status.ObservedGeneration, "and the topology without the report")

	gone := types.NamespacedName{Namespace: testNamespace, Name: "orders-0"}
	handlers{kubernetes: c, podGone: w.sentinels.forget}.gone(w.cluster.pods[0])
	assert.NotContains(t, w.podWriter.overlay.written, gone)
}

func TestWhatAVolumeRemembersIsKeptOfAPod(t *testing.T) {
	ended := func(name, message string) corev1.ContainerStatus {
		return corev1.ContainerStatus{Name: name, State: corev1.ContainerState{
			Terminated: &corev1.ContainerStateTerminated{Message: message},
		}}
	}
	pod := &corev1.Pod{Status: corev1.PodStatus{InitContainerStatuses: []corev1.ContainerStatus{
		ended("somebody-elses", "ready"), ended(v1alpha1.ContainerRecall, "version 7\n"), ended("another", ""),
	}}}
	trimmed, err := trimPod(pod)
	require.NoError(t, err)
	assert.Equal(t, "version 7\n", factsOf(trimmed.(*corev1.Pod)).Saved)

	pod.Status.InitContainerStatuses = nil
	assert.Empty(t, factsOf(pod).Saved)
}

func TestAPodIsDeletedOnlyWhileItIsTheObservedOne(t *testing.T) {
	w := newWorld(t)
	key := w.standard("orders", 1)
	var deletions []clienttesting.DeleteAction
	gone := false
	w.client.PrependReactor("delete", "pods", func(a clienttesting.Action) (bool, runtime.Object, error) {
		deletions = append(deletions, a.(clienttesting.DeleteAction))
		if gone {
			return true, nil, apierrors.NewConflict(corev1.Resource("pods"), "orders-0", errors.New("the UID in the precondition does not match"))
		}
		return true, nil, nil
	})
	w.plan = plan.Plan{Actions: []plan.Action{plan.DeletePod{Pod: "orders-0", UID: "uid-orders-0"}}}
	_, err := w.Reconcile(t.Context(), key)
	require.NoError(t, err)
	require.Len(t, deletions, 1)
	require.NotNil(t, deletions[0].GetDeleteOptions().Preconditions)
	assert.Equal(t, types.UID("uid-orders-0"), *deletions[0].GetDeleteOptions().Preconditions.UID)
	assert.Nil(t, deletions[0].GetDeleteOptions().GracePeriodSeconds, "it gets the grace that it asks for")

	gone = true
	_, err = w.Reconcile(t.Context(), key)
	require.ErrorIs(t, err, errGone)
	assert.True(t, isConflict(err))
}
