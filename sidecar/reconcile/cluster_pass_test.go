package reconcile

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kvrocks/kvrocks-operator/api/slots"
	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/kube/kubetest"
	"github.com/kvrocks/kvrocks-operator/sidecar/kvctl"
	"github.com/kvrocks/kvrocks-operator/sidecar/kvrocks"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/action"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/layout"
)

// look carries out a pass that has to succeed, and returns what the planner was asked and what was sent.
func (w *world) look(key types.NamespacedName) (plan.Input, map[string][]string) {
	w.t.Helper()
	w.journal.take()
	_, err := w.Reconcile(w.t.Context(), key)
	require.NoError(w.t, err)
	return w.seen[len(w.seen)-1], sentTo(w.journal.take())
}

// act carries out a pass with these actions and returns what was sent besides questions.
func (w *world) act(key types.NamespacedName, actions ...action.Action) (map[string][]string, error) {
	w.plan.Actions = actions
	defer func() { w.plan.Actions = nil }()
	w.journal.take()
	_, err := w.Reconcile(w.t.Context(), key)
	sent := sentTo(w.journal.take())
	for who, what := range sent {
		what = slices.DeleteFunc(what, func(s string) bool {
			return slices.Contains([]string{"INFO", "CONFIG GET *", "CLUSTER INFO", "CLUSTER NODES", "MYID", "get"}, s)
		})
		if sent[who] = what; len(what) == 0 {
			delete(sent, who)
		}
	}
	return sent, err
}

func TestPassOverAClusterSeesNodesAndRecord(t *testing.T) {
	w := newWorld(t)
	key := w.aCluster("orders")
	in, sent := w.look(key)
	require.Equal(t, plan.Answered, in.Controller.Reach)
	require.NotNil(t, in.Controller.Record)
	assert.Equal(t, int64(3), in.Controller.Record.Version)
	assert.False(t, in.Controller.PasswordStale)
	for pod, n := range in.Nodes {
		require.Equal(t, plan.Answered, n.Reach, pod)
		assert.Equal(t, nodeIDOf(pod), n.Cluster.ID)
		assert.Equal(t, int64(3), n.Cluster.Version)
		assert.Same(t, in.Controller.Record, n.Cluster.Layout, "equal layouts are kept once")
	}
	first := in.Controller.Record.Shards[0]
	assert.Equal(t, slots.Of(slots.Range{First: 0, Last: 8191}), first.Slots)
	assert.Equal(t, []layout.Node{
		{ID: nodeIDOf("orders-0-0"), Address: "10.9.0.0", Port: 6379, Master: true},
		{ID: nodeIDOf("orders-0-1"), Address: "10.9.0.1", Port: 6379},
	}, first.Nodes)
	assert.Equal(t, []string{"CLUSTER INFO", "CLUSTER NODES", "INFO"}, sent["10.1.0.0"][:3],
		"the sequence is read after the layout that may have stopped the writes")
}

func TestMoveOfSlotsIsWatchedWithFewQuestions(t *testing.T) {
	w := newWorld(t)
	key := w.aCluster("orders")
	w.plan.Again = time.Millisecond
	w.look(key)
	w.plan.SkipSlowProbes = true
	w.look(key)
	_, sent := w.look(key)
	assert.Equal(t, []string{"CLUSTER INFO", "INFO"}, sent["10.1.0.0"])
}

func TestClusterAtRestIsAskedLittle(t *testing.T) {
	w := newWorld(t)
	key := w.aCluster("orders")
	w.look(key)
	w.clock = w.clock.Add(time.Second)
	in, sent := w.look(key)
	assert.NotNil(t, in.Controller.Record)
	assert.Nil(t, in.Nodes["orders-0-0"].Cluster.Layout, "it was not asked, and there is a record")
	assert.Equal(t, map[string][]string{
		"10.1.0.0": {"CLUSTER INFO", "INFO"}, "10.1.0.1": {"CLUSTER INFO", "INFO"},
		"10.1.1.0": {"CLUSTER INFO", "INFO"}, "10.1.1.1": {"CLUSTER INFO", "INFO"},
	}, sent)

	total := map[string]int{}
	const minutes = 10
	for range minutes * 6 {
		w.clock = w.clock.Add(w.options.Period)
		_, sent := w.look(key)
		for who, what := range sent {
			total[who] += len(what)
		}
	}
	assert.LessOrEqual(t, total["10.1.0.0"]/minutes, 16)
	assert.LessOrEqual(t, total["controller"]/minutes, 2)
}

func TestChangeOfALayoutIsLookedAt(t *testing.T) {
	w := newWorld(t)
	key := w.aCluster("orders")
	w.look(key)
	w.node("orders-1-0").cluster.Version = 4
	in, sent := w.look(key)
	assert.Contains(t, sent["10.1.1.0"], "CLUSTER NODES")
	assert.NotContains(t, sent["10.1.0.0"], "CLUSTER NODES")
	assert.Equal(t, []string{"get"}, sent["controller"], "somebody changed something")
	assert.Equal(t, int64(4), in.Nodes["orders-1-0"].Cluster.Layout.Version)

	restarted := w.node("orders-1-0")
	restarted.info.RunID, restarted.cluster.Version, restarted.id, restarted.layout = "another", kvrocks.NoLayout, "", nil
	in, sent = w.look(key)
	assert.Contains(t, sent["10.1.1.0"], "MYID")
	assert.Equal(t, &plan.ClusterNode{Version: kvrocks.NoLayout}, in.Nodes["orders-1-0"].Cluster)
}

func TestLayoutsAreReadAnewWhileAMasterIsReplaced(t *testing.T) {
	w := newWorld(t)
	key := w.aCluster("orders")
	w.look(key)
	w.cluster.topologies[key].Status.Shards = []v1alpha1.TopologyShardStatus{{Index: 1, Outage: &v1alpha1.Outage{}}}
	_, sent := w.look(key)
	assert.Contains(t, sent["10.1.1.0"], "CLUSTER NODES")
	assert.Contains(t, sent["10.1.1.1"], "CLUSTER NODES")
	assert.NotContains(t, sent["10.1.0.0"], "CLUSTER NODES", "of that shard")
}

func TestLayoutsAreKnownWhenTheRecordIsLost(t *testing.T) {
	w := newWorld(t)
	key := w.aCluster("orders")
	w.look(key)
	w.controller.record = nil
	w.clock = w.clock.Add(recordAge)
	in, _ := w.look(key)
	assert.Equal(t, plan.Controller{Reach: plan.Answered}, in.Controller)
	assert.Len(t, in.Nodes["orders-0-0"].Cluster.Layout.Shards, 2)
}

func TestControllerThatIsAwayIsDown(t *testing.T) {
	w := newWorld(t)
	key := w.aCluster("orders")
	w.look(key)
	w.controller.fail = func(string) error { return kvctl.ErrUnavailable }
	w.clock = w.clock.Add(recordAge)
	down := w.clock
	in, _ := w.look(key)
	assert.Equal(t, plan.Controller{Reach: plan.Unreachable, Err: kvctl.ErrUnavailable.Error(), DownSince: down}, in.Controller)
	w.clock = w.clock.Add(time.Second)
	in, sent := w.look(key)
	assert.Equal(t, down, in.Controller.DownSince)
	assert.Equal(t, []string{"get"}, sent["controller"], "asked in each pass until it is back")
	w.controller.fail = nil
	in, _ = w.look(key)
	assert.NotNil(t, in.Controller.Record)
}

func TestALeaderThatIsGoneIsNotedUntilItsFollowersAreReplaced(t *testing.T) {
	w := newWorld(t)
	key := w.aCluster("orders")
	w.look(key)
	began := w.clock
	gone := fmt.Errorf("%w: %w", kvctl.ErrUnavailable, kvctl.ErrLeaderGone)
	after := func(d time.Duration, err error) time.Time {
		w.clock = began.Add(d)
		w.controller.fail = func(string) error { return err }
		in, _ := w.look(key)
		return in.Controller.LeaderGoneSince
	}
	const first = recordAge
	assert.Equal(t, began.Add(first), after(first, gone))
	assert.Equal(t, began.Add(first), after(first+20*time.Second, gone))
	assert.Zero(t, after(first+25*time.Second, kvctl.ErrUnavailable), "another fault")
	second := first + 30*time.Second
	assert.Equal(t, began.Add(second), after(second, gone), "it counts anew")

	w.cluster.topologies[key].Status.ControllerEpoch++
	third := second + 30*time.Second
	assert.Equal(t, began.Add(third+startTime), after(third, gone), "new processes are given time to start")
	assert.Equal(t, began.Add(third+startTime), after(third+time.Minute, gone))
	assert.Zero(t, after(third+2*time.Minute, nil))
}

func TestHungControllerHoldsUpOnePassOnly(t *testing.T) {
	w := newWorld(t)
	key := w.aCluster("orders")
	w.options.Timeout = 50 * time.Millisecond
	hung := make(chan struct{})
	w.controller.fail = func(string) error { <-hung; return nil }
	in, _ := w.look(key)
	assert.Equal(t, "no answer", in.Controller.Err)
	start := time.Now()
	in, _ = w.look(key)
	assert.Equal(t, plan.Unreachable, in.Controller.Reach)
	assert.Less(t, time.Since(start), controllerTimeout/2)
	close(hung)
}

func TestNewPasswordIsGivenToTheController(t *testing.T) {
	w := newWorld(t)
	key := w.aCluster("orders")
	w.secret("auth", map[string]string{"password": "old"})
	w.cluster.topologies[key].Spec.PasswordSecret = &v1alpha1.SecretKeyRef{Name: "auth"}
	w.look(key)
	w.look(key)
	w.secret("auth", map[string]string{"password": "new"})
	w.clock = w.clock.Add(w.options.SecretTTL)
	in, _ := w.look(key)
	require.Len(t, w.controller.made, 2)
	assert.Equal(t, "old", w.controller.made[0].Password)
	made := w.controller.made[1]
	made.OnRequest = nil
	assert.Equal(t, kvctl.Options{
		URL: "http://orders-controller:9379", Namespace: kubetest.Namespace, Cluster: "orders", Password: "new",
	}, made)
	assert.Equal(t, plan.Answered, in.Controller.Reach, "it was asked at once")
}

func TestPlanOnAnOldRecordIsMadeAgain(t *testing.T) {
	w := newWorld(t)
	key := w.aCluster("orders")
	w.look(key)
	w.look(key)
	before := len(w.seen)
	w.controller.record.Version = 9 // changed, and no node knows yet
	w.plan.Actions = []action.Action{action.RemoveNode{ID: "x"}}
	_, sent := w.look(key)
	assert.Equal(t, []string{"get", "remove x"}, sent["controller"])
	require.Len(t, w.seen, before+2)
	assert.Equal(t, int64(3), w.seen[before].Controller.Record.Version)
	assert.Equal(t, int64(9), w.seen[before+1].Controller.Record.Version)
	before = len(w.seen)
	w.look(key)
	assert.Len(t, w.seen, before+1, "it is new already when something is going on")
}

func TestSentinelOfManyShardsIsAskedOnce(t *testing.T) {
	w := newWorld(t)
	key := w.aCluster("orders")
	spec := &w.cluster.topologies[key].Spec
	for _, name := range []string{"orders.2", "orders.3"} {
		spec.Shards = append(spec.Shards, v1alpha1.TopologyShard{Index: int32(len(spec.Shards)), MasterName: name})
	}
	list := w.sentinelInstance("watch", 1, key)
	for _, name := range []string{"orders.0", "orders.1", "orders.2", "else"} {
		list[0].masters[name] = kvrocks.MonitoredMaster{Name: name, NumOtherSentinels: 2}
	}
	in, _ := w.look(key)
	view := in.Sentinels.Views["watch-0"]
	assert.Len(t, view.Masters, 3, "neither what it does not monitor nor what is of no interest")
	w.journal.take()
	w.wake(key)
	_, err := w.Reconcile(t.Context(), key)
	require.NoError(t, err)
	assert.Equal(t, []string{"watch-0 MASTERS"}, slices.DeleteFunc(w.journal.take(), func(s string) bool {
		return !strings.HasPrefix(s, "watch-0")
	}))
}
