package reconcile

import (
	"errors"
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kvrocks/kvrocks-operator/sidecar/kvrocks"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan"
)

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
