package reconcile

import (
	"context"
	"fmt"
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
	"github.com/kvrocks/kvrocks-operator/sidecar/kvrocks"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan"
)

// fakeSentinel monitors what is in masters.
type fakeSentinel struct {
	addr    string
	journal *journal

	mu       sync.Mutex
	masters  map[string]kvrocks.MonitoredMaster
	peers    []kvrocks.Peer
	replicas []kvrocks.MonitoredReplica
	// handle delivers events to the subscription.
	handle func(kvrocks.Event)
	listen int // how many subscriptions there were
	closed bool
}

func (s *fakeSentinel) call(format string, args ...any) {
	s.journal.add("%s %s", s.addr, fmt.Sprintf(format, args...))
}

func (s *fakeSentinel) Master(_ context.Context, name string) (kvrocks.MonitoredMaster, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.call("MASTER %s", name)
	m, ok := s.masters[name]
	if !ok {
		return m, &kvrocks.Error{Kind: kvrocks.ErrNoSuchMaster}
	}
	return m, nil
}

func (s *fakeSentinel) Masters(context.Context) ([]kvrocks.MonitoredMaster, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.call("MASTERS")
	var list []kvrocks.MonitoredMaster
	for _, m := range s.masters {
		list = append(list, m)
	}
	return list, nil
}

func (s *fakeSentinel) Sentinels(context.Context, string) ([]kvrocks.Peer, error) {
	s.call("SENTINELS")
	return s.peers, nil
}

func (s *fakeSentinel) Replicas(context.Context, string) ([]kvrocks.MonitoredReplica, error) {
	s.call("REPLICAS")
	return s.replicas, nil
}

func (s *fakeSentinel) Monitor(_ context.Context, name, host string, port, quorum int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.call("MONITOR %s %s %d %d", name, host, port, quorum)
	s.masters[name] = kvrocks.MonitoredMaster{Name: name, Host: host, Port: port, Quorum: quorum}
	return nil
}

func (s *fakeSentinel) Remove(_ context.Context, name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.call("REMOVE %s", name)
	if _, ok := s.masters[name]; !ok {
		return &kvrocks.Error{Kind: kvrocks.ErrNoSuchMaster}
	}
	delete(s.masters, name)
	return nil
}

func (s *fakeSentinel) Set(_ context.Context, name string, o kvrocks.Settings) error {
	s.call("SET %s quorum %d down-after %v auth %q", name, o.Quorum, o.DownAfter, string(o.AuthPass))
	return nil
}

func (s *fakeSentinel) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	return nil
}

func (s *fakeSentinel) subscriptions() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.listen
}

func (s *fakeSentinel) isClosed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed
}

// sentinels adds a sentinel instance and makes the named instances be monitored by it.
func (w *world) sentinelInstance(name string, replicas int, monitored ...types.NamespacedName) []*fakeSentinel {
	key := types.NamespacedName{Namespace: testNamespace, Name: name}
	w.cluster.topologies[key] = &v1alpha1.KVRocksTopology{
		ObjectMeta: metav1.ObjectMeta{Namespace: testNamespace, Name: name, UID: types.UID(name), ResourceVersion: "10"},
		Spec: v1alpha1.KVRocksTopologySpec{
			Type: v1alpha1.TypeSentinel, Port: v1alpha1.SentinelPort, Sentinels: int32(replicas),
		},
	}
	for _, m := range monitored {
		w.cluster.topologies[m].Spec.Sentinel = &v1alpha1.SentinelRef{Name: name}
	}
	byAddr := map[string]*fakeSentinel{}
	var list []*fakeSentinel
	for i := range replicas {
		pod := sentinelPod(name, i)
		w.addPod(pod)
		addr := joinHostPort(pod.Status.PodIP, v1alpha1.SentinelPort)
		byAddr[addr] = &fakeSentinel{addr: pod.Name, journal: w.journal, masters: map[string]kvrocks.MonitoredMaster{}}
		list = append(list, byAddr[addr])
	}
	w.sentinels.network.Sentinel = func(addr string, _ kvrocks.Options) Sentinel { return byAddr[addr] }
	w.sentinels.network.Listen = func(ctx context.Context, addr string, _ kvrocks.Options, handle func(kvrocks.Event)) {
		s := byAddr[addr]
		s.mu.Lock()
		s.handle = handle
		s.listen++
		s.mu.Unlock()
		<-ctx.Done()
	}
	return list
}

func sentinelPod(instance string, ordinal int) *corev1.Pod {
	pod := dataPod(instance, ordinal)
	pod.Labels[v1alpha1.LabelComponent] = v1alpha1.ComponentSentinel
	pod.Status.PodIP = fmt.Sprintf("10.1.0.%d", ordinal)
	pod.Status.ContainerStatuses[0].Name = v1alpha1.ContainerSentinel
	return pod
}

func TestSentinelIsAskedOverOneConnectionForAllInstances(t *testing.T) {
	w := newWorld(t)
	a, b := w.standard("orders", 1), w.standard("carts", 1)
	list := w.sentinelInstance("watch", 3, a, b)
	for _, key := range []types.NamespacedName{a, b, a, b} {
		_, err := w.Reconcile(t.Context(), key)
		require.NoError(t, err)
	}
	require.Len(t, w.seen[0].Sentinels.Views, 3)
	assert.Equal(t, plan.Answered, w.seen[0].Sentinels.Views["watch-0"].Reach)
	assert.Equal(t, int32(3), w.seen[0].Sentinels.Want)
	assert.Len(t, w.sentinels.conns, 3)
	assert.Eventually(t, func() bool { return list[0].subscriptions() == 1 }, 5*time.Second, time.Millisecond)
}

func TestMonitorIsMadeWithItsSettingsAndPassword(t *testing.T) {
	w := newWorld(t)
	key := w.standard("orders", 1)
	w.sentinelInstance("watch", 1, key)
	w.secret("orders-auth", map[string]string{"password": "pw"})
	w.cluster.topologies[key].Spec.PasswordSecret = &v1alpha1.SecretKeyRef{Name: "orders-auth", Key: "password"}
	failover := v1alpha1.Failover{DownAfterMilliseconds: 5000}
	w.plan = plan.Plan{Actions: []plan.Action{plan.Monitor{
		Sentinel: "watch-0", MasterName: "orders", Address: "10.9.9.0", Port: 6379, Quorum: 2, Failover: failover, Replace: true,
	}}}
	_, err := w.Reconcile(t.Context(), key)
	require.NoError(t, err)
	assert.Subset(t, w.journal.take(), []string{
		"watch-0 REMOVE orders", "watch-0 MONITOR orders 10.9.9.0 6379 2", `watch-0 SET orders quorum 2 down-after 5s auth "pw"`,
	})

	w.plan = plan.Plan{}
	_, err = w.Reconcile(t.Context(), key)
	require.NoError(t, err)
	view := w.seen[1].Sentinels.Views["watch-0"].Masters["orders"]
	assert.Equal(t, "10.9.9.0", view.Address)
	assert.True(t, view.AuthApplied)

	w.secret("orders-auth", map[string]string{"password": "pw2"})
	w.clock = w.clock.Add(time.Hour)
	_, err = w.Reconcile(t.Context(), key)
	require.NoError(t, err)
	assert.False(t, w.seen[2].Sentinels.Views["watch-0"].Masters["orders"].AuthApplied)
}

func TestSentinelOfUnknownHistoryCountsAsWithoutThePassword(t *testing.T) {
	w := newWorld(t)
	key := w.standard("orders", 1)
	list := w.sentinelInstance("watch", 1, key)
	list[0].masters["orders"] = kvrocks.MonitoredMaster{Name: "orders"}
	_, err := w.Reconcile(t.Context(), key)
	require.NoError(t, err)
	assert.True(t, w.seen[0].Sentinels.Views["watch-0"].Masters["orders"].AuthApplied, "no password is wanted")

	w.secret("orders-auth", map[string]string{"password": "pw"})
	w.cluster.topologies[key].Spec.PasswordSecret = &v1alpha1.SecretKeyRef{Name: "orders-auth"}
	_, err = w.Reconcile(t.Context(), key)
	require.NoError(t, err)
	assert.False(t, w.seen[1].Sentinels.Views["watch-0"].Masters["orders"].AuthApplied)
}

func TestEventWakesTheInstanceAndDatesTheOutage(t *testing.T) {
	w := newWorld(t)
	key := w.standard("orders", 1)
	list := w.sentinelInstance("watch", 1, key)
	list[0].masters["orders"] = kvrocks.MonitoredMaster{Name: "orders", Flags: kvrocks.Flags{ODown: true}}
	_, err := w.Reconcile(t.Context(), key)
	require.NoError(t, err)
	require.Eventually(t, func() bool { return list[0].subscriptions() == 1 }, 5*time.Second, time.Millisecond)

	at := w.clock.Add(-time.Second)
	list[0].handle(kvrocks.Event{Name: kvrocks.EventODown, Master: "orders", At: at})
	list[0].handle(kvrocks.Event{Name: kvrocks.EventODown, Master: "orders", At: at.Add(time.Second)})
	assert.Contains(t, w.wakes, key)
	_, err = w.Reconcile(t.Context(), key)
	require.NoError(t, err)
	assert.Equal(t, at, w.seen[1].Sentinels.Views["watch-0"].Masters["orders"].ODownAt, "the first one of the outage")

	list[0].handle(kvrocks.Event{Name: kvrocks.EventSwitchMaster, Master: "orders", At: w.clock})
	_, err = w.Reconcile(t.Context(), key)
	require.NoError(t, err)
	assert.Zero(t, w.seen[2].Sentinels.Views["watch-0"].Masters["orders"].ODownAt)

	w.wakes = nil
	list[0].handle(kvrocks.Event{Name: "+set", Master: "orders"})
	assert.Empty(t, w.wakes, "the echo of our own settings")
	list[0].handle(kvrocks.Event{Name: kvrocks.EventSDown, Master: "orders.0"})
	assert.False(t, w.bellOf(key).alarm.Load(), "of no master")
	assert.Equal(t, []types.NamespacedName{key}, w.wakes, "a shard of a cluster")
	w.wakes = nil
	list[0].handle(kvrocks.Event{Name: kvrocks.EventSubscribed})
	assert.Contains(t, w.wakes, key, "events may have been missed")
}

func TestDetailsAreAskedRarelyUnlessTheCountsChange(t *testing.T) {
	w := newWorld(t)
	key := w.standard("orders", 1)
	list := w.sentinelInstance("watch", 1, key)
	list[0].masters["orders"] = kvrocks.MonitoredMaster{Name: "orders", NumOtherSentinels: 1}
	list[0].peers = []kvrocks.Peer{{Host: "10.1.0.2"}, {Host: "10.1.0.1"}}
	pass := func() []string {
		_, err := w.Reconcile(t.Context(), key)
		require.NoError(t, err)
		w.clock = w.clock.Add(time.Second)
		return w.journal.take()
	}
	pass()
	assert.Equal(t, []string{"10.1.0.1", "10.1.0.2"}, w.seen[0].Sentinels.Views["watch-0"].Masters["orders"].Peers)
	assert.NotContains(t, pass(), "watch-0 SENTINELS")
	list[0].masters["orders"] = kvrocks.MonitoredMaster{Name: "orders", NumOtherSentinels: 2}
	assert.Contains(t, pass(), "watch-0 SENTINELS")
	assert.NotContains(t, pass(), "watch-0 SENTINELS")
	w.clock = w.clock.Add(rarely)
	assert.Contains(t, pass(), "watch-0 SENTINELS")
}

func TestReplacedSentinelGetsANewConnectionAndTheOldOneIsClosed(t *testing.T) {
	w := newWorld(t)
	key := w.standard("orders", 1)
	list := w.sentinelInstance("watch", 1, key)
	_, err := w.Reconcile(t.Context(), key)
	require.NoError(t, err)

	pods := w.cluster.pods
	replaced := pods[len(pods)-1].DeepCopy()
	replaced.UID = "another"
	w.cluster.pods = append(slices.Clone(pods[:len(pods)-1]), replaced)
	_, err = w.Reconcile(t.Context(), key)
	require.NoError(t, err)
	assert.Eventually(t, list[0].isClosed, 5*time.Second, time.Millisecond)
	assert.Equal(t, types.UID("another"), w.sentinels.conns[keyOf(replaced)].uid)

	w.sentinels.forget(keyOf(replaced), "another")
	assert.Empty(t, w.sentinels.conns)
}

func TestSentinelInstanceSeesWhatIsClaimed(t *testing.T) {
	w := newWorld(t)
	key := w.standard("orders", 1)
	list := w.sentinelInstance("watch", 1, key)
	list[0].masters["left"] = kvrocks.MonitoredMaster{Name: "left"}
	var got plan.SentinelInput
	w.planner.sentinel = func(in plan.SentinelInput) plan.Plan {
		got = in
		return plan.Plan{Actions: []plan.Action{plan.Unmonitor{Sentinel: "watch-0", MasterName: "left"}}}
	}
	_, err := w.Reconcile(t.Context(), types.NamespacedName{Namespace: testNamespace, Name: "watch"})
	require.NoError(t, err)
	assert.Equal(t, map[string]bool{"orders": true}, got.Claimed)
	assert.Contains(t, got.Views["watch-0"].Masters, "left")
	assert.Empty(t, list[0].masters)
}

func TestEvictedSentinelPodIsNoSentinel(t *testing.T) {
	w := newWorld(t)
	key := w.standard("orders", 1)
	w.sentinelInstance("watch", 2, key)
	w.cluster.pods[len(w.cluster.pods)-1].Status.Phase = corev1.PodFailed
	result, err := w.Reconcile(t.Context(), key)
	require.NoError(t, err)
	assert.Len(t, w.seen[0].Sentinels.Views, 1)
	assert.Equal(t, w.options.Period, result.After, "nobody is missing")
}
