package reconcile

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/conn"
	"github.com/kvrocks/kvrocks-operator/sidecar/kube"
	"github.com/kvrocks/kvrocks-operator/sidecar/kvctl"
	"github.com/kvrocks/kvrocks-operator/sidecar/kvrocks"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan"
)

// apply carries out the actions in their order and stops at the first that fails.
func (p *pass) apply(ctx context.Context, actions []plan.Action) error {
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
		if push, ok := a.(plan.Push); ok {
			pushed++
			p.stopClusterOrphans(ctx, push)
		}
		if failover, ok := a.(plan.FailOver); ok && failover.Install != "" {
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
func (p *pass) applyAndLog(ctx context.Context, a plan.Action) error {
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

// makesMaster reports whether a node is master after the action: by the sidecar's choice or by that of the sentinels.
func makesMaster(action plan.Action) bool {
	switch a := action.(type) {
	case plan.Promote:
		return true
	case plan.Label:
		return a.Role == v1alpha1.RoleMaster
	}
	return false
}

// applied writes the log line of an action. A count changes nothing and logs its result.
func (p *pass) applied(ctx context.Context, a plan.Action, took time.Duration) {
	level := slog.LevelInfo
	if _, counts := a.(plan.CountKeys); counts {
		level = slog.LevelDebug
	}
	p.log.Log(ctx, level, "applied", "instance", p.key.String(), "action", actionKind(a), "detail", detail(a), "took", took)
}

// detail returns an action in words, for the log; a layout by its version, because that of a large cluster takes pages.
func detail(a plan.Action) string {
	if push, ok := a.(plan.Push); ok {
		return fmt.Sprintf("{Pod:%s ID:%s Version:%d Master:%t Force:%t}",
			push.Pod, push.ID, push.Layout.Version, isMaster(push.Layout, push.ID), push.Force)
	}
	return fmt.Sprintf("%+v", a)
}

func actionKind(a plan.Action) string { return strings.TrimPrefix(fmt.Sprintf("%T", a), "plan.") }

func (p *pass) applyOne(ctx context.Context, action plan.Action) error {
	switch a := action.(type) {
	case plan.Attach:
		p.keepClients(a.Pod)
		return p.onPod(a.Pod, func(pod *corev1.Pod) error { return p.podWriter.Attach(ctx, pod) })
	case plan.Detach:
		return p.onPod(a.Pod, func(pod *corev1.Pod) error { return p.podWriter.Detach(ctx, pod, a.Reason) })
	case plan.Label:
		return p.onPod(a.Pod, func(pod *corev1.Pod) error { return p.podWriter.Label(ctx, pod, a.Role) })
	case plan.DeletePod:
		return p.onPod(a.Pod, func(pod *corev1.Pod) error { return p.podWriter.Delete(ctx, pod, types.UID(a.UID)) })
	case plan.Promote:
		p.keepClients(a.Pod)
		return p.onNode(a.Pod, func(c conn.DataNode) error { return c.Promote(ctx) })
	case plan.Follow:
		return p.follow(ctx, a)
	case plan.DropClients:
		return p.dropClients(ctx, a)
	case plan.WriteMarker:
		return p.onNode(a.Pod, func(c conn.DataNode) error {
			if p.topology.Spec.Type == v1alpha1.TypeCluster {
				return c.PublishMarker(ctx, markerKey) // a key would belong to one shard only
			}
			return c.WriteMarker(ctx, markerKey)
		})
	case plan.Configure:
		return p.configure(ctx, a)
	case plan.ApplyPassword:
		n := p.inst.nodes[a.Pod]
		if n == nil {
			return fmt.Errorf("node %s: %w", a.Pod, kube.ErrGone)
		}
		return n.applyPassword(ctx, p.inst.credentials.Passwords())
	case plan.Monitor:
		return p.onSentinel(a.Sentinel, func(s *conn.SharedSentinel) error { return p.monitor(ctx, s, a) })
	case plan.Tune:
		return p.onSentinel(a.Sentinel, func(s *conn.SharedSentinel) error { return p.tune(ctx, s, a) })
	case plan.AcceptPassword:
		return p.onSentinel(a.Sentinel, func(s *conn.SharedSentinel) error { return s.GivePassword(ctx, conn.Sentinel.AcceptPassword) })
	case plan.PresentPassword:
		return p.onSentinel(a.Sentinel, func(s *conn.SharedSentinel) error { return s.GivePassword(ctx, conn.Sentinel.PresentPassword) })
	case plan.AcceptOnlyPassword:
		return p.onSentinel(a.Sentinel, func(s *conn.SharedSentinel) error { return s.GivePassword(ctx, conn.Sentinel.AcceptOnlyPassword) })
	case plan.RenewLinks:
		return p.renewLinks(ctx, a)
	case plan.Unmonitor:
		return p.onSentinel(a.Sentinel, func(s *conn.SharedSentinel) error { return unmonitor(ctx, s, a.MasterName) })
	case plan.Push:
		return p.push(ctx, a)
	case plan.MoveSlots:
		return p.moveSlots(ctx, a)
	case plan.CountKeys:
		return p.countKeys(ctx, a)
	}
	return p.applyToController(ctx, action)
}

// onPod runs f with the pod as it was observed, or as this pass wrote it.
func (p *pass) onPod(name string, f func(*corev1.Pod) error) error {
	pod := p.pods[name]
	if pod == nil {
		return fmt.Errorf("pod %s: %w", name, kube.ErrGone)
	}
	return f(p.podWriter.Newest(pod))
}

// nodeOf returns the node of a pod; kube.ErrGone when there is none any more.
func (p *pass) nodeOf(pod string) (*node, error) {
	if n := p.inst.nodes[pod]; n != nil {
		return n, nil
	}
	return nil, fmt.Errorf("node %s: %w", pod, kube.ErrGone)
}

func (p *pass) onNode(pod string, f func(conn.DataNode) error) error {
	n, err := p.nodeOf(pod)
	if err != nil {
		return err
	}
	return n.session.Do(p.inst.credentials.Passwords(), f)
}

func (p *pass) onSentinel(pod string, f func(*conn.SharedSentinel) error) error {
	v := p.inst.sentinels[pod]
	if v == nil {
		return fmt.Errorf("sentinel %s: %w", pod, kube.ErrGone)
	}
	return f(v.conn)
}

// configure applies settings. A refused one is remembered for the planner, which reports it, and does not hold up the
// others.
func (p *pass) configure(ctx context.Context, a plan.Configure) error {
	n, err := p.nodeOf(a.Pod)
	if err != nil {
		return err
	}
	n.configAt = time.Time{} // read back what comes of it
	for _, name := range slices.Sorted(maps.Keys(a.Settings)) {
		value := a.Settings[name]
		err := p.onNode(a.Pod, func(c conn.DataNode) error {
			if name == kvrocks.SettingNamespaces && value == "yes" {
				return c.KeepNamespaces(ctx)
			}
			return c.ConfigSet(ctx, name, value)
		})
		switch {
		case err == nil:
		case ctx.Err() != nil, conn.PasswordRefused(err),
			errors.Is(err, kvrocks.ErrUnreachable), errors.Is(err, kvrocks.ErrLoading):
			return err
		default:
			p.log.Warn("setting refused", "instance", p.key.String(), "pod", a.Pod, "setting", name, "err", err)
			n.refuse(name, value, err)
		}
	}
	return nil
}

func (p *pass) monitor(ctx context.Context, s *conn.SharedSentinel, a plan.Monitor) error {
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

func (p *pass) tune(ctx context.Context, s *conn.SharedSentinel, a plan.Tune) error {
	return p.set(ctx, s, a.MasterName, a.Quorum, a.Failover)
}

func (p *pass) set(ctx context.Context, s *conn.SharedSentinel, name string, quorum int32, f v1alpha1.Failover) error {
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

// follow makes a node a replica of another. It refuses that for as long as it takes the other for one of its own replicas: until
// it notices that the connection to it has ended. It does not when the machine or the pod went without a word, and the pod that came in
// its place has the same address; so its connections to replicas are ended, and the next pass tries again.
func (p *pass) follow(ctx context.Context, a plan.Follow) error {
	return p.onNode(a.Pod, func(c conn.DataNode) error {
		err := c.ReplicaOf(ctx, a.Host, int(a.Port))
		if !errors.Is(err, kvrocks.ErrOwnReplicas) {
			return err
		}
		dropped, failed := c.DropReplicas(ctx)
		p.log.Info("ended connections to former replicas", "instance", p.key.String(), "pod", a.Pod, "connections", dropped, "err", failed)
		return errors.Join(err, failed)
	})
}

func (p *pass) renewLinks(ctx context.Context, a plan.RenewLinks) error {
	var id string
	err := p.onSentinel(a.Sentinel, func(s *conn.SharedSentinel) error {
		p.inst.sentinels[a.Sentinel].renewed = p.now()
		return s.Do(func(c conn.Sentinel) (err error) {
			id, err = c.MyID(ctx)
			return err
		})
	})
	if err != nil {
		return err
	}
	for _, pod := range a.Pods {
		err := p.onNode(pod, func(c conn.DataNode) error {
			_, err := c.DropSentinel(ctx, id)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}
