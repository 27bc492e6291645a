package reconcile

import (
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/conn"
	"github.com/kvrocks/kvrocks-operator/sidecar/kube/kubetest"
	"github.com/kvrocks/kvrocks-operator/sidecar/kvrocks"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/action"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/sentinelset"
)

func TestSentinelIsAskedOverOneConnectionForAllInstances(t *testing.T) {
	w := newWorld(t)
	a, b := w.standard("orders", 1), w.standard("carts", 1)
	list := w.sentinelInstance("watch", 3, a, b)
	var dials atomic.Int32
	dial := w.dialSentinel
	w.dialSentinel = func(addr string, o kvrocks.Options) conn.Sentinel { dials.Add(1); return dial(addr, o) }
	for _, key := range []types.NamespacedName{a, b, a, b} {
		_, err := w.Reconcile(t.Context(), key)
		require.NoError(t, err)
	}
	require.Len(t, w.seen[0].Sentinels.Views, 3)
	assert.Equal(t, plan.Answered, w.seen[0].Sentinels.Views["watch-0"].Reach)
	assert.Equal(t, int32(3), w.seen[0].Sentinels.Want)
	assert.Equal(t, int32(3), dials.Load())
	assert.Eventually(t, func() bool { return list[0].subscriptions() == 1 }, 5*time.Second, time.Millisecond)
}

func TestMonitorIsMadeWithItsSettingsAndPassword(t *testing.T) {
	w := newWorld(t)
	key := w.standard("orders", 1)
	w.sentinelInstance("watch", 1, key)
	w.secret("orders-auth", map[string]string{"password": "pw"})
	w.cluster.topologies[key].Spec.PasswordSecret = &v1alpha1.SecretKeyRef{Name: "orders-auth", Key: "password"}
	failover := v1alpha1.Failover{DownAfterMilliseconds: 5000}
	w.plan = plan.Plan{Actions: []action.Action{action.Monitor{
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
	assert.False(t, w.triggerOf(key).urgent.Load(), "of no master")
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
}

func TestSentinelInstanceSeesWhatIsClaimed(t *testing.T) {
	w := newWorld(t)
	key := w.standard("orders", 1)
	list := w.sentinelInstance("watch", 1, key)
	list[0].masters["left"] = kvrocks.MonitoredMaster{Name: "left"}
	var got sentinelset.Input
	w.planner.sentinel = func(in sentinelset.Input) plan.Plan {
		got = in
		return plan.Plan{Actions: []action.Action{action.Unmonitor{Sentinel: "watch-0", MasterName: "left"}}}
	}
	_, err := w.Reconcile(t.Context(), types.NamespacedName{Namespace: kubetest.Namespace, Name: "watch"})
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

func TestASentinelInTiltIsSeenAndWakesWhatItMonitors(t *testing.T) {
	w := newWorld(t)
	key := w.standard("orders", 1)
	list := w.sentinelInstance("watch", 1, key)
	tilted := func() bool {
		_, err := w.Reconcile(t.Context(), key)
		require.NoError(t, err)
		return w.seen[len(w.seen)-1].Sentinels.Views["watch-0"].Tilt
	}
	assert.False(t, tilted())
	list[0].mu.Lock()
	list[0].tilt = true
	list[0].mu.Unlock()
	w.clock = w.clock.Add(10 * time.Second)
	assert.True(t, tilted())
	require.Eventually(t, func() bool { return list[0].subscriptions() == 1 }, 5*time.Second, time.Millisecond)
	list[0].handle(kvrocks.Event{Name: kvrocks.EventTiltOver})
	assert.False(t, tilted(), "it says so before it is asked again")
}

func TestTheStepsOfASentinelsPassword(t *testing.T) {
	w := newWorld(t)
	key := w.standard("orders", 1)
	list := w.sentinelInstance("watch", 1, key)
	watch := types.NamespacedName{Namespace: kubetest.Namespace, Name: "watch"}
	w.secret("watch-auth", map[string]string{"password": "new", v1alpha1.PreviousPasswordKey: "old"})
	w.cluster.topologies[watch].Spec.PasswordSecret = &v1alpha1.SecretKeyRef{Name: "watch-auth"}
	byAddr := w.dialSentinel
	w.dialSentinel = func(addr string, o kvrocks.Options) conn.Sentinel {
		w.journal.add("dial with %s", string(o.Password))
		return byAddr(addr, o)
	}
	var seen sentinelset.Input
	step := func(a ...action.Action) []string {
		w.planner.sentinel = func(in sentinelset.Input) plan.Plan {
			seen = in
			return plan.Plan{Actions: a}
		}
		w.journal.take()
		_, err := w.Reconcile(t.Context(), watch)
		require.NoError(t, err)
		return w.journal.take()
	}
	assert.Contains(t, step(action.AcceptPassword{Sentinel: "watch-0"}), `watch-0 accept "new"`)
	assert.True(t, seen.Password)
	assert.NotNil(t, seen.Views["watch-0"].Access)
	did := step(action.PresentPassword{Sentinel: "watch-0"})
	assert.Contains(t, did, "dial with new", "each step is followed by a new connection")
	assert.Contains(t, did, `watch-0 present "new"`)
	assert.Contains(t, step(action.AcceptOnlyPassword{Sentinel: "watch-0"}), `watch-0 accept only "new"`)
	step()
	assert.Eventually(t, func() bool { return list[0].subscriptions() == 1 }, 5*time.Second, time.Millisecond, "the subscription stays")

	w.cluster.topologies[watch].Spec.PasswordSecret = nil
	step()
	assert.False(t, seen.Password)
	assert.Nil(t, seen.Views["watch-0"].Access)
}
