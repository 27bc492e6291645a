package reconcile

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kvrocks/kvrocks-operator/sidecar/plan"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/action"
)

func TestASpinningSentinelIsSeenAndItsConnectionsAreRenewedOnceAMinute(t *testing.T) {
	w := newWorld(t)
	key := w.standard("orders", 2)
	list := w.sentinelInstance("watch", 2, key)
	// pass lets time go by, in which the first sentinel works, and tells which of the two spin.
	pass := func(elapsed, worked time.Duration) (spinning []string) {
		w.clock = w.clock.Add(elapsed)
		list[0].works(worked)
		list[1].works(elapsed / 100)
		_, err := w.Reconcile(t.Context(), key)
		require.NoError(t, err)
		views := w.seen[len(w.seen)-1].Sentinels.Views
		for _, pod := range []string{"watch-0", "watch-1"} {
			if views[pod].Spinning {
				spinning = append(spinning, pod)
			}
		}
		return spinning
	}
	assert.Empty(t, pass(0, time.Hour), "nothing to compare with")
	assert.Empty(t, pass(10*time.Second, time.Second))
	assert.Empty(t, pass(time.Second, time.Second), "a second of work is no proof")
	assert.Equal(t, []string{"watch-0"}, pass(10*time.Second, 9*time.Second))
	assert.Equal(t, []string{"watch-0"}, pass(time.Second, 0), "what was measured last stands for two seconds")

	w.journal.take()
	w.plan = plan.Plan{Actions: []action.Action{action.RenewLinks{Sentinel: "watch-0", Pods: []string{"orders-0", "orders-1"}}}}
	pass(10*time.Second, 10*time.Second)
	assert.Subset(t, w.journal.take(), []string{"10.0.6.0 drop id-of-watch-0", "10.0.6.1 drop id-of-watch-0"})
	w.plan = plan.Plan{}
	assert.Empty(t, pass(10*time.Second, 10*time.Second), "the remedy is given time")
	assert.Equal(t, []string{"watch-0"}, pass(time.Minute, time.Minute), "it did not help")
	assert.Empty(t, pass(10*time.Second, 0))
}

func TestASentinelThatDoesNotTellItsProcessorTimeIsHeardAllTheSame(t *testing.T) {
	w := newWorld(t)
	key := w.standard("orders", 1)
	list := w.sentinelInstance("watch", 1, key)
	for _, mute := range []bool{true, true, false} {
		list[0].mute = mute
		list[0].works(time.Hour)
		w.clock = w.clock.Add(10 * time.Second)
		_, err := w.Reconcile(t.Context(), key)
		require.NoError(t, err)
		view := w.seen[len(w.seen)-1].Sentinels.Views["watch-0"]
		assert.Equal(t, plan.Answered, view.Reach)
		assert.False(t, view.Spinning)
	}
}
