package reconcile

import (
	"errors"
	"fmt"
	"net"
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

func TestFlightGoesOnWithoutAnAnswerAndCollectsItLater(t *testing.T) {
	var f inflight[int]
	release, late := make(chan struct{}), make(chan int, 1)
	asked := 0
	ask := func(patience time.Duration) (int, bool) {
		return f.ask(patience, func() int { asked++; <-release; return 42 }, func(n int) { late <- n })
	}
	_, ok := ask(time.Millisecond)
	require.False(t, ok)
	_, ok = ask(time.Millisecond)
	require.False(t, ok)
	close(release)
	assert.Equal(t, 42, <-late, "somebody is told that the answer came after all")
	assert.Equal(t, 1, asked, "one question at a time")
	got, ok := ask(time.Minute)
	assert.True(t, ok)
	assert.Equal(t, 42, got)
	assert.Equal(t, 2, asked, "what came in between is old")
}

func TestFlightThatIsAnsweredInTimeTellsNobodyElse(t *testing.T) {
	var f inflight[int]
	got, ok := f.ask(time.Minute, func() int { return 1 }, func(int) { t.Error("late") })
	assert.True(t, ok)
	assert.Equal(t, 1, got)
}

func TestReach(t *testing.T) {
	dial := &net.OpError{Op: "dial", Err: errors.New("i/o timeout")}
	tests := map[string]struct {
		err  error
		want plan.Reach
	}{
		"an answer":              {nil, plan.Answered},
		"loading":                {&kvrocks.Error{Kind: kvrocks.ErrLoading}, plan.Loading},
		"wrong password":         {&kvrocks.Error{Kind: kvrocks.ErrWrongPassword}, plan.Refused},
		"no password":            {&kvrocks.Error{Kind: kvrocks.ErrNoAuth}, plan.Refused},
		"too many clients":       {&kvrocks.Error{Text: "ERR max number of clients reached"}, plan.Refused},
		"nothing listens":        {&kvrocks.Error{Kind: kvrocks.ErrRefused}, plan.Unreachable},
		"connection lost":        {&kvrocks.Error{Kind: kvrocks.ErrUnreachable}, plan.Unreachable},
		"silence":                {&kvrocks.Error{Kind: kvrocks.ErrTimeout}, plan.Unresponsive},
		"silence of the network": {fmt.Errorf("%w: %w", kvrocks.ErrTimeout, dial), plan.Unreachable},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) { assert.Equal(t, test.want, reachOf(test.err)) })
	}
}

func TestHungNodeHoldsUpOnePassOnly(t *testing.T) {
	release := make(chan struct{})
	n := newNode("orders-0", "uid", "10.0.0.1:6379", func(*node, kvrocks.Secret) DataNode {
		return &fakeNode{
			journal: &journal{}, info: kvrocks.NodeInfo{Role: kvrocks.RoleMaster, RunID: "a"},
			fail: func(string) error { <-release; return nil },
		}
	})
	woken := make(chan struct{}, 1)
	observe := func() {
		w := timeouts{usual: 5 * time.Millisecond, longest: time.Minute, onLate: func() { woken <- struct{}{} }}
		n.observe(t.Context(), passwords{}, w, time.Now)
	}
	observe()
	assert.Equal(t, plan.Unresponsive, n.seen.Reach)
	since := n.seen.DownSince
	observe()
	assert.Equal(t, since, n.seen.DownSince, "one outage")
	close(release)
	<-woken
	observe()
	assert.Equal(t, plan.Answered, n.seen.Reach)
	assert.Zero(t, n.seen.DownSince)
}

func TestProcessIsNamedByItsRunIDOrByItsStart(t *testing.T) {
	start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	up := func(d time.Duration, id string) nodeAnswer {
		return nodeAnswer{at: start.Add(d), info: kvrocks.NodeInfo{Role: kvrocks.RoleMaster, Uptime: d.Truncate(time.Second), RunID: id}}
	}
	n := &node{}
	n.take(up(1500*time.Millisecond, ""))
	first := n.seen.RunID
	require.NotEmpty(t, first)
	n.take(up(time.Hour+900*time.Millisecond, ""))
	assert.Equal(t, first, n.seen.RunID, "the reading is rounded to seconds")

	restarted := up(time.Hour+10*time.Second, "")
	restarted.info.Uptime = time.Second
	n.take(restarted)
	assert.NotEqual(t, first, n.seen.RunID)

	n.take(up(2*time.Hour, "run1"))
	assert.Equal(t, "run1", n.seen.RunID)
	n.take(up(2*time.Hour, "run2"))
	assert.Equal(t, "run2", n.seen.RunID)
}

func TestPodFacts(t *testing.T) {
	pod := dataPod("orders", 0)
	pod.Labels[v1alpha1.LabelRole] = "master"
	since := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	condition := func(of corev1.PodConditionType, status corev1.ConditionStatus) corev1.PodCondition {
		return corev1.PodCondition{Type: of, Status: status, LastTransitionTime: metav1.NewTime(since)}
	}
	for name, test := range map[string]struct {
		gate, ready corev1.ConditionStatus
		want        plan.Pod
	}{
		"ready":                        {"True", "True", plan.Pod{Attached: true, ReadySince: since}},
		"attached, in no Service yet":  {"True", "False", plan.Pod{Attached: true, Unready: true}},
		"detached, in the Service yet": {"False", "True", plan.Pod{}},
		"waits for its place":          {"False", "False", plan.Pod{}},
	} {
		pod.Status.Conditions = []corev1.PodCondition{condition(corev1.PodReady, test.ready), condition(v1alpha1.AttachedGate, test.gate)}
		test.want.UID, test.want.IP, test.want.Running, test.want.Role = "uid-orders-0", "10.0.6.0", true, v1alpha1.RoleMaster
		assert.Equal(t, test.want, factsOf(pod).Pod, name)
		trimmed, err := trimPod(pod)
		require.NoError(t, err)
		assert.Equal(t, factsOf(pod), factsOf(trimmed.(*corev1.Pod)), "nothing that is read gets trimmed: "+name)
	}

	pod.Status.Phase = corev1.PodFailed
	assert.Empty(t, factsOf(pod).IP, "the IP of a pod that has ended may belong to another one")
}

func TestJitterKeepsShortPausesAndSpreadsLongOnes(t *testing.T) {
	assert.Equal(t, 10*time.Millisecond, jitter(10*time.Millisecond))
	for range 100 {
		d := jitter(10 * time.Second)
		assert.GreaterOrEqual(t, d, 9*time.Second)
		assert.Less(t, d, 11*time.Second)
	}
}

func TestNodeThatIsOnlySlowIsHeardTheSecondTime(t *testing.T) {
	n := newNode("orders-0", "uid", "10.0.0.1:6379", func(*node, kvrocks.Secret) DataNode {
		return &fakeNode{
			journal: &journal{}, info: kvrocks.NodeInfo{Role: kvrocks.RoleMaster, RunID: "a"},
			fail: func(string) error { time.Sleep(20 * time.Millisecond); return nil },
		}
	})
	woken := make(chan struct{}, 1)
	w := timeouts{usual: time.Millisecond, longest: time.Minute, onLate: func() { woken <- struct{}{} }}
	n.observe(t.Context(), passwords{}, w, time.Now)
	require.Equal(t, plan.Unresponsive, n.seen.Reach)
	<-woken
	n.observe(t.Context(), passwords{}, w, time.Now)
	assert.Equal(t, plan.Answered, n.seen.Reach)
}
