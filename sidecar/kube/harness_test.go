package kube

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/rest"
	clienttesting "k8s.io/client-go/testing"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/kube/kubetest"
)

// world is a Cache that is filled by hand, with the writers of a process.
type world struct {
	*Cache

	t      *testing.T
	client *fake.Clientset
	writer *PodWriter
	clock  time.Time
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, client: fake.NewClientset(), clock: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	w.writer = NewPodWriter(w.client.CoreV1(), func() time.Time { return w.clock })
	topologies, err := NewTopologyClient(&rest.Config{})
	require.NoError(t, err)
	w.Cache, err = NewCache(nil, w.client, topologies, w.writer, NewClaimWriter(w.client.CoreV1()))
	require.NoError(t, err)
	return w
}

func named(name string) types.NamespacedName {
	return types.NamespacedName{Namespace: kubetest.Namespace, Name: name}
}

// standard adds an instance with its data pods.
func (w *world) standard(name string, replicas int, sentinel *v1alpha1.SentinelRef) {
	t := topologyNamed(name)
	t.Spec.Type, t.Spec.Sentinel = v1alpha1.TypeStandard, sentinel
	t.Spec.Shards = []v1alpha1.TopologyShard{{MasterName: name, Replicas: int32(replicas)}}
	for i := range replicas {
		pod := kubetest.DataPod(name, i)
		w.addPod(pod)
		t.Spec.Shards[0].Members = append(t.Spec.Shards[0].Members,
			v1alpha1.Member{Pod: pod.Name, Address: fmt.Sprintf("10.9.%d.%d", len(name), i)})
	}
	w.addTopology(t)
}

// watched adds the instances orders and carts, and the sentinel instance watch that monitors them.
func watched(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	w.standard("orders", 2, &v1alpha1.SentinelRef{Name: "watch"})
	w.standard("carts", 1, &v1alpha1.SentinelRef{Name: "watch"})
	watch := topologyNamed("watch")
	watch.Spec.Type = v1alpha1.TypeSentinel
	w.addTopology(watch)
	pod := kubetest.DataPod("watch", 0)
	pod.Labels[v1alpha1.LabelComponent] = v1alpha1.ComponentSentinel
	pod.Status.ContainerStatuses[0].Name = v1alpha1.ContainerSentinel
	w.addPod(pod)
	return w
}

func topologyNamed(name string) *v1alpha1.KVRocksTopology {
	return &v1alpha1.KVRocksTopology{ObjectMeta: metav1.ObjectMeta{
		Namespace: kubetest.Namespace, Name: name, UID: types.UID("uid-" + name), ResourceVersion: "10", Generation: 1,
	}}
}

func (w *world) addTopology(t *v1alpha1.KVRocksTopology) {
	require.NoError(w.t, w.caches[""].topologies.GetStore().Add(t))
}

func (w *world) addPod(pod *corev1.Pod) {
	require.NoError(w.t, w.caches[""].pods.GetStore().Add(pod))
	require.NoError(w.t, w.client.Tracker().Add(pod))
}

// pod returns what the cache has.
func (w *world) pod(name string) *corev1.Pod {
	obj, ok, err := w.caches[""].pods.GetStore().GetByKey(kubetest.Namespace + "/" + name)
	require.NoError(w.t, err)
	require.True(w.t, ok, name)
	return obj.(*corev1.Pod)
}

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
