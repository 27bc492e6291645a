package kube

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/rest"
	clienttesting "k8s.io/client-go/testing"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/kube/kubetest"
)

func TestCacheFindsWhatBelongsTogether(t *testing.T) {
	w := watched(t)
	assert.Len(t, w.PodsOf(named("orders"), v1alpha1.ComponentData), 2)
	assert.Empty(t, w.PodsOf(named("orders"), v1alpha1.ComponentSentinel))
	assert.Len(t, w.PodsOf(named("watch"), v1alpha1.ComponentSentinel), 1)
	assert.Len(t, w.MonitoredBy(named("watch")), 2)
	assert.Len(t, w.AllTopologies(), 3)
	assert.Equal(t, kubetest.Namespace+"/orders-1", w.PodAt("10.9.6.1"))
	assert.Empty(t, w.PodAt("10.9.9.200"))
	assert.Empty(t, w.PodAt(""))
	_, ok := w.Topology(named("none"))
	assert.False(t, ok)
}

func TestOnlyTheNamedNamespacesAreWatched(t *testing.T) {
	topologies, err := NewTopologyClient(&rest.Config{})
	require.NoError(t, err)
	client := fake.NewClientset()
	c, err := NewCache([]string{"a", "b"}, client, topologies, NewPodWriter(client.CoreV1(), time.Now), NewClaimWriter(client.CoreV1()))
	require.NoError(t, err)
	assert.Len(t, c.caches, 2)
	elsewhere := types.NamespacedName{Namespace: "c", Name: "orders"}
	_, ok := c.Topology(elsewhere)
	assert.False(t, ok)
	assert.Empty(t, c.PodsOf(elsewhere, v1alpha1.ComponentData))
	assert.Empty(t, c.MonitoredBy(elsewhere))
}

func TestStaleCacheDoesNotHideOwnWrites(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var sent v1alpha1.KVRocksTopology
		assert.NoError(t, json.NewDecoder(r.Body).Decode(&sent))
		sent.APIVersion, sent.Kind, sent.ResourceVersion = v1alpha1.GroupVersion().String(), "KVRocksTopology", "11"
		w.Header().Set("Content-Type", "application/json")
		assert.NoError(t, json.NewEncoder(w).Encode(&sent))
	}))
	defer server.Close()
	w := watched(t)
	topologies, err := NewTopologyClient(&rest.Config{Host: server.URL})
	require.NoError(t, err)
	w.topologies = topologies.written
	// The fake API server does not count versions.
	w.client.PrependReactor("patch", "pods", func(clienttesting.Action) (bool, runtime.Object, error) {
		pod := w.pod("orders-0").DeepCopy()
		pod.ResourceVersion, pod.Labels[v1alpha1.LabelRole] = "101", "master"
		return true, pod, nil
	})
	require.NoError(t, w.writer.Label(t.Context(), w.pod("orders-0"), v1alpha1.RoleMaster))
	orders, _ := w.Topology(named("orders"))
	orders = orders.DeepCopy()
	orders.Status.ObservedGeneration = 1
	require.NoError(t, topologies.UpdateStatus(t.Context(), orders))

	pod := w.PodsOf(named("orders"), v1alpha1.ComponentData)["orders-0"]
	assert.Equal(t, v1alpha1.RoleMaster, FactsOf(pod).Role, "the cache still shows the pod without the label")
	assert.Equal(t, pod, w.writer.Newest(w.pod("orders-0")))
	orders, _ = w.Topology(named("orders"))
	assert.Equal(t, int64(1), orders.Status.ObservedGeneration, "and the topology without the report")

	handlers{cache: w.Cache, podGone: func(types.NamespacedName, types.UID) {}}.gone(pod)
	assert.Empty(t, w.writer.written.written)
	require.NoError(t, w.caches[""].topologies.GetStore().Delete(orders))
	_, ok := w.Topology(named("orders"))
	assert.False(t, ok)
	assert.Empty(t, topologies.written.written)
}

func TestReportGoesToTheStatusSubresource(t *testing.T) {
	var path string
	var sent v1alpha1.KVRocksTopology
	answer, code := "", http.StatusOK
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path = r.Method + " " + r.URL.Path
		assert.NoError(t, json.NewDecoder(r.Body).Decode(&sent))
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(code)
		_, _ = io.WriteString(w, answer)
	}))
	defer server.Close()
	client, err := NewTopologyClient(&rest.Config{Host: server.URL})
	require.NoError(t, err)
	topology := topologyNamed("orders")
	topology.Status.ObservedGeneration = 3

	answer = `{"apiVersion":"kvrocks.apache.org/v1alpha1","kind":"KVRocksTopology",` +
		`"metadata":{"namespace":"ns","name":"orders","resourceVersion":"11"}}`
	require.NoError(t, client.UpdateStatus(t.Context(), topology))
	assert.Equal(t, "PUT /apis/kvrocks.apache.org/v1alpha1/namespaces/ns/kvrockstopologies/orders/status", path)
	assert.Equal(t, "10", sent.ResourceVersion, "a newer topology makes it a conflict")
	assert.Equal(t, int64(3), sent.Status.ObservedGeneration)
	assert.Equal(t, "11", client.written.written[named("orders")].ResourceVersion)

	code = http.StatusConflict
	answer = `{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Conflict","code":409}`
	err = client.UpdateStatus(t.Context(), topology)
	assert.True(t, apierrors.IsConflict(err), "got %v", err)
}

func TestOverlayShowsOwnWritesUntilTheCacheHasThem(t *testing.T) {
	pod := func(uid, version string) *corev1.Pod {
		return &corev1.Pod{ObjectMeta: metav1.ObjectMeta{
			Namespace: "ns", Name: "p", UID: types.UID(uid), ResourceVersion: version,
		}}
	}
	tests := map[string]struct{ written, cached, want *corev1.Pod }{
		"cache behind":                     {pod("a", "12"), pod("a", "9"), pod("a", "12")},
		"cache level":                      {pod("a", "12"), pod("a", "12"), pod("a", "12")},
		"cache ahead":                      {pod("a", "12"), pod("a", "100"), pod("a", "100")},
		"replaced by a pod of the name":    {pod("a", "12"), pod("b", "9"), pod("b", "9")},
		"versions that cannot be compared": {pod("a", "x"), pod("a", "9"), pod("a", "9")},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			o := newOverlay[*corev1.Pod]()
			o.wrote(test.written)
			assert.Equal(t, test.want, o.newest(test.cached))
		})
	}
	t.Run("what the cache has overtaken does not come back", func(t *testing.T) {
		o := newOverlay[*corev1.Pod]()
		o.wrote(pod("a", "12"))
		o.newest(pod("a", "13"))
		assert.Empty(t, o.written)
	})
}
