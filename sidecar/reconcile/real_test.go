package reconcile

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/conn"
	"github.com/kvrocks/kvrocks-operator/sidecar/kube"
	"github.com/kvrocks/kvrocks-operator/sidecar/kube/kubetest"
	"github.com/kvrocks/kvrocks-operator/sidecar/kvrocks"
	"github.com/kvrocks/kvrocks-operator/sidecar/kvrocks/redistest"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/action"
)

// realWorld runs the real planner and the real network against a redis-server and three redis-sentinels. Kubernetes is a
// fake API server without a cache in between.
type realWorld struct {
	*world

	key    types.NamespacedName
	server *redistest.Process

	mu      sync.Mutex
	current *v1alpha1.KVRocksTopology
}

func newRealWorld(t *testing.T, password string) *realWorld {
	w := &realWorld{world: newWorld(t)}
	w.server = redistest.Start(t, redistest.Redis, redistest.Config{Password: password})
	w.server.AddLine(t, fmt.Sprintf("replicaof 127.0.0.1 %d", w.server.Port)) // as every pod boots
	w.server.Kill(t)
	w.server.Restart(t)

	w.key = w.standard("orders", 1)
	w.current = w.cluster.topologies[w.key]
	w.current.Spec.Port = int32(w.server.Port)
	w.current.Spec.Shards[0].Members[0].Address = "127.0.0.1"
	w.current.Spec.Failover = &v1alpha1.Failover{DownAfterMilliseconds: 1000}
	w.current.Spec.Sentinel = &v1alpha1.SentinelRef{Name: "watch"}
	w.editPod("orders-0", func(pod *corev1.Pod) { pod.Status.PodIP = "127.0.0.1" })
	w.sentinelInstance("watch", 3, w.key)
	addrs := map[string]string{} // of the sentinels, by what a pass takes for them
	for i := range 3 {
		ip := fmt.Sprintf("127.0.0.%d", i+2)
		p := redistest.StartSentinel(t, redistest.Config{})
		p.Kill(t)
		p.AddLine(t, "bind 127.0.0.1 "+ip)
		p.AddLine(t, "sentinel announce-ip "+ip)
		p.Restart(t)
		w.editPod(fmt.Sprintf("watch-%d", i), func(pod *corev1.Pod) { pod.Status.PodIP = ip })
		addrs[conn.JoinHostPort(ip, v1alpha1.SentinelPort)] = conn.JoinHostPort(ip, int32(p.Port))
	}
	real := conn.RedisNetwork()
	w.network.Node = real.Node
	w.dialSentinel = func(addr string, o kvrocks.Options) conn.Sentinel { return real.Sentinel(addrs[addr], o) }
	w.subscribe = func(ctx context.Context, addr string, o kvrocks.Options, handle func(kvrocks.Event)) {
		real.Listen(ctx, addrs[addr], o, handle)
	}
	w.planner, w.kubernetes, w.status, w.now = thePlanner(), w, w, time.Now
	w.planner.standard = func(in plan.Input) plan.Plan {
		p := plan.Standard(in)
		// A redis-server that never had a replica stays at offset 0 whatever is written.
		p.Actions = slices.DeleteFunc(p.Actions, func(a action.Action) bool { _, ok := a.(action.WriteMarker); return ok })
		return p
	}
	w.options.Timeout = time.Second
	w.log = slog.New(slog.NewTextHandler(t.Output(), nil)) // shown when the test fails
	return w
}

// start works in the background until the test ends.
func (w *realWorld) start() {
	q := newQueue()
	w.enqueue = q.Add
	ctx, stop := context.WithCancel(w.t.Context())
	ended := make(chan struct{})
	w.t.Cleanup(func() { stop(); <-ended })
	go func() { w.work(ctx, q); close(ended) }()
	q.Add(w.key)
}

func (w *realWorld) editPod(name string, edit func(*corev1.Pod)) {
	pods := w.client.CoreV1().Pods(kubetest.Namespace)
	pod, err := pods.Get(context.Background(), name, metav1.GetOptions{})
	require.NoError(w.t, err)
	edit(pod)
	_, err = pods.Update(context.Background(), pod, metav1.UpdateOptions{})
	require.NoError(w.t, err)
}

func (w *realWorld) topologyNow() *v1alpha1.KVRocksTopology {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.current.DeepCopy()
}

func (w *realWorld) condition(kind string) string {
	for _, c := range w.topologyNow().Status.Conditions {
		if c.Type == kind {
			return string(c.Status)
		}
	}
	return ""
}

func (w *realWorld) UpdateStatus(_ context.Context, t *v1alpha1.KVRocksTopology) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if kube.KeyOf(t) == w.key {
		w.current = t.DeepCopy()
	}
	return nil
}

func (w *realWorld) podNow(t *testing.T, name string) plan.Pod {
	pod, err := w.client.CoreV1().Pods(kubetest.Namespace).Get(t.Context(), name, metav1.GetOptions{})
	require.NoError(t, err)
	return kube.FactsOf(pod).Pod
}

// The methods of kubernetesView, without a cache.

func (w *realWorld) Topology(key types.NamespacedName) (*v1alpha1.KVRocksTopology, bool) {
	if key == w.key {
		return w.topologyNow(), true
	}
	t, ok := w.cluster.topologies[key]
	return t, ok
}

func (w *realWorld) MonitoredBy(types.NamespacedName) []*v1alpha1.KVRocksTopology {
	return []*v1alpha1.KVRocksTopology{w.topologyNow()}
}

func (w *realWorld) PodAt(string) string { return "" }

func (w *realWorld) ClaimsOf(types.NamespacedName) (map[string]*corev1.PersistentVolumeClaim, bool) {
	return nil, false
}

func (w *realWorld) PodFailures(*v1alpha1.KVRocksTopology, map[string]*corev1.Pod, time.Time) []v1alpha1.PodFailure {
	return nil
}

func (w *realWorld) AllTopologies() []*v1alpha1.KVRocksTopology { return w.cluster.AllTopologies() }

func (w *realWorld) PodsOf(instance types.NamespacedName, component string) map[string]*corev1.Pod {
	pods := map[string]*corev1.Pod{}
	list, err := w.client.CoreV1().Pods(instance.Namespace).List(context.Background(), metav1.ListOptions{})
	if err != nil {
		return pods
	}
	for i := range list.Items {
		if pod := &list.Items[i]; isOf(pod, instance, component) {
			pods[pod.Name] = pod
		}
	}
	return pods
}

// await waits for a condition on what is reported.
func (w *realWorld) await(what string, condition func() bool) {
	w.t.Helper()
	redistest.Await(w.t, what, condition)
}

func (w *realWorld) masterServes() bool {
	return w.condition(v1alpha1.ConditionPrimaryAvailable) == "True" && w.podNow(w.t, "orders-0").Attached &&
		w.condition(v1alpha1.ConditionSentinelAgreed) == "True"
}

func TestRealServersFromParkedToMonitoredMaster(t *testing.T) {
	w := newRealWorld(t, "")
	w.start()
	w.await("a master", w.masterServes)
	assert.Equal(t, v1alpha1.RoleMaster, w.podNow(t, "orders-0").Role)
	assert.Contains(t, w.server.Do(t, "INFO", "replication"), "role:master")

	t.Run("a killed process is noticed at once, and its pod is taken out", func(t *testing.T) {
		killed := time.Now()
		w.server.Kill(t)
		w.await("the gate to be withdrawn", func() bool { return !w.podNow(t, "orders-0").Attached })
		assert.Less(t, time.Since(killed), w.options.Period/2, "by the lost connection and not by the period")
	})
	t.Run("the outage is dated by the sentinels", func(*testing.T) {
		w.await("+odown", func() bool {
			o := w.topologyNow().Status.Shards[0].Outage
			return o != nil && !o.DetectedAt.IsZero()
		})
	})
	t.Run("it comes back parked and is made master again", func(t *testing.T) {
		w.server.Restart(t)
		w.await("the master", w.masterServes)
		assert.Contains(t, w.server.Do(t, "INFO", "replication"), "role:master")
	})
	t.Run("a process that hangs is told from one that is gone", func(t *testing.T) {
		w.server.Pause(t)
		w.await("the report", func() bool {
			return w.topologyNow().Status.Shards[0].Nodes[0].Link == v1alpha1.LinkUnreachable
		})
		w.server.Resume(t)
		w.await("the master", w.masterServes)
	})
}

func TestRealServersTakeANewPassword(t *testing.T) {
	w := newRealWorld(t, "old")
	w.secret("auth", map[string]string{"password": "old"})
	w.current.Spec.PasswordSecret = &v1alpha1.SecretKeyRef{Name: "auth"}
	w.options.SecretTTL = 50 * time.Millisecond
	w.options.Period = 200 * time.Millisecond
	w.start()
	w.await("a master", w.masterServes)

	w.secret("auth", map[string]string{"password": "new"})
	visitor := kvrocks.NewNode(w.server.Addr(), kvrocks.Options{Password: "new"})
	defer func() { _ = visitor.Close() }()
	w.await("the new password to open the node", func() bool { return visitor.Ping(t.Context()) == nil })
	w.await("the report", func() bool { return w.condition(v1alpha1.ConditionCredentialsApplied) == "True" })
	w.await("the master", w.masterServes)
	// Its sentinels still see it: they were given the password as well.
	time.Sleep(2 * time.Second) // twice down-after; there is no condition to wait for
	assert.True(t, w.masterServes())
}
