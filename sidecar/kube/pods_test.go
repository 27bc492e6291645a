package kube

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	clienttesting "k8s.io/client-go/testing"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/kube/kubetest"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan"
)

func TestGateIsGrantedToExactlyTheObservedPod(t *testing.T) {
	w := watched(t)
	require.NoError(t, w.writer.Attach(t.Context(), w.pod("orders-0")))
	assert.Equal(t, []string{`orders-0/status {"metadata":{"uid":"uid-orders-0","resourceVersion":"100"},` +
		`"status":{"conditions":[{"type":"kvrocks.apache.org/attached","status":"True","lastProbeTime":null,` +
		`"lastTransitionTime":"2026-01-02T03:04:05Z","reason":"Attached",` +
		`"message":"the node has its place in the instance"}]}}`}, w.patches())
}

func TestGateIsWithdrawnWhateverHappenedToThePodSince(t *testing.T) {
	w := watched(t)
	require.NoError(t, w.writer.Detach(t.Context(), w.pod("orders-0"), "it is down"))
	patches := w.patches()
	require.Len(t, patches, 1)
	assert.NotContains(t, patches[0], "resourceVersion")
	assert.Contains(t, patches[0], `"uid":"uid-orders-0"`)
	assert.Contains(t, patches[0], `"status":"False"`)
	assert.Contains(t, patches[0], "it is down")
}

func TestRoleLabelIsSetAndRemoved(t *testing.T) {
	w := watched(t)
	require.NoError(t, w.writer.Label(t.Context(), w.pod("orders-0"), v1alpha1.RoleMaster))
	require.NoError(t, w.writer.Label(t.Context(), w.pod("orders-0"), ""))
	assert.Equal(t, []string{
		`orders-0/ {"metadata":{"uid":"uid-orders-0","labels":{"kvrocks.apache.org/role":"master"}}}`,
		`orders-0/ {"metadata":{"uid":"uid-orders-0","labels":{"kvrocks.apache.org/role":null}}}`,
	}, w.patches())
}

func TestWhatAVolumeRemembersIsKeptOfAPod(t *testing.T) {
	ended := func(name, message string) corev1.ContainerStatus {
		return corev1.ContainerStatus{Name: name, State: corev1.ContainerState{
			Terminated: &corev1.ContainerStateTerminated{Message: message},
		}}
	}
	pod := &corev1.Pod{Status: corev1.PodStatus{InitContainerStatuses: []corev1.ContainerStatus{
		ended("injected", "ready"), ended(v1alpha1.ContainerRecall, "version 7\n"), ended("another", ""),
	}}}
	trimmed, err := trimPod(pod)
	require.NoError(t, err)
	assert.Equal(t, "version 7\n", FactsOf(trimmed.(*corev1.Pod)).Saved)

	pod.Status.InitContainerStatuses = nil
	assert.Empty(t, FactsOf(pod).Saved)
}

func TestAPodIsDeletedOnlyWhileItIsTheObservedOne(t *testing.T) {
	w := watched(t)
	var deletions []clienttesting.DeleteAction
	gone := false
	w.client.PrependReactor("delete", "pods", func(a clienttesting.Action) (bool, runtime.Object, error) {
		deletions = append(deletions, a.(clienttesting.DeleteAction))
		if gone {
			return true, nil, apierrors.NewConflict(corev1.Resource("pods"), "orders-0", errors.New("the UID in the precondition does not match"))
		}
		return true, nil, nil
	})
	require.NoError(t, w.writer.Delete(t.Context(), w.pod("orders-0"), "uid-orders-0"))
	require.Len(t, deletions, 1)
	require.NotNil(t, deletions[0].GetDeleteOptions().Preconditions)
	assert.Equal(t, types.UID("uid-orders-0"), *deletions[0].GetDeleteOptions().Preconditions.UID)
	assert.Nil(t, deletions[0].GetDeleteOptions().GracePeriodSeconds, "it gets the grace that it asks for")

	gone = true
	require.ErrorIs(t, w.writer.Delete(t.Context(), w.pod("orders-0"), "uid-orders-0"), ErrGone)
}

func TestPodFacts(t *testing.T) {
	pod := kubetest.DataPod("orders", 0)
	pod.Labels[v1alpha1.LabelRole] = "master"
	since := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	condition := func(of corev1.PodConditionType, status corev1.ConditionStatus) corev1.PodCondition {
		return corev1.PodCondition{Type: of, Status: status, LastTransitionTime: metav1.NewTime(since)}
	}
	for name, test := range map[string]struct {
		gate, ready corev1.ConditionStatus
		want        plan.Pod
	}{
		"ready":                        {"True", "True", plan.Pod{Attached: true, ReadySince: since}},
		"attached, in no Service yet":  {"True", "False", plan.Pod{Attached: true, Unready: true}},
		"detached, in the Service yet": {"False", "True", plan.Pod{}},
		"waits for its place":          {"False", "False", plan.Pod{}},
	} {
		pod.Status.Conditions = []corev1.PodCondition{condition(corev1.PodReady, test.ready), condition(v1alpha1.AttachedGate, test.gate)}
		test.want.UID, test.want.IP, test.want.Running, test.want.Role = "uid-orders-0", "10.0.6.0", true, v1alpha1.RoleMaster
		assert.Equal(t, test.want, FactsOf(pod).Pod, name)
		trimmed, err := trimPod(pod)
		require.NoError(t, err)
		assert.Equal(t, FactsOf(pod), FactsOf(trimmed.(*corev1.Pod)), "nothing that is read gets trimmed: "+name)
	}

	pod.Status.Phase = corev1.PodFailed
	assert.Empty(t, FactsOf(pod).IP, "the IP of a pod that has ended may belong to another one")
}
