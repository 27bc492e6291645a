package reconcile

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/kube"
	"github.com/kvrocks/kvrocks-operator/sidecar/kube/kubetest"
	"github.com/kvrocks/kvrocks-operator/sidecar/kvrocks"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/action"
)

func conflict() error {
	return apierrors.NewConflict(schema.GroupResource{Resource: "kvrockstopologies"}, "orders", errors.New("newer"))
}

func status(generation int64) v1alpha1.KVRocksTopologyStatus {
	return v1alpha1.KVRocksTopologyStatus{ObservedGeneration: generation}
}

// happened drops the questions and keeps what changes something.
func happened(lines []string) []string {
	var kept []string
	for _, l := range lines {
		switch {
		case len(l) > 4 && l[len(l)-4:] == "INFO", len(l) > 1 && l[len(l)-1:] == "*":
		default:
			kept = append(kept, l)
		}
	}
	return kept
}

func TestPassAppliesThenReportsThenTells(t *testing.T) {
	w := newWorld(t)
	key := w.standard("orders", 2)
	w.plan = plan.Plan{
		Actions: []action.Action{action.Promote{Pod: "orders-0"}, action.Follow{Pod: "orders-1", Host: "10.9.9.0", Port: 6379}},
		Status:  status(1),
		Events:  []plan.Event{{Reason: "Promoted"}},
	}
	result, err := w.Reconcile(t.Context(), key)
	require.NoError(t, err)
	assert.Equal(t, []string{
		"10.0.6.0 promote", "10.0.6.1 follow 10.9.9.0:6379", "status 1", "event orders Promoted",
	}, happened(w.journal.take()))
	assert.Equal(t, Result{Acted: true, After: afterActions}, result, "the next pass looks at once at what came of it")
}

// A former master may go on counting the new one among its replicas, when a pod with the address of that went without a word.
func TestANodeThatTakesItsMasterForAReplicaForgetsItsReplicas(t *testing.T) {
	w := newWorld(t)
	key := w.standard("orders", 2)
	w.plan = plan.Plan{Actions: []action.Action{action.Follow{Pod: "orders-1", Host: "10.9.9.0", Port: 6379}}}
	w.node("orders-1").fail = func(what string) error {
		if strings.HasPrefix(what, "follow") {
			return &kvrocks.Error{Kind: kvrocks.ErrOwnReplicas}
		}
		return nil
	}
	_, err := w.Reconcile(t.Context(), key)
	require.ErrorIs(t, err, kvrocks.ErrOwnReplicas, "it is tried again soon")
	assert.Equal(t, []string{"10.0.6.1 follow 10.9.9.0:6379", "10.0.6.1 drop replicas"}, happened(w.journal.take()))
}

// kvrocks would not answer for a quarter of an hour if such a connection were closed.
func TestAFeedThatIsBlockedIsLeftAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	key := w.standard("orders", 2)
	w.plan = plan.Plan{Actions: []action.Action{action.Follow{Pod: "orders-1", Host: "10.9.9.0", Port: 6379}}}
	w.node("orders-1").fail = func(what string) error {
		switch {
		case strings.HasPrefix(what, "follow"):
			return &kvrocks.Error{Kind: kvrocks.ErrOwnReplicas}
		case what == "drop replicas":
			return &kvrocks.Error{Kind: kvrocks.ErrFeedBlocked}
		}
		return nil
	}
	_, err := w.Reconcile(t.Context(), key)
	require.ErrorIs(t, err, kvrocks.ErrOwnReplicas, "it is tried again soon")
	require.ErrorIs(t, err, kvrocks.ErrFeedBlocked)
}

func TestAStepOfAPlannedMoveDoesNotWaitForItsReport(t *testing.T) {
	w := newWorld(t)
	key := w.standard("orders", 2)
	moving := status(1)
	moving.Shards = []v1alpha1.TopologyShardStatus{{Master: "orders-0", Outage: &v1alpha1.Outage{Master: "orders-0", Cause: v1alpha1.CauseHandover}}}
	w.plan = plan.Plan{Again: time.Millisecond, Status: moving}
	_, err := w.Reconcile(t.Context(), key)
	require.NoError(t, err)
	assert.Empty(t, happened(w.journal.take()))

	w.plan.Status.Shards[0].Outage.PromotedAt = new(metav1.NowMicro())
	_, err = w.Reconcile(t.Context(), key)
	require.NoError(t, err)
	assert.Equal(t, []string{"status 1"}, happened(w.journal.take()), "when the pause has ended it is on record")
}

func TestIntentIsOnRecordBeforeTheActions(t *testing.T) {
	w := newWorld(t)
	key := w.standard("orders", 1)
	w.plan = plan.Plan{Actions: []action.Action{action.Promote{Pod: "orders-0"}}, Status: status(1), Intent: true}
	_, err := w.Reconcile(t.Context(), key)
	require.NoError(t, err)
	assert.Equal(t, []string{"status 1", "10.0.6.0 promote"}, happened(w.journal.take()))

	w.refuseStatus = conflict()
	w.plan.Status = status(2)
	_, err = w.Reconcile(t.Context(), key)
	assert.True(t, isConflict(err), "got %v", err)
	assert.Empty(t, happened(w.journal.take()), "nothing is done that is not on record")
}

func TestFirstFailureEndsThePass(t *testing.T) {
	w := newWorld(t)
	key := w.standard("orders", 2)
	w.node("orders-0").fail = func(what string) error {
		if what == "promote" {
			return &kvrocks.Error{Op: "SLAVEOF NO ONE", Text: "ERR no"}
		}
		return nil
	}
	w.plan = plan.Plan{
		Actions: []action.Action{action.Promote{Pod: "orders-0"}, action.Promote{Pod: "orders-1"}},
		Status:  status(1), Events: []plan.Event{{Reason: "Promoted"}},
	}
	_, err := w.Reconcile(t.Context(), key)
	require.ErrorContains(t, err, "Promote")
	assert.Equal(t, []string{"10.0.6.0 promote"}, happened(w.journal.take()))
}

func TestNothingIsDoneAfterTheLeaseIsLost(t *testing.T) {
	w := newWorld(t)
	key := w.standard("orders", 2)
	leading, lose := context.WithCancel(t.Context())
	w.plan = plan.Plan{Actions: []action.Action{action.Promote{Pod: "orders-0"}, action.Promote{Pod: "orders-1"}}, Status: status(1)}
	w.node("orders-0").fail = func(what string) error {
		if what == "promote" {
			lose()
		}
		return nil
	}
	_, err := w.Reconcile(leading, key)
	require.ErrorIs(t, err, context.Canceled)
	assert.Equal(t, []string{"10.0.6.0 promote"}, happened(w.journal.take()), "neither the second action nor the report")

	_, err = w.Reconcile(leading, key)
	require.ErrorIs(t, err, context.Canceled)
	assert.Empty(t, happened(w.journal.take()))
}

func TestSettledInstanceWritesNothing(t *testing.T) {
	w := newWorld(t)
	key := w.standard("orders", 3)
	for range 3 {
		result, err := w.Reconcile(t.Context(), key)
		require.NoError(t, err)
		assert.Equal(t, Result{After: w.options.Period}, result)
	}
	assert.Empty(t, happened(w.journal.take()))
}

func TestCommandsPerNodeOfASettledInstanceAreFewAndBounded(t *testing.T) {
	w := newWorld(t)
	key := w.standard("orders", 3)
	pass := func() {
		_, err := w.Reconcile(t.Context(), key)
		require.NoError(t, err)
		w.clock = w.clock.Add(w.options.Period)
	}
	pass()
	pass() // the first ones look closely
	w.journal.take()
	for range int(time.Minute / w.options.Period) {
		pass()
	}
	perNode := map[string]int{}
	for _, l := range commands(w.journal.take()) {
		perNode[l[:len("10.0.6.0")]]++
	}
	for node, n := range perNode {
		assert.LessOrEqual(t, n, 7, "%s: INFO each period, CONFIG GET once a minute", node)
	}
	assert.Len(t, perNode, 3)
}

func TestPlanSaysWhenToLookAgain(t *testing.T) {
	w := newWorld(t)
	key := w.standard("orders", 1)
	w.plan = plan.Plan{Again: 10 * time.Millisecond}
	result, err := w.Reconcile(t.Context(), key)
	require.NoError(t, err)
	assert.Equal(t, 10*time.Millisecond, result.After)

	w.plan = plan.Plan{}
	w.node("orders-0").fail = func(string) error { return &kvrocks.Error{Kind: kvrocks.ErrRefused} }
	result, err = w.Reconcile(t.Context(), key)
	require.NoError(t, err)
	assert.Equal(t, whileMissing, result.After, "a node that is away may be back at any moment")
}

func TestSameActionsAgainAreSlowedDown(t *testing.T) {
	w := newWorld(t)
	key := w.standard("orders", 1)
	w.plan = plan.Plan{Actions: []action.Action{action.Promote{Pod: "orders-0"}}}
	first, err := w.Reconcile(t.Context(), key)
	require.NoError(t, err)
	again, err := w.Reconcile(t.Context(), key)
	require.NoError(t, err)
	assert.False(t, first.Slower)
	assert.True(t, again.Slower)
}

func TestGoneTopologyClosesItsConnections(t *testing.T) {
	w := newWorld(t)
	key := w.standard("orders", 2)
	_, err := w.Reconcile(t.Context(), key)
	require.NoError(t, err)
	require.Len(t, w.instances, 1)
	delete(w.cluster.topologies, key)
	result, err := w.Reconcile(t.Context(), key)
	require.NoError(t, err)
	assert.Zero(t, result)
	assert.Empty(t, w.instances)
}

func TestActionOnAPodThatWasReplacedMeanwhile(t *testing.T) {
	w := newWorld(t)
	key := w.standard("orders", 1)
	w.plan = plan.Plan{Actions: []action.Action{action.Attach{Pod: "orders-1"}}}
	_, err := w.Reconcile(t.Context(), key)
	assert.True(t, isConflict(err), "got %v", err)
}

func TestRefusedSettingIsToldToThePlannerAndHoldsUpNothing(t *testing.T) {
	w := newWorld(t)
	key := w.standard("orders", 1)
	w.cluster.topologies[key].Spec.Config = map[string]string{"bad": "1", "good": "2"}
	w.node("orders-0").fail = func(what string) error {
		if what == "CONFIG SET bad 1" {
			return &kvrocks.Error{Op: "CONFIG SET bad", Kind: kvrocks.ErrNotAllowed, Text: "ERR no such setting"}
		}
		return nil
	}
	w.plan = plan.Plan{Actions: []action.Action{
		action.Configure{Pod: "orders-0", Settings: map[string]string{"bad": "1", "good": "2"}},
	}}
	_, err := w.Reconcile(t.Context(), key)
	require.NoError(t, err)
	assert.Equal(t, []string{"10.0.6.0 CONFIG SET bad 1", "10.0.6.0 CONFIG SET good 2"}, happened(w.journal.take()))

	w.plan = plan.Plan{}
	_, err = w.Reconcile(t.Context(), key)
	require.NoError(t, err)
	last := w.seen[len(w.seen)-1].Nodes["orders-0"]
	assert.Contains(t, last.Refusals["bad"], "no such setting")
	assert.True(t, last.RequiresRestart["bad"])
	assert.NotNil(t, last.Config, "what came of it is read back")

	w.cluster.topologies[key].Spec.Config["bad"] = "3"
	_, err = w.Reconcile(t.Context(), key)
	require.NoError(t, err)
	assert.Empty(t, w.seen[len(w.seen)-1].Nodes["orders-0"].Refusals, "another value is another question")

	delete(w.cluster.topologies[key].Spec.Config, "bad")
	_, err = w.Reconcile(t.Context(), key)
	require.NoError(t, err)
	assert.Empty(t, w.seen[len(w.seen)-1].Nodes["orders-0"].Refusals, "what is not wanted any more is refused by no node")
}

func TestReplacedPodKeepsWhenItLastServedAndLosesTheRest(t *testing.T) {
	w := newWorld(t)
	key := w.standard("orders", 1)
	_, err := w.Reconcile(t.Context(), key)
	require.NoError(t, err)
	replaced := kubetest.DataPod("orders", 0)
	replaced.UID = "another"
	w.cluster.pods = []*corev1.Pod{replaced}
	w.node("orders-0").fail = func(string) error { return &kvrocks.Error{Kind: kvrocks.ErrRefused, Text: "refused"} }
	w.clock = w.clock.Add(time.Second)
	_, err = w.Reconcile(t.Context(), key)
	require.NoError(t, err)
	got := w.seen[len(w.seen)-1].Nodes["orders-0"]
	assert.Equal(t, plan.Unreachable, got.Reach)
	assert.Equal(t, w.clock, got.LastMaster, "its connection stood until now")
	assert.Equal(t, w.clock, got.DownSince)
	assert.Zero(t, got.Sequence)
}

func TestIPThatWasGivenToAnotherPodIsNotTakenForTheNode(t *testing.T) {
	w := newWorld(t)
	key := w.standard("orders", 2)
	w.node("orders-1").settings[settingAnnounceIP] = "10.9.9.0" // what orders-0 announces
	_, err := w.Reconcile(t.Context(), key)
	require.NoError(t, err)
	got := w.seen[0].Nodes["orders-1"]
	assert.Equal(t, plan.Unreachable, got.Reach)
	assert.Contains(t, got.Err, "ns/orders-0")
}

func TestRecreatedTopologyStartsWithoutMemory(t *testing.T) {
	w := newWorld(t)
	key := w.standard("orders", 1)
	_, err := w.Reconcile(t.Context(), key)
	require.NoError(t, err)
	w.journal.take()
	again := w.cluster.topologies[key].DeepCopy()
	again.UID = "another"
	w.cluster.topologies[key] = again
	_, err = w.Reconcile(t.Context(), key)
	require.NoError(t, err)
	assert.Contains(t, commands(w.journal.take()), "10.0.6.0 CONFIG GET *")
}

func TestActionsOnPods(t *testing.T) {
	w := newWorld(t)
	key := w.standard("orders", 1)
	w.client.ClearActions()
	w.plan = plan.Plan{Actions: []action.Action{
		action.Attach{Pod: "orders-0"},
		action.Label{Pod: "orders-0", Role: v1alpha1.RoleMaster},
		action.Detach{Pod: "orders-0", Reason: "it is down"},
		action.DeletePod{Pod: "orders-0", UID: "uid-orders-0"},
	}}
	_, err := w.Reconcile(t.Context(), key)
	require.NoError(t, err)
	var did []string
	for _, a := range w.client.Actions() {
		if a.GetVerb() != "get" {
			did = append(did, strings.TrimSuffix(a.GetVerb()+" pods/"+a.GetSubresource(), "/"))
		}
	}
	assert.Equal(t, []string{"patch pods/status", "patch pods", "patch pods/status", "delete pods"}, did)

	w.plan = plan.Plan{Actions: []action.Action{action.Attach{Pod: "orders-7"}}}
	_, err = w.Reconcile(t.Context(), key)
	require.ErrorIs(t, err, kube.ErrGone)
	assert.True(t, isConflict(err))
}

func TestWhyAPodIsMissingReachesThePlan(t *testing.T) {
	w := newWorld(t)
	key := w.standard("orders", 2)
	w.cluster.pods = w.cluster.pods[:1]
	_, err := w.Reconcile(t.Context(), key)
	require.NoError(t, err)
	assert.Equal(t, []v1alpha1.PodFailure{{StatefulSet: "orders", Message: "no orders-1"}}, w.seen[0].PodFailures)
}
