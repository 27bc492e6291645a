package reconcile

import (
	"cmp"
	"context"
	"sync"

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
		wg.Go(func() { errs[i] = p.applyAndLog(ctx, a) })
	}
	wg.Wait()
	return cmp.Or(errs...)
}
