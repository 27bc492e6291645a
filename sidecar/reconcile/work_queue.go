package reconcile

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
)

// Backoff of passes that fail or that do the same again and again.
const (
	minBackoff = 10 * time.Millisecond
	maxBackoff = 5 * time.Second
)

type queue = workqueue.TypedRateLimitingInterface[types.NamespacedName]

func newQueue() queue {
	return workqueue.NewTypedRateLimitingQueue(
		workqueue.NewTypedItemExponentialFailureRateLimiter[types.NamespacedName](minBackoff, maxBackoff))
}

// work carries out passes until ctx ends, and returns when the last one has.
func (r *Reconciler) work(ctx context.Context, q queue) {
	defer context.AfterFunc(ctx, q.ShutDown)()
	var wg sync.WaitGroup
	for range r.options.Workers {
		wg.Go(func() {
			for r.next(ctx, q) {
			}
		})
	}
	wg.Wait()
}

// next carries out one pass and schedules the one after it. It returns false once the queue has been shut down.
func (r *Reconciler) next(ctx context.Context, q queue) bool {
	key, shutdown := q.Get()
	if shutdown {
		return false
	}
	defer q.Done(key)
	if ctx.Err() != nil {
		return true // drain the queue
	}
	start := time.Now()
	result, err := r.guarded(ctx, key)
	r.metrics.pass(time.Since(start), result.Acted, err)
	switch {
	case ctx.Err() != nil:
	case isConflict(err):
		r.log.Debug("overtaken", "instance", key.String(), "err", err)
		q.AddRateLimited(key)
	case isExpected(err):
		r.log.Debug("not yet", "instance", key.String(), "err", err)
		q.AddAfter(key, afterExpected)
	case err != nil:
		r.logOnce(key, err)
		q.AddRateLimited(key)
	case result.Slower:
		q.AddRateLimited(key)
		q.AddAfter(key, result.After) // the earlier of the two counts
	case result.After > 0:
		q.Forget(key)
		q.AddAfter(key, jitter(result.After))
	default:
		q.Forget(key)
	}
	return true
}

// guarded calls Reconcile and returns a panic as an error: one instance must not take the others down.
func (r *Reconciler) guarded(ctx context.Context, key types.NamespacedName) (result Result, err error) {
	r.running.begin(key, time.Now())
	defer r.running.end(key)
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("panic: %v\n%s", cause, debug.Stack())
		}
	}()
	return r.Reconcile(ctx, key)
}

// jitter spreads the passes of many instances, which all began at the same moment.
func jitter(d time.Duration) time.Duration {
	if d < time.Second {
		return d
	}
	return d - d/10 + rand.N(d/5)
}

// logOnce logs a failure when it is another one than the last.
func (r *Reconciler) logOnce(key types.NamespacedName, err error) {
	inst := r.instance(key)
	if text := err.Error(); text != inst.loggedFailure {
		inst.loggedFailure = text
		r.log.Warn("pass failed", "instance", key.String(), "err", err)
	}
}
