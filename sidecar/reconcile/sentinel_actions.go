package reconcile

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/conn"
	"github.com/kvrocks/kvrocks-operator/sidecar/kube"
	"github.com/kvrocks/kvrocks-operator/sidecar/kvrocks"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/action"
)

// toSentinel carries out an action on a sentinel.
func (p *applier) toSentinel(ctx context.Context, a action.Action) (known bool, err error) {
	switch a := a.(type) {
	case action.Monitor:
		return true, p.onSentinel(a.Sentinel, func(s *conn.SharedSentinel) error { return p.monitor(ctx, s, a) })
	case action.Tune:
		return true, p.onSentinel(a.Sentinel, func(s *conn.SharedSentinel) error {
			return p.set(ctx, s, a.MasterName, a.Quorum, a.Failover)
		})
	case action.Unmonitor:
		return true, p.onSentinel(a.Sentinel, func(s *conn.SharedSentinel) error { return unmonitor(ctx, s, a.MasterName) })
	case action.AcceptPassword:
		return true, p.givePassword(ctx, a.Sentinel, conn.Sentinel.AcceptPassword)
	case action.PresentPassword:
		return true, p.givePassword(ctx, a.Sentinel, conn.Sentinel.PresentPassword)
	case action.AcceptOnlyPassword:
		return true, p.givePassword(ctx, a.Sentinel, conn.Sentinel.AcceptOnlyPassword)
	case action.RenewLinks:
		return true, p.renewLinks(ctx, a)
	}
	return false, nil
}

func (p *applier) onSentinel(pod string, f func(*conn.SharedSentinel) error) error {
	v := p.inst.sentinels[pod]
	if v == nil {
		return fmt.Errorf("sentinel %s: %w", pod, kube.ErrGone)
	}
	return f(v.conn)
}

func (p *applier) monitor(ctx context.Context, s *conn.SharedSentinel, a action.Monitor) error {
	if a.Replace {
		if err := unmonitor(ctx, s, a.MasterName); err != nil {
			return err
		}
	}
	err := s.Do(func(c conn.Sentinel) error {
		err := c.Monitor(ctx, a.MasterName, a.Address, int(a.Port), int(a.Quorum))
		if errors.Is(err, kvrocks.ErrDuplicateMaster) {
			return nil // the next pass sees whether it is the right one
		}
		return err
	})
	if err != nil {
		return err
	}
	return p.set(ctx, s, a.MasterName, a.Quorum, a.Failover)
}

func (p *applier) set(ctx context.Context, s *conn.SharedSentinel, name string, quorum int32, f v1alpha1.Failover) error {
	password := p.inst.credentials.Passwords().Wanted
	err := s.Do(func(c conn.Sentinel) error {
		return c.Set(ctx, name, kvrocks.Settings{
			Quorum:          int(quorum),
			DownAfter:       time.Duration(f.DownAfterMilliseconds) * time.Millisecond,
			FailoverTimeout: time.Duration(f.FailoverTimeoutMilliseconds) * time.Millisecond,
			ParallelSyncs:   int(f.ParallelSyncs),
			AuthPass:        password,
		})
	})
	if err == nil {
		s.NoteGivenPassword(name, password)
	}
	return err
}

// unmonitor makes the sentinel forget the name; one that it does not know is forgotten already.
func unmonitor(ctx context.Context, s *conn.SharedSentinel, name string) error {
	err := s.Do(func(c conn.Sentinel) error { return c.Remove(ctx, name) })
	if err != nil && !errors.Is(err, kvrocks.ErrNoSuchMaster) {
		return err
	}
	s.ForgetMaster(name)
	return nil
}

// givePassword carries out one step of a change of the sentinels' password.
func (p *applier) givePassword(ctx context.Context, pod string, step func(conn.Sentinel, context.Context, kvrocks.Secret) error) error {
	return p.onSentinel(pod, func(s *conn.SharedSentinel) error { return s.GivePassword(ctx, step) })
}

func (p *applier) renewLinks(ctx context.Context, a action.RenewLinks) error {
	var id string
	err := p.onSentinel(a.Sentinel, func(s *conn.SharedSentinel) (err error) {
		p.inst.sentinels[a.Sentinel].renewed = p.now()
		id, err = conn.Ask(s, func(c conn.Sentinel) (string, error) { return c.MyID(ctx) })
		return err
	})
	if err != nil {
		return err
	}
	for _, pod := range a.Pods {
		err := p.overNode(pod, func(c conn.DataNode) error {
			_, err := c.DropSentinel(ctx, id)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// monitorsTogether returns the leading actions that give a master to sentinels, each to another one. They need not wait for each
// other, and while a sentinel knows no master clients that ask it have none.
func monitorsTogether(actions []action.Action) []action.Action {
	given := map[string]bool{}
	for i, next := range actions {
		a, ok := next.(action.Monitor)
		if !ok || given[a.Sentinel] {
			return actions[:i]
		}
		given[a.Sentinel] = true
	}
	return actions
}

// monitorAll carries them out, all at the same time, and returns the first error in their order.
func (p *applier) monitorAll(ctx context.Context, monitors []action.Action) error {
	errs := make([]error, len(monitors))
	var wg sync.WaitGroup
	for i, a := range monitors {
		wg.Go(func() { errs[i] = p.applyAndLog(ctx, a) })
	}
	wg.Wait()
	return cmp.Or(errs...)
}
