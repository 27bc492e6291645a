package reconcile

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kvrocks/kvrocks-operator/sidecar/conn"
	"github.com/kvrocks/kvrocks-operator/sidecar/kvrocks"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan"
)

func TestHungNodeHoldsUpOnePassOnly(t *testing.T) {
	release := make(chan struct{})
	n := newNode("orders-0", "uid", "10.0.0.1:6379", func(*node, kvrocks.Secret) conn.DataNode {
		return &fakeNode{
			journal: &journal{}, info: kvrocks.NodeInfo{Role: kvrocks.RoleMaster, RunID: "a"},
			fail: func(string) error { <-release; return nil },
		}
	})
	woken := make(chan struct{}, 1)
	observe := func() {
		w := timeouts{usual: 5 * time.Millisecond, longest: time.Minute, onLate: func() { woken <- struct{}{} }}
		n.observe(t.Context(), conn.Passwords{}, w, time.Now)
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

func TestNodeThatIsOnlySlowIsHeardTheSecondTime(t *testing.T) {
	n := newNode("orders-0", "uid", "10.0.0.1:6379", func(*node, kvrocks.Secret) conn.DataNode {
		return &fakeNode{
			journal: &journal{}, info: kvrocks.NodeInfo{Role: kvrocks.RoleMaster, RunID: "a"},
			fail: func(string) error { time.Sleep(20 * time.Millisecond); return nil },
		}
	})
	woken := make(chan struct{}, 1)
	w := timeouts{usual: time.Millisecond, longest: time.Minute, onLate: func() { woken <- struct{}{} }}
	n.observe(t.Context(), conn.Passwords{}, w, time.Now)
	require.Equal(t, plan.Unresponsive, n.seen.Reach)
	<-woken
	n.observe(t.Context(), conn.Passwords{}, w, time.Now)
	assert.Equal(t, plan.Answered, n.seen.Reach)
}
