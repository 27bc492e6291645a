package reconcile

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/kvrocks"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/action"
)

func TestMasterThatIsBeingReplacedIsNotWaitedFor(t *testing.T) {
	w := newWorld(t)
	key := w.standard("orders", 2)
	p := &pass{Reconciler: w.Reconciler, inst: w.instance(key), topology: w.cluster.topologies[key]}
	assert.Greater(t, p.timeouts().usual, w.options.Timeout)
	w.wakeUrgently(key)
	assert.Equal(t, urgentTimeout, p.timeouts().usual, "a sentinel says so")
	_, err := w.Reconcile(t.Context(), key)
	require.NoError(t, err)
	assert.Greater(t, p.timeouts().usual, w.options.Timeout, "it has settled")
	p.topology.Status.Shards = []v1alpha1.TopologyShardStatus{{Outage: &v1alpha1.Outage{}}}
	assert.Equal(t, urgentTimeout, p.timeouts().usual, "it is on record")
}

func TestMasterServesUntilItsConnectionIsLostOrItsPodIsGone(t *testing.T) {
	w := newWorld(t)
	key := w.standard("orders", 1)
	pods := w.cluster.pods
	lastMaster := func() time.Time {
		_, err := w.Reconcile(t.Context(), key)
		require.NoError(t, err)
		return w.seen[len(w.seen)-1].Nodes["orders-0"].LastMaster
	}
	assert.Equal(t, w.clock, lastMaster())

	w.clock = w.clock.Add(time.Second)
	lost := w.clock
	w.instances[key].nodes["orders-0"].lose(lost)
	w.node("orders-0").fail = func(string) error { return &kvrocks.Error{Kind: kvrocks.ErrRefused} }
	w.clock = w.clock.Add(time.Second)
	assert.True(t, lost.Equal(lastMaster()), "the connection was lost")

	w.node("orders-0").fail = nil
	assert.Equal(t, w.clock, lastMaster())
	w.clock = w.clock.Add(5 * time.Second)
	w.cluster.pods = nil
	assert.Equal(t, w.clock, lastMaster(), "the process outlives its pod")
	assert.True(t, w.seen[len(w.seen)-1].Nodes["orders-0"].Outlives)
	gone := w.clock
	w.instances[key].nodes["orders-0"].lose(gone)
	assert.Zero(t, lastMaster(), "its connection is lost, so there is nothing to be seen")
	w.clock = w.clock.Add(time.Second)
	w.cluster.pods = pods
	w.nodes[w.node("orders-0").addr+":6379"] = &fakeNode{journal: w.journal, fail: func(string) error {
		return &kvrocks.Error{Kind: kvrocks.ErrRefused}
	}}
	assert.True(t, gone.Equal(lastMaster()), "until then it served")
}

func TestMasterThatFellSilentDidNotServeUntilItsPodWasGone(t *testing.T) {
	w := newWorld(t)
	key := w.standard("orders", 1)
	reconcile := func() {
		_, err := w.Reconcile(t.Context(), key)
		require.NoError(t, err)
	}
	reconcile()
	answered := w.clock
	release := make(chan struct{})
	defer close(release)
	w.node("orders-0").fail = func(string) error {
		<-release
		return nil
	}
	w.wakeUrgently(key) // so that the pass does not wait long
	w.clock = w.clock.Add(time.Second)
	reconcile()
	w.clock = w.clock.Add(time.Second)
	w.cluster.pods = nil
	reconcile()
	assert.Equal(t, answered, w.instances[key].lastMaster["orders-0"])
}

func TestNodeThatFallsSilentBetweenTwoQuestionsHoldsNobodyUp(t *testing.T) {
	w := newWorld(t)
	key := w.standard("orders", 2)
	_, err := w.Reconcile(t.Context(), key)
	require.NoError(t, err)
	w.wakeUrgently(key)
	w.clock = w.clock.Add(rarely)
	release := make(chan struct{})
	defer close(release)
	w.node("orders-1").fail = func(what string) error {
		if what == "CONFIG GET *" { // it has begun to change its role after it answered INFO
			<-release
		}
		return nil
	}
	start := time.Now()
	_, err = w.Reconcile(t.Context(), key)
	require.NoError(t, err)
	assert.Less(t, time.Since(start), w.options.Timeout)
	assert.Equal(t, plan.Unresponsive, w.seen[1].Nodes["orders-1"].Reach)
	assert.Equal(t, plan.Answered, w.seen[1].Nodes["orders-0"].Reach)
}

func TestMasterWhosePodIsGoneTakesNoMoreWritesOnceSomebodySucceedsIt(t *testing.T) {
	w := newWorld(t)
	key := w.standard("orders", 3)
	var did []string
	pass := func(actions ...action.Action) {
		w.plan = plan.Plan{Actions: actions}
		_, err := w.Reconcile(t.Context(), key)
		require.NoError(t, err)
		did = append(did, happened(w.journal.take())...)
	}
	const stopped = "10.0.6.0 follow 127.0.0.1:1"
	pass()
	w.cluster.pods = w.cluster.pods[1:] // deleted by force; the process lives on
	pass()
	pass(action.Label{Pod: "orders-1"})
	assert.Empty(t, did, "until then its replicas get what is written")

	pass(action.Promote{Pod: "orders-1"})
	require.Eventually(t, func() bool {
		did = append(did, w.journal.take()...)
		return slices.Contains(did, stopped)
	}, 5*time.Second, time.Millisecond)
	assert.Equal(t, "10.0.6.1 promote", did[0])
	did = nil
	pass(action.Promote{Pod: "orders-1"}, action.Label{Pod: "orders-1", Role: v1alpha1.RoleMaster})
	assert.Equal(t, []string{"10.0.6.1 promote"}, did, "once")
}

func TestMasterWhoseProcessEndedWithItsPodIsLeftAlone(t *testing.T) {
	w := newWorld(t)
	key := w.standard("orders", 2)
	_, err := w.Reconcile(t.Context(), key)
	require.NoError(t, err)
	orders0 := w.instances[key].nodes["orders-0"]
	w.cluster.pods = w.cluster.pods[1:]
	_, err = w.Reconcile(t.Context(), key)
	require.NoError(t, err)
	assert.True(t, w.seen[len(w.seen)-1].Nodes["orders-0"].Outlives)
	orders0.lose(w.clock)
	w.journal.take()
	w.plan = plan.Plan{Actions: []action.Action{action.Promote{Pod: "orders-1"}}}
	_, err = w.Reconcile(t.Context(), key)
	require.NoError(t, err)
	assert.Empty(t, w.instances[key].orphans, "at its address there may be somebody else by now")
	assert.Equal(t, []string{"10.0.6.1 promote"}, happened(w.journal.take()))
}

func TestLeaderThatEndsLeavesTheMastersAlone(t *testing.T) {
	w := newWorld(t)
	key := w.standard("orders", 1)
	_, err := w.Reconcile(t.Context(), key)
	require.NoError(t, err)
	w.journal.take()
	w.close()
	delete(w.cluster.topologies, key)
	_, err = w.Reconcile(t.Context(), key)
	require.NoError(t, err)
	time.Sleep(20 * time.Millisecond) // there is nothing to wait for
	assert.Empty(t, w.journal.take())
}
