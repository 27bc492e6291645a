package kube

import (
	"testing"

	"github.com/stretchr/testify/assert"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/cache"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

func TestWhoIsWokenByAChange(t *testing.T) {
	w := watched(t)
	topology := func(name string, edit func(*v1alpha1.KVRocksTopology)) (was, is *v1alpha1.KVRocksTopology) {
		was, _ = w.Topology(named(name))
		is = was.DeepCopy()
		edit(is)
		return was, is
	}
	pod := func(name string, edit func(*corev1.Pod)) (was, is *corev1.Pod) {
		was = w.pod(name)
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
			h.ofTopologies().OnUpdate(topology("orders", func(t *v1alpha1.KVRocksTopology) { t.Status.ObservedGeneration = 7 }))
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
				cache: w.Cache, wake: func(key types.NamespacedName) { woken[key.Name] = true },
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
	w := watched(t)
	var gone []types.UID
	h := handlers{
		cache: w.Cache, wake: func(types.NamespacedName) {},
		podGone: func(_ types.NamespacedName, uid types.UID) { gone = append(gone, uid) },
	}
	was := w.pod("orders-0")
	is := was.DeepCopy()
	is.UID = "another"
	h.ofPods().OnUpdate(was, is)
	h.ofPods().OnDelete(is)
	assert.Equal(t, []types.UID{was.UID, "another"}, gone)
}
