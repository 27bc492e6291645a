package reconcile

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/kvrocks/kvrocks-operator/sidecar/conn"
	"github.com/kvrocks/kvrocks-operator/sidecar/kube"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan"
)

// pushTimeout is how long a pass waits for replicas to take a layout. One that leaves a master which is gone does not
// answer for seconds, and nothing depends on it.
const pushTimeout = 300 * time.Millisecond

// applyToController carries out an action on kvrocks-controller.
func (p *pass) applyToController(ctx context.Context, action plan.Action) error {
	c := p.inst.controller.client
	if c == nil {
		return fmt.Errorf("kvrocks-controller: %w", kube.ErrGone)
	}
	p.inst.controller.readAt = time.Time{} // whatever comes of it
	switch a := action.(type) {
	case plan.CreateCluster:
		return c.Create(ctx, a.Shards)
	case plan.ImportCluster:
		addr, err := p.announced(a.Pod)
		if err != nil {
			return err
		}
		return c.Import(ctx, addr)
	case plan.DeleteCluster:
		return c.Delete(ctx)
	case plan.AddShard:
		return c.AddShard(ctx, a.Addresses)
	case plan.RemoveShard:
		return c.RemoveShard(ctx, a.MasterID)
	case plan.AddNode:
		return c.AddNode(ctx, a.MasterID, a.Address)
	case plan.RemoveNode:
		return c.RemoveNode(ctx, a.ID)
	case plan.FailOver:
		return c.FailOver(ctx, a.MasterID, a.PreferredID)
	case plan.RecordSlots:
		return c.RecordSlots(ctx, a.Slots, a.ToMasterID)
	}
	return fmt.Errorf("unknown action %T", action)
}

// installPush returns the action that gives the new master the record that a failover has just changed; none when the record was
// changed again in between, which the next pass sees.
func (p *pass) installPush(ctx context.Context, of plan.FailOver) ([]plan.Action, error) {
	record, err := p.inst.controller.client.Get(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the record after the failover: %w", err)
	}
	layout, _ := recordLayout(record)
	if !isMaster(layout, of.PreferredID) {
		return nil, nil
	}
	return []plan.Action{plan.Push{Pod: of.Install, ID: of.PreferredID, Layout: layout}}, nil
}

// announced returns the address of a pod's node as kvrocks-controller knows it.
func (p *pass) announced(pod string) (string, error) {
	for _, m := range kube.Members(p.topology) {
		if m.Pod == pod {
			return conn.JoinHostPort(m.Address, p.topology.Spec.Port), nil
		}
	}
	return "", fmt.Errorf("pod %s: %w", pod, kube.ErrGone)
}

// push gives one node a layout and waits for it.
func (p *pass) push(ctx context.Context, a plan.Push) error {
	n, err := p.nodeOf(a.Pod)
	if err != nil {
		return err
	}
	n.layoutAt = time.Time{}
	return n.setLayout(ctx, p.inst.credentials.Passwords(), a)
}

func (n *node) setLayout(ctx context.Context, pw conn.Passwords, a plan.Push) error {
	return n.session.Do(pw, func(c conn.DataNode) error {
		return c.SetLayout(ctx, a.ID, lines(a.Layout), a.Layout.Version, a.Force)
	})
}

// pushAll gives several nodes a layout, all at the same time, and waits for the masters. A replica that takes long is left
// to it.
func (p *pass) pushAll(ctx context.Context, pushes []plan.Push) error {
	type result struct {
		of  plan.Push
		err error
	}
	results := make(chan result, len(pushes))
	pw, start := p.inst.credentials.Passwords(), time.Now()
	masters := 0
	for _, a := range pushes {
		if isMaster(a.Layout, a.ID) {
			masters++
		}
		n, err := p.nodeOf(a.Pod)
		if err != nil {
			results <- result{a, err}
			continue
		}
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
	}
	timer := time.NewTimer(pushTimeout)
	defer timer.Stop()
	var errs []error
	for left, late := len(pushes), false; left > 0 && (masters > 0 || !late); {
		select {
		case r := <-results:
			left--
			errs = append(errs, r.err)
			if isMaster(r.of.Layout, r.of.ID) {
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
func pushesTogether(actions []plan.Action, pushed int) []plan.Push {
	var pushes []plan.Push
	for _, action := range actions {
		a, ok := action.(plan.Push)
		if !ok || isMaster(a.Layout, a.ID) && (pushed < inOrder || a.Force) {
			break
		}
		pushes = append(pushes, a)
	}
	return pushes
}

func isMaster(layout *plan.Layout, id string) bool {
	for _, s := range layout.Shards {
		for _, n := range s.Nodes {
			if n.ID == id {
				return n.Master
			}
		}
	}
	return false
}

func (p *pass) countKeys(ctx context.Context, a plan.CountKeys) error {
	n, err := p.nodeOf(a.Pod)
	if err != nil {
		return err
	}
	password := n.session.Accepted(p.inst.credentials.Passwords())
	dial := func() conn.DataNode { return p.network.Node(n.addr, p.redisOptions(password)) }
	n.counter.start(ctx, a.Slots, n.seen.Sequence, dial, func(keys int64, err error) {
		p.log.Info("counted", "instance", p.key.String(), "pod", a.Pod, "slots", a.Slots.String(), "keys", keys, "err", err)
		if err == nil {
			p.wake(p.key)
		}
	})
	return nil
}

// stopClusterOrphans makes masters without a pod, whose successor has just been made master, its replicas.
func (p *pass) stopClusterOrphans(ctx context.Context, made plan.Push) {
	succeeded := func(n *node) bool {
		c := n.seen.Cluster
		return c != nil && follows(made.Layout, c.ID, made.ID)
	}
	p.inst.orphanNodes(succeeded)
	pw := p.inst.credentials.Passwords()
	var left []*node
	for _, n := range p.inst.orphans {
		if !succeeded(n) {
			left = append(left, n)
			continue
		}
		c := n.seen.Cluster
		go func() {
			defer n.session.Close()
			err := n.setLayout(ctx, pw, plan.Push{ID: c.ID, Layout: made.Layout, Force: true})
			p.log.Info("stopped the writes of a master whose pod is gone", "instance", p.key.String(), "pod", n.pod, "err", err)
		}()
	}
	p.inst.orphans = left
}

// follows reports whether one node is a replica of another in the layout.
func follows(layout *plan.Layout, id, masterID string) bool {
	for _, s := range layout.Shards {
		replica, master := false, false
		for _, n := range s.Nodes {
			replica = replica || n.ID == id && !n.Master
			master = master || n.ID == masterID && n.Master
		}
		if replica && master {
			return true
		}
	}
	return false
}
