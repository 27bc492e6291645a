package reconcile

import (
	"context"
	"errors"
	"time"

	"github.com/kvrocks/kvrocks-operator/sidecar/conn"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/action"
)

// pushTimeout is how long a pass waits for replicas to take a layout. One that leaves a master which is gone does not
// answer for seconds, and nothing depends on it.
const pushTimeout = 300 * time.Millisecond

// setLayout gives the node a layout and waits for it.
func (n *node) setLayout(ctx context.Context, pw conn.Passwords, a action.Push) error {
	return n.session.Do(pw, func(c conn.DataNode) error {
		return c.SetLayout(ctx, a.ID, a.Layout, a.Force)
	})
}

// pushAll gives several nodes a layout, all at the same time, and waits for the masters. A replica that takes long is left
// to it.
func (p *applier) pushAll(ctx context.Context, pushes []action.Push) error {
	type result struct {
		of  action.Push
		err error
	}
	results := make(chan result, len(pushes))
	pw, start := p.inst.credentials.Passwords(), time.Now()
	masters := 0
	for _, a := range pushes {
		if a.Layout.IsMaster(a.ID) {
			masters++
		}
		err := p.onNode(a.Pod, func(n *node) error {
			n.layoutAt = time.Time{}
			go func() {
				err := n.setLayout(ctx, pw, a)
				p.metrics.action(actionKind(a), err)
				if err == nil {
					p.applied(ctx, a, time.Since(start))
				}
				results <- result{a, err}
				if time.Since(start) > pushTimeout {
					p.wake(p.key)
				}
			}()
			return nil
		})
		if err != nil {
			results <- result{a, err}
		}
	}
	timer := time.NewTimer(pushTimeout)
	defer timer.Stop()
	var errs []error
	for left, late := len(pushes), false; left > 0 && (masters > 0 || !late); {
		select {
		case r := <-results:
			left--
			errs = append(errs, r.err)
			if r.of.Layout.IsMaster(r.of.ID) {
				masters--
				if r.err == nil {
					p.stopClusterOrphans(ctx, r.of)
				}
			}
		case <-timer.C:
			late = true
		}
	}
	return errors.Join(errs...)
}

// inOrder is how many masters are given a layout one after the other, before all the others get it: the new master of a
// failover, or the destination and the source of moved slots.
const inOrder = 2

// pushesTogether returns the actions at the front that give nodes a layout in no order; pushed is how many were given one in
// order before.
func pushesTogether(actions []action.Action, pushed int) []action.Push {
	var pushes []action.Push
	for _, next := range actions {
		a, ok := next.(action.Push)
		if !ok || a.Layout.IsMaster(a.ID) && (pushed < inOrder || a.Force) {
			break
		}
		pushes = append(pushes, a)
	}
	return pushes
}
