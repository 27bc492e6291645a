package kube

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/kube/kubetest"
)

func TestWhyAPodIsMissingIsPassedOn(t *testing.T) {
	w := newWorld(t)
	w.standard("orders", 3, nil)
	orders, _ := w.Topology(named("orders"))
	failed := func(message string, ago time.Duration) {
		require.NoError(t, w.caches[""].failures.GetStore().Add(&corev1.Event{
			ObjectMeta:     metav1.ObjectMeta{Namespace: kubetest.Namespace, Name: message},
			InvolvedObject: corev1.ObjectReference{Kind: "StatefulSet", Namespace: kubetest.Namespace, Name: "orders"},
			Message:        message, LastTimestamp: metav1.NewTime(w.clock.Add(-ago)),
		}))
	}
	quota := `pods "orders-1" is forbidden: exceeded quota: small`
	failed("create Pod orders-0 in StatefulSet orders failed error: it is there by now", 0)
	failed("create Pod orders-1 in StatefulSet orders failed error: a webhook", time.Minute)
	failed("create Pod orders-1 in StatefulSet orders failed error: "+quota, 0)
	failed("create Pod orders-10 in StatefulSet orders failed error: of no member", 0)
	failed("create Claim data-orders-2 for Pod orders-2 in StatefulSet orders failed error: no longer so", time.Hour)
	pods := map[string]*corev1.Pod{"orders-0": w.pod("orders-0")}
	assert.Equal(t, []v1alpha1.PodFailure{{StatefulSet: "orders", Message: quota}}, w.PodFailures(orders, pods, w.clock))
	assert.Empty(t, w.PodFailures(orders, pods, w.clock.Add(failureLife)))
	assert.Empty(t, w.PodFailures(orders, w.PodsOf(named("orders"), v1alpha1.ComponentData), w.clock), "no pod is missing")
}

func TestEventsAreFoundByTheirStatefulSetAndWakeTheInstance(t *testing.T) {
	w := watched(t)
	at := metav1.Now()
	event := &corev1.Event{
		ObjectMeta:     metav1.ObjectMeta{Namespace: kubetest.Namespace, Name: "e"},
		InvolvedObject: corev1.ObjectReference{Kind: "StatefulSet", Namespace: kubetest.Namespace, Name: "orders"},
		Message:        "no", LastTimestamp: at,
	}
	require.NoError(t, w.caches[""].failures.GetStore().Add(event))
	assert.Equal(t, []podFailure{{"no", at.Time}}, w.failuresOf(named("orders")))
	assert.Empty(t, w.failuresOf(named("carts")))

	var woken []string
	h := handlers{cache: w.Cache, wake: func(key types.NamespacedName) { woken = append(woken, key.Name) }}
	h.ofFailures().OnAdd(event, false)
	shard := event.DeepCopy()
	shard.InvolvedObject.Name = "carts-2" // a shard, if carts were a cluster
	h.ofFailures().OnUpdate(event, shard)
	assert.Equal(t, []string{"orders", "carts"}, woken)
}
