package scenarios

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

// What spec.podTemplate adds is rolled out with one handover, the master last, and runs in every pod; taken away, it costs another
// one and leaves nothing.
func TestAPodTemplateIsRolledOutAndLeavesNothing(t *testing.T) {
	t.Parallel()
	s, w := underLoad(t, "orders")
	change := func(podTemplate, what string, changed func(*corev1.Pod) bool) {
		began, master := time.Now(), s.master("orders")
		s.patch("orders", `{"spec":{"podTemplate":`+podTemplate+`}}`)
		s.everyPod("orders", what, changed)
		s.ready("orders", readyWithin)
		moves := s.moves("orders", began)
		t.Logf("%s: %v, longest write gap %s", what, moves, w.longestGap(began))
		assert.Len(t, moves, 1, what)
		assert.Equal(t, master, s.journal("orders").From, what)
	}
	change(fmt.Sprintf(`{
  "metadata": {"labels": {"team": "orders"}},
  "spec": {
    "serviceAccountName": "default",
    "securityContext": {"supplementalGroups": [4242]},
    "containers": [
      {"name": "kvrocks", "env": [{"name": "TEAM", "value": "orders"}], "livenessProbe": {"timeoutSeconds": 9}},
      {"name": "beside", "image": %q, "imagePullPolicy": "IfNotPresent", "command": ["sh", "-c", "trap exit TERM; sleep 3600 & wait"],
       "volumeMounts": [{"name": "data", "mountPath": "/data", "readOnly": true}], "resources": {"requests": {"cpu": 0.001}}}
    ]
  }
}`, v1alpha1.DefaultSentinelImage), "the podTemplate", func(pod *corev1.Pod) bool { return pod.Labels["team"] == "orders" && len(pod.Spec.Containers) == 2 })
	for name, pod := range s.pods("orders") {
		kvrocks := pod.Spec.Containers[0]
		assert.Equal(t, v1alpha1.ContainerKVRocks, kvrocks.Name, name)
		assert.Contains(t, kvrocks.Env, corev1.EnvVar{Name: "TEAM", Value: "orders"}, name)
		assert.EqualValues(t, 9, kvrocks.LivenessProbe.TimeoutSeconds, name)
		assert.Equal(t, []int64{4242}, pod.Spec.SecurityContext.SupplementalGroups, name)
		assert.Len(t, pod.Status.ContainerStatuses, 2, name)
	}

	change("null", "nothing of the podTemplate", func(pod *corev1.Pod) bool { return pod.Labels["team"] == "" && len(pod.Spec.Containers) == 1 })
	set, err := s.kube.AppsV1().StatefulSets(s.namespace).Get(s.ctx, "orders", metav1.GetOptions{})
	require.NoError(t, err)
	left := set.Spec.Template
	assert.NotContains(t, left.Labels, "team")
	assert.Empty(t, left.Spec.ServiceAccountName+left.Spec.DeprecatedServiceAccount)
	assert.Empty(t, left.Spec.SecurityContext.SupplementalGroups)
	assert.NotContains(t, left.Spec.Containers[0].Env, corev1.EnvVar{Name: "TEAM", Value: "orders"})

	acked := w.finish()
	assert.Empty(t, s.missing(s.direct(s.master("orders"), password), acked), "no acknowledged write may be lost")
	s.agreed("watch", "orders")
}
