package reconcile

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/kvctl"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/action"
)

// applier carries out the actions of one plan.
type applier struct{ *pass }

// apply carries out the actions in their order and stops at the first that fails.
func (p *applier) apply(ctx context.Context, actions []action.Action) error {
	pushed := 0
	for len(actions) > 0 {
		if err := ctx.Err(); err != nil {
			return err // no longer the leader
		}
		if pushes := pushesTogether(actions, pushed); len(pushes) > 0 {
			actions = actions[len(pushes):]
			if err := p.pushAll(ctx, pushes); err != nil {
				return fmt.Errorf("%s: %w", actionKind(pushes[0]), err)
			}
			continue
		}
		if monitors := monitorsTogether(actions); len(monitors) > 1 {
			actions = actions[len(monitors):]
			if err := p.monitorAll(ctx, monitors); err != nil {
				return err
			}
			continue
		}
		a := actions[0]
		actions = actions[1:]
		if err := p.applyAndLog(ctx, a); err != nil {
			return err
		}
		if makesMaster(a) {
			p.stopOrphans(ctx)
		}
		if push, ok := a.(action.Push); ok {
			pushed++
			p.stopClusterOrphans(ctx, push)
		}
		if failover, ok := a.(action.FailOver); ok && failover.Install != "" {
			push, err := p.installPush(ctx, failover)
			if err != nil {
				return err
			}
			actions = append(push, actions...)
		}
	}
	return nil
}

// applyAndLog carries out one action, counts it, and logs it or returns why it failed.
func (p *applier) applyAndLog(ctx context.Context, a action.Action) error {
	kind, start := actionKind(a), time.Now()
	err := p.applyOne(ctx, a)
	p.metrics.action(kind, err)
	if errors.Is(err, kvctl.ErrChanged) {
		p.log.Warn("kvrocks-controller did something else", "instance", p.key.String(), "action", kind, "detail", detail(a), "err", err)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", kind, err)
	}
	p.applied(ctx, a, time.Since(start))
	return nil
}

// applyOne carries out one action, by what it talks to: pods, nodes, sentinels, or else kvrocks-controller.
func (p *applier) applyOne(ctx context.Context, a action.Action) error {
	for _, apply := range [...]func(context.Context, action.Action) (known bool, err error){p.toPod, p.toNode, p.toSentinel} {
		if known, err := apply(ctx, a); known {
			return err
		}
	}
	return p.toController(ctx, a)
}

// makesMaster reports whether a node is master after the action: by the sidecar's choice or by that of the sentinels.
func makesMaster(a action.Action) bool {
	switch a := a.(type) {
	case action.Promote:
		return true
	case action.Label:
		return a.Role == v1alpha1.RoleMaster
	}
	return false
}

// applied writes the log line of an action. A count changes nothing and logs its result.
func (p *applier) applied(ctx context.Context, a action.Action, took time.Duration) {
	level := slog.LevelInfo
	if _, counts := a.(action.CountKeys); counts {
		level = slog.LevelDebug
	}
	p.log.Log(ctx, level, "applied", "instance", p.key.String(), "action", actionKind(a), "detail", detail(a), "took", took)
}

// detail returns an action in words, for the log; a layout by its version, because that of a large cluster takes pages.
func detail(a action.Action) string {
	if push, ok := a.(action.Push); ok {
		return fmt.Sprintf("{Pod:%s ID:%s Version:%d Master:%t Force:%t}",
			push.Pod, push.ID, push.Layout.Version, push.Layout.IsMaster(push.ID), push.Force)
	}
	return fmt.Sprintf("%+v", a)
}

func actionKind(a action.Action) string { return strings.TrimPrefix(fmt.Sprintf("%T", a), "action.") }
