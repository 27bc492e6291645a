package reconcile

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/conn"
	"github.com/kvrocks/kvrocks-operator/sidecar/kube"
	"github.com/kvrocks/kvrocks-operator/sidecar/kvrocks"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/action"
)

// toNode carries out an action on a data node.
func (p *applier) toNode(ctx context.Context, a action.Action) (known bool, err error) {
	switch a := a.(type) {
	case action.Promote:
		p.keepClients(a.Pod)
		return true, p.overNode(a.Pod, func(c conn.DataNode) error { return c.Promote(ctx) })
	case action.Follow:
		return true, p.follow(ctx, a)
	case action.DropClients:
		return true, p.onNode(a.Pod, func(n *node) error { return p.dropClients(ctx, n, a.For) })
	case action.WriteMarker:
		return true, p.overNode(a.Pod, func(c conn.DataNode) error {
			return writeMarker(ctx, c, p.topology.Spec.Type == v1alpha1.TypeCluster)
		})
	case action.Configure:
		return true, p.onNode(a.Pod, func(n *node) error { return p.configure(ctx, n, a.Settings) })
	case action.ApplyPassword:
		return true, p.onNode(a.Pod, func(n *node) error { return n.applyPassword(ctx, p.inst.credentials.Passwords()) })
	case action.Push:
		return true, p.onNode(a.Pod, func(n *node) error {
			n.layoutAt = time.Time{}
			return n.setLayout(ctx, p.inst.credentials.Passwords(), a)
		})
	case action.MoveSlots:
		return true, p.onNode(a.Pod, func(n *node) error { return p.moveSlots(ctx, n, a) })
	case action.CountKeys:
		return true, p.onNode(a.Pod, func(n *node) error { p.countKeys(ctx, n, a.Slots); return nil })
	}
	return false, nil
}

// onNode runs f with the node of a pod.
func (p *applier) onNode(pod string, f func(*node) error) error {
	n := p.inst.nodes[pod]
	if n == nil {
		return fmt.Errorf("node %s: %w", pod, kube.ErrGone)
	}
	return f(n)
}

// overNode runs f on the connection to the node of a pod.
func (p *applier) overNode(pod string, f func(conn.DataNode) error) error {
	return p.onNode(pod, func(n *node) error { return n.session.Do(p.inst.credentials.Passwords(), f) })
}

// configure applies settings. A refused one is remembered for the planner, which reports it, and does not hold up the
// others.
func (p *applier) configure(ctx context.Context, n *node, settings map[string]string) error {
	n.configAt = time.Time{} // read back what comes of it
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		value := settings[name]
		err := n.session.Do(p.inst.credentials.Passwords(), func(c conn.DataNode) error {
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
			p.log.Warn("setting refused", "instance", p.key.String(), "pod", n.pod, "setting", name, "err", err)
			n.refuse(name, value, err)
		}
	}
	return nil
}

// follow makes a node a replica of another. It refuses that for as long as it takes the other for one of its own replicas: until
// it notices that the connection to it has ended. It does not when the machine or the pod went without a word, and the pod that came in
// its place has the same address; so its connections to replicas are ended, and the next pass tries again.
func (p *applier) follow(ctx context.Context, a action.Follow) error {
	return p.overNode(a.Pod, func(c conn.DataNode) error {
		err := c.ReplicaOf(ctx, a.Host, int(a.Port))
		if !errors.Is(err, kvrocks.ErrOwnReplicas) {
			return err
		}
		dropped, failed := c.DropReplicas(ctx)
		p.log.Info("ended connections to former replicas", "instance", p.key.String(), "pod", a.Pod, "connections", dropped, "err", failed)
		return errors.Join(err, failed)
	})
}
