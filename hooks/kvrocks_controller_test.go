package hooks

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

func (w *world) kvctl() *appsv1.Deployment {
	return w.seen.Deployments["shop/"+controllerName(w.cr.Name)]
}

func (w *world) kvctlConfig() string {
	return w.seen.ConfigMaps["shop/"+controllerName(w.cr.Name)].Data[controllerFile]
}

func TestKvrocksControllerIsSlowWhereSentinelsWatch(t *testing.T) {
	w := settled(t, example(t, "cluster-minimal.yaml"))
	assert.Equal(t, `storage_type: etcd
etcd:
  addrs: ["shards-etcd.shop.svc:2379"]
controller:
  failover:
    ping_interval_seconds: 20
    max_ping_count: 3
`, w.kvctlConfig())

	w.change(func(cr *v1alpha1.KVRocks) {
		cr.Spec.Failover = &v1alpha1.Failover{DownAfterMilliseconds: 60000, FailoverTimeoutMilliseconds: 180000}
	})
	w.sync()
	assert.Contains(t, w.kvctlConfig(), "ping_interval_seconds: 120\n", "it comes after all that the sentinels may take")

	before := w.kvctl().Spec.Template.Annotations[annotationConfig]
	w.change(func(cr *v1alpha1.KVRocks) { cr.Labels = nil })
	w.sync()
	assert.Contains(t, w.kvctlConfig(), "ping_interval_seconds: 30\n", "it waits for as long as downAfterMilliseconds says")
	assert.NotEqual(t, before, w.kvctl().Spec.Template.Annotations[annotationConfig], "it reads its configuration once")
}

func TestKvrocksControllerHeedsDownAfterWithoutSentinels(t *testing.T) {
	w := settled(t, example(t, "cluster-minimal.yaml"))
	for downAfter, seconds := range map[int32]int{500: 1, 2000: 1, 2001: 2, 4000: 2, 5000: 3, 60000: 30, 600000: 300} {
		w.change(func(cr *v1alpha1.KVRocks) {
			cr.Labels, cr.Spec.Failover = nil, &v1alpha1.Failover{DownAfterMilliseconds: downAfter}
		})
		w.sync()
		assert.Contains(t, w.kvctlConfig(), fmt.Sprintf("ping_interval_seconds: %d\n    max_ping_count: 3\n", seconds), "of %d ms", downAfter)
	}
}

func TestKvrocksControllerIsReplacedWhenTheSidecarAsksForIt(t *testing.T) {
	w := settled(t, example(t, "cluster-full.yaml"))
	before := w.kvctl().Annotations[lastApplied]
	w.topology().Status.ControllerEpoch = 2
	w.sync()
	assert.NotEqual(t, before, w.kvctl().Annotations[lastApplied])
	assert.Equal(t, "2", w.kvctl().Spec.Template.Annotations[annotationEpoch])
	w.sync()
	changed := w.kvctl().Annotations[lastApplied]
	w.settle()
	assert.Equal(t, changed, w.kvctl().Annotations[lastApplied])
}

func TestKvrocksControllerAnswersAtAnAddressOfItsOwn(t *testing.T) {
	w := settled(t, example(t, "cluster-full.yaml"))
	container := w.kvctl().Spec.Template.Spec.Containers[0]
	assert.Equal(t, "KVROCKS_CONTROLLER_HTTP_HOST", container.Env[0].Name)
	assert.Equal(t, "status.podIP", container.Env[0].ValueFrom.FieldRef.FieldPath)
	assert.NotContains(t, w.kvctlConfig(), "\naddr:", "it would win over the environment")
}

func TestAClusterWhoseControllerIsAwaySaysSo(t *testing.T) {
	w := settled(t, example(t, "cluster-minimal.yaml"))
	w.kvctl().Status.ReadyReplicas = 0
	w.sync()
	assert.Equal(t, v1alpha1.PhaseDegraded, w.cr.Status.Phase)
	assert.Equal(t, reasonPodsNotReady, w.condition(v1alpha1.ConditionReady).Reason)
}

func TestKvrocksControllerLeavesALostMachineAtOnce(t *testing.T) {
	of := func(t corev1.Toleration) string { return fmt.Sprint(t.Key, " ", *t.TolerationSeconds) }
	w := settled(t, example(t, "cluster-minimal.yaml"))
	list := w.kvctl().Spec.Template.Spec.Tolerations
	require.Len(t, list, 2)
	assert.Equal(t, []string{"node.kubernetes.io/not-ready 5", "node.kubernetes.io/unreachable 5"}, []string{of(list[0]), of(list[1])})

	minute := int64(60)
	w.change(func(cr *v1alpha1.KVRocks) {
		cr.Spec.Toleration = []corev1.Toleration{{Key: corev1.TaintNodeUnreachable, Operator: corev1.TolerationOpExists, TolerationSeconds: &minute}}
	})
	w.sync()
	list = w.kvctl().Spec.Template.Spec.Tolerations
	require.Len(t, list, 2, "what the spec says stays")
	assert.Equal(t, []string{"node.kubernetes.io/unreachable 60", "node.kubernetes.io/not-ready 5"}, []string{of(list[0]), of(list[1])})
}
