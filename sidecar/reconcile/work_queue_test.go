package reconcile

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kvrocks/kvrocks-operator/sidecar/kvrocks"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/action"
)

// recordedQueue remembers how the key was put back.
type recordedQueue struct {
	queue

	back []string
}

func (q *recordedQueue) AddRateLimited(types.NamespacedName) { q.back = append(q.back, "slower") }
func (q *recordedQueue) Forget(types.NamespacedName)         { q.back = append(q.back, "forget") }

func (q *recordedQueue) AddAfter(_ types.NamespacedName, d time.Duration) {
	q.back = append(q.back, d.Round(10*time.Second).String())
	if d < 5*time.Second {
		q.back[len(q.back)-1] = d.String()
	}
}

func TestWhenTheNextPassIsDue(t *testing.T) {
	promote := []action.Action{action.Promote{Pod: "orders-0"}}
	fails := func(err error) func(string) error {
		return func(what string) error {
			if what == "promote" {
				return err
			}
			return nil
		}
	}
	tests := map[string]struct {
		plan   plan.Plan
		fail   error
		passes int
		want   []string
	}{
		"settled":         {plan.Plan{}, nil, 1, []string{"forget", "10s"}},
		"wish":            {plan.Plan{Again: 20 * time.Millisecond}, nil, 1, []string{"forget", "20ms"}},
		"acted":           {plan.Plan{Actions: promote}, nil, 1, []string{"forget", "5ms"}},
		"acted the same":  {plan.Plan{Actions: promote, Again: time.Second}, nil, 2, []string{"slower", "1s"}},
		"failed":          {plan.Plan{Actions: promote}, errors.New("no"), 1, []string{"slower"}},
		"own replicas":    {plan.Plan{Actions: promote}, &kvrocks.Error{Kind: kvrocks.ErrOwnReplicas}, 1, []string{"200ms"}},
		"overtaken write": {plan.Plan{Actions: promote}, conflict(), 1, []string{"slower"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			key := w.standard("orders", 1)
			w.plan = test.plan
			if test.fail != nil {
				w.node("orders-0").fail = fails(test.fail)
			}
			q := &recordedQueue{queue: newQueue()}
			defer q.ShutDown()
			for range test.passes {
				q.back = nil
				q.Add(key)
				require.True(t, w.next(t.Context(), q))
			}
			assert.Equal(t, test.want, q.back)
		})
	}
}

func TestPanicOfOnePassIsAnError(t *testing.T) {
	w := newWorld(t)
	key := w.standard("orders", 1)
	w.planner.standard = func(plan.Input) plan.Plan { panic("index out of range") }
	_, err := w.guarded(t.Context(), key)
	require.ErrorContains(t, err, "index out of range")
}

func TestWorkEndsWithItsContextAfterTheLastPass(t *testing.T) {
	w := newWorld(t)
	key := w.standard("orders", 1)
	ctx, stop := context.WithCancel(t.Context())
	began, finish := make(chan struct{}), make(chan struct{})
	w.node("orders-0").fail = func(what string) error {
		if what == "INFO" {
			close(began)
			<-finish
		}
		return nil
	}
	q := newQueue()
	q.Add(key)
	ended := make(chan struct{})
	go func() { w.work(ctx, q); close(ended) }()
	<-began
	stop()
	select {
	case <-ended:
		t.Fatal("it did not wait for the pass")
	case <-time.After(20 * time.Millisecond): // there is nothing to wait for
	}
	close(finish)
	<-ended
	assert.Empty(t, happened(w.journal.take()))
}

func TestWorkWithManyInstancesAtOnceIsRaceFree(t *testing.T) {
	w := newWorld(t)
	// The planner of the world is not made for it.
	w.planner.standard = func(plan.Input) plan.Plan { return plan.Plan{Again: time.Millisecond} }
	var keys []types.NamespacedName
	for _, name := range []string{"a", "bb", "ccc", "dddd"} {
		keys = append(keys, w.standard(name, 3))
	}
	w.sentinelInstance("watchers", 3, keys...)
	q := newQueue()
	w.enqueue = q.Add
	ctx, stop := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer stop()
	for _, key := range keys {
		q.Add(key)
	}
	w.work(ctx, q)
	assert.Greater(t, len(w.journal.take()), 100)
}

func TestJitterKeepsShortPausesAndSpreadsLongOnes(t *testing.T) {
	assert.Equal(t, 10*time.Millisecond, jitter(10*time.Millisecond))
	for range 100 {
		d := jitter(10 * time.Second)
		assert.GreaterOrEqual(t, d, 9*time.Second)
		assert.Less(t, d, 11*time.Second)
	}
}
