package hooks

import (
	"testing"

	"github.com/stretchr/testify/assert"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

func TestWhyPodsAreNotMadeIsInReady(t *testing.T) {
	quota := `pods "x" is forbidden: exceeded quota: small`
	t.Run("of the data", func(t *testing.T) {
		w := newWorld(t, example(t, "standard-minimal.yaml"))
		for range 4 { // no pods: the StatefulSet controller does nothing
			w.sync()
			w.sidecar()
		}
		w.topology().Status.PodFailures = []v1alpha1.PodFailure{{StatefulSet: "demo", Message: quota}}
		w.set().Status.ObservedGeneration = w.set().Generation
		w.sync()
		assert.Contains(t, w.condition(v1alpha1.ConditionReady).Message, "the StatefulSet demo cannot make a pod: "+quota)
		assert.Equal(t, w.cr.Status.Reason, w.condition(v1alpha1.ConditionReady).Message)
		assert.Equal(t, v1alpha1.PhaseCreating, w.cr.Status.Phase)
	})
	t.Run("of etcd, while the data is there", func(t *testing.T) {
		w := settled(t, example(t, "cluster-minimal.yaml"))
		set := w.setNamed("shards-etcd")
		set.Status.Replicas, set.Status.ReadyReplicas = 2, 2
		w.topology().Status.PodFailures = []v1alpha1.PodFailure{{StatefulSet: "shards-etcd", Message: quota}}
		w.sync()
		assert.Contains(t, w.condition(v1alpha1.ConditionReady).Message, "the StatefulSet shards-etcd cannot make a pod: "+quota)
	})
	for name, c := range map[string]struct{ file, deployment string }{
		"of the sentinels":      {"sentinel-minimal.yaml", "sentinel"},
		"of kvrocks-controller": {"cluster-minimal.yaml", "shards-controller"},
	} {
		t.Run(name, func(t *testing.T) {
			w := settled(t, example(t, c.file))
			d := w.seen.Deployments["shop/"+c.deployment]
			d.Status.Replicas, d.Status.ReadyReplicas, d.Status.UpdatedReplicas = 0, 0, 0
			d.Status.Conditions = []appsv1.DeploymentCondition{{
				Type: appsv1.DeploymentReplicaFailure, Status: corev1.ConditionTrue, Reason: "FailedCreate", Message: quota,
				LastTransitionTime: metav1.NewTime(epoch),
			}}
			w.sync()
			assert.Equal(t, metav1.ConditionFalse, w.condition(v1alpha1.ConditionReady).Status)
			assert.Contains(t, w.condition(v1alpha1.ConditionReady).Message,
				"the Deployment "+c.deployment+" cannot make a pod: forbidden: exceeded quota: small", "without the name of a pod that will never be")
		})
	}
}

func TestATroubledPodIsNamedWhateverElseIsAwaited(t *testing.T) {
	w := settled(t, example(t, "standard-minimal.yaml"))
	w.broken = map[string]bool{newImage: true}
	w.change(func(cr *v1alpha1.KVRocks) { cr.Spec.Image = newImage })
	w.settle()
	ready := w.condition(v1alpha1.ConditionReady)
	assert.Equal(t, reasonRollingUpdate, ready.Reason)
	assert.Contains(t, ready.Message, "cannot start: ImagePullBackOff: the image "+newImage+" cannot be pulled")
}

func TestAnEvictedPodThatWasReplacedIsNotNamed(t *testing.T) {
	w := settled(t, example(t, "sentinel-minimal.yaml"))
	for name, status := range map[string]corev1.PodStatus{
		"sentinel-a": {Phase: corev1.PodFailed, Reason: "Evicted"},
		"sentinel-b": {Phase: corev1.PodPending},
	} {
		w.pods[name] = &corev1.Pod{ObjectMeta: metav1.ObjectMeta{
			Name: name, Namespace: "shop", Labels: map[string]string{v1alpha1.LabelComponent: v1alpha1.ComponentSentinel},
		}, Status: status}
	}
	for _, d := range w.seen.Deployments {
		d.Status.ReadyReplicas--
	}
	w.sync()
	assert.Contains(t, w.cr.Status.Reason, "waiting for the pod sentinel-b to be ready")
}
