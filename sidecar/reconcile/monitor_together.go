package reconcile

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/kvrocks/kvrocks-operator/sidecar/plan"
)

// monitorsTogether returns the leading actions that give a master to sentinels, each to another one. They need not wait for each
// other, and while a sentinel knows no master clients that ask it have none.
func monitorsTogether(actions []plan.Action) []plan.Action {
	given := map[string]bool{}
	for i, action := range actions {
		a, ok := action.(plan.Monitor)
		if !ok || given[a.Sentinel] {
			return actions[:i]
		}
		given[a.Sentinel] = true
	}
	return actions
}

// monitorAll carries them out, all at the same time, and returns the first error in their order.
func (p *pass) monitorAll(ctx context.Context, monitors []plan.Action) error {
	errs := make([]error, len(monitors))
	var wg sync.WaitGroup
	for i, a := range monitors {
		wg.Go(func() {
			start := time.Now()
			errs[i] = p.applyOne(ctx, a)
			p.metrics.action(actionKind(a), errs[i])
			if errs[i] == nil {
				p.applied(ctx, a, time.Since(start))
			}
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return fmt.Errorf("Monitor: %w", err)
		}
	}
	return nil
}
