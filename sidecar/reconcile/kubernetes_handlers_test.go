package reconcile

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/tools/cache"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

// watched is a cluster whose caches are filled by hand, with orders and carts under the sentinels of watch.
func watched(t *testing.T) (*kubernetesCache, *world) {
	w := newWorld(t)
	w.sentinelInstance("watch", 1, w.standard("orders", 2), w.standard("carts", 1))
	c, err := newKubernetesCache(nil, fake.NewClientset(), func(string) cache.ListerWatcher { return &cache.ListWatch{} },
		newOverlay[*corev1.Pod](), newOverlay[*v1alpha1.KVRocksTopology]())
	require.NoError(t, err)
	for _, topology := range w.cluster.topologies {
		require.NoError(t, c.caches[""].topologies.GetStore().Add(topology))
	}
	for _, pod := range w.cluster.pods {
		require.NoError(t, c.caches[""].pods.GetStore().Add(pod))
	}
	return c, w
}

func TestWhoIsWokenByAChange(t *testing.T) {
	c, w := watched(t)
	topology := func(name string, edit func(*v1alpha1.KVRocksTopology)) (was, is *v1alpha1.KVRocksTopology) {
		was = w.cluster.topologies[types.NamespacedName{Namespace: testNamespace, Name: name}]
		is = was.DeepCopy()
		edit(is)
		return was, is
	}
	pod := func(name string, edit func(*corev1.Pod)) (was, is *corev1.Pod) {
		for _, p := range w.cluster.pods {
			if p.Name == name {
				was = p
			}
		}
		require.NotNil(t, was)
		is = was.DeepCopy()
		edit(is)
		return was, is
	}
	all := []string{"orders", "carts", "watch"}
	tests := map[string]struct {
		change func(handlers)
		want   []string
	}{
		"a new spec": {func(h handlers) {
			h.ofTopologies().OnUpdate(topology("orders", func(t *v1alpha1.KVRocksTopology) { t.Generation++ }))
		}, []string{"orders", "watch"}},
		"our own report": {func(h handlers) {
			h.ofTopologies().OnUpdate(topology("orders", func(t *v1alpha1.KVRocksTopology) { t.Status = status(7) }))
		}, nil},
		"another sentinel instance": {func(h handlers) {
			h.ofTopologies().OnUpdate(topology("orders", func(t *v1alpha1.KVRocksTopology) {
				t.Generation++
				t.Spec.Sentinel = &v1alpha1.SentinelRef{Name: "guard"}
			}))
		}, []string{"orders", "watch", "guard"}},
		"more sentinels": {func(h handlers) {
			h.ofTopologies().OnUpdate(topology("watch", func(t *v1alpha1.KVRocksTopology) { t.Generation++ }))
		}, all},
		"an instance that is gone, missed by the watch": {func(h handlers) {
			was, _ := topology("orders", func(*v1alpha1.KVRocksTopology) {})
			h.ofTopologies().OnDelete(cache.DeletedFinalStateUnknown{Obj: was})
		}, []string{"orders", "watch"}},
		"a data pod": {func(h handlers) {
			h.ofPods().OnUpdate(pod("orders-0", func(p *corev1.Pod) { p.Status.ContainerStatuses[0].ContainerID = "new" }))
		}, []string{"orders"}},
		"a pod's readiness": {func(h handlers) {
			h.ofPods().OnUpdate(pod("orders-0", func(p *corev1.Pod) {
				p.ResourceVersion = "101"
				p.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}
			}))
		}, nil},
		"a sentinel pod": {func(h handlers) {
			h.ofPods().OnUpdate(pod("watch-0", func(p *corev1.Pod) { p.Status.PodIP = "10.1.0.77" }))
		}, all},
		"a pod of something else": {func(h handlers) {
			_, other := pod("orders-0", func(p *corev1.Pod) { p.Labels[v1alpha1.LabelComponent] = v1alpha1.ComponentEtcd })
			h.ofPods().OnAdd(other, false)
		}, nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			woken := map[string]bool{}
			test.change(handlers{
				kubernetes: c, wake: func(key types.NamespacedName) { woken[key.Name] = true },
				podGone: func(types.NamespacedName, types.UID) { t.Error("no pod is gone") },
			})
			want := map[string]bool{}
			for _, name := range test.want {
				want[name] = true
			}
			assert.Equal(t, want, woken)
		})
	}
}

func TestPodThatIsGoneOrReplacedClosesItsConnections(t *testing.T) {
	c, w := watched(t)
	var gone []types.UID
	h := handlers{
		kubernetes: c, wake: func(types.NamespacedName) {},
		podGone: func(_ types.NamespacedName, uid types.UID) { gone = append(gone, uid) },
	}
	was := w.cluster.pods[0]
	is := was.DeepCopy()
	is.UID = "another"
	h.ofPods().OnUpdate(was, is)
	h.ofPods().OnDelete(is)
	assert.Equal(t, []types.UID{was.UID, "another"}, gone)
}

func TestClusterFindsWhatBelongsTogether(t *testing.T) {
	c, _ := watched(t)
	key := func(name string) types.NamespacedName {
		return types.NamespacedName{Namespace: testNamespace, Name: name}
	}
	assert.Len(t, c.podsOf(key("orders"), v1alpha1.ComponentData), 2)
	assert.Empty(t, c.podsOf(key("orders"), v1alpha1.ComponentSentinel))
	assert.Len(t, c.podsOf(key("watch"), v1alpha1.ComponentSentinel), 1)
	assert.Len(t, c.monitoredBy(key("watch")), 2)
	assert.Len(t, c.allTopologies(), 3)
	assert.Contains(t, []string{testNamespace + "/orders-1"}, c.podAt("10.9.9.1"))
	assert.Empty(t, c.podAt("10.9.9.200"))
	assert.Empty(t, c.podAt(""))
	_, ok := c.topology(key("nobody"))
	assert.False(t, ok)
}

func TestOnlyTheNamedNamespacesAreWatched(t *testing.T) {
	c, err := newKubernetesCache([]string{"a", "b"}, fake.NewClientset(), func(string) cache.ListerWatcher { return &cache.ListWatch{} },
		newOverlay[*corev1.Pod](), newOverlay[*v1alpha1.KVRocksTopology]())
	require.NoError(t, err)
	assert.Len(t, c.caches, 2)
	elsewhere := types.NamespacedName{Namespace: "c", Name: "orders"}
	_, ok := c.topology(elsewhere)
	assert.False(t, ok)
	assert.Empty(t, c.podsOf(elsewhere, v1alpha1.ComponentData))
	assert.Empty(t, c.monitoredBy(elsewhere))
}
