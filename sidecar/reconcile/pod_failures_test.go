package reconcile

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

func TestWhyAPodIsMissingIsPassedOn(t *testing.T) {
	w := newWorld(t)
	key := w.standard("orders", 3)
	w.cluster.pods = w.cluster.pods[:1]
	quota := `pods "orders-1" is forbidden: exceeded quota: small`
	w.cluster.failures = map[string][]podFailure{"orders": {
		{"create Pod orders-0 in StatefulSet orders failed error: it is there by now", w.clock},
		{"create Pod orders-1 in StatefulSet orders failed error: a webhook", w.clock.Add(-time.Minute)},
		{"create Pod orders-1 in StatefulSet orders failed error: " + quota, w.clock},
		{"create Pod orders-10 in StatefulSet orders failed error: of no member", w.clock},
		{"create Claim data-orders-2 for Pod orders-2 in StatefulSet orders failed error: no longer so", w.clock.Add(-time.Hour)},
	}}
	_, err := w.Reconcile(t.Context(), key)
	require.NoError(t, err)
	assert.Equal(t, []v1alpha1.PodFailure{{StatefulSet: "orders", Message: quota}}, w.seen[0].PodFailures)

	w.cluster.failures["orders"] = w.cluster.failures["orders"][:2]
	w.clock = w.clock.Add(failureLife)
	_, err = w.Reconcile(t.Context(), key)
	require.NoError(t, err)
	assert.Empty(t, w.seen[1].PodFailures)
}

func TestEventsAreFoundByTheirStatefulSetAndWakeTheInstance(t *testing.T) {
	c, _ := watched(t)
	at := metav1.Now()
	event := &corev1.Event{
		ObjectMeta:     metav1.ObjectMeta{Namespace: testNamespace, Name: "e"},
		InvolvedObject: corev1.ObjectReference{Kind: "StatefulSet", Namespace: testNamespace, Name: "orders"},
		Message:        "no", LastTimestamp: at,
	}
	require.NoError(t, c.caches[""].failures.GetStore().Add(event))
	assert.Equal(t, []podFailure{{"no", at.Time}}, c.failuresOf(types.NamespacedName{Namespace: testNamespace, Name: "orders"}))
	assert.Empty(t, c.failuresOf(types.NamespacedName{Namespace: testNamespace, Name: "carts"}))

	var woken []string
	h := handlers{kubernetes: c, wake: func(key types.NamespacedName) { woken = append(woken, key.Name) }}
	h.ofFailures().OnAdd(event, false)
	shard := event.DeepCopy()
	shard.InvolvedObject.Name = "carts-2" // a shard, if carts were a cluster
	h.ofFailures().OnUpdate(event, shard)
	assert.Equal(t, []string{"orders", "carts"}, woken)
}
