package reconcile

import (
	"context"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/conn"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/action"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/layout"
)

// outlives reports whether the node goes on without its pod: a master that answers over the connection that stands. It is
// looked after like one whose pod is being deleted with grace, so it hands over. A node that has been found to outlive its pod
// does so until that connection is lost; by then there may be another process at its address.
func (n *node) outlives() bool {
	n.seen.Outlives = n.seen.Outlives && n.answered.Load() || n.serves() && !n.unresponsive
	return n.seen.Outlives
}

// orphan keeps the connection to a master whose pod is gone. The process of a pod that was deleted by force may live on
// for seconds, with clients and replicas connected to it. As long as it has no successor that does no harm: the replicas
// get what is written. Only a connection that stands is of use; at the address there may soon be another process.
func (i *instance) orphan(n *node) {
	if n.serves() {
		i.orphans = append(i.orphans, n)
	} else {
		n.close()
	}
}

// pruneOrphans closes the connections to those that have ended.
func (i *instance) pruneOrphans() {
	var alive []*node
	for _, n := range i.orphans {
		if n.answered.Load() {
			alive = append(alive, n)
		} else {
			n.close()
		}
	}
	i.orphans = alive
}

// orphanNodes gives up the nodes that outlive their pod, still serve as master and have been succeeded.
func (i *instance) orphanNodes(succeeded func(*node) bool) {
	for name, n := range i.nodes {
		if n.seen.Outlives && n.serves() && succeeded(n) {
			delete(i.nodes, name)
			i.orphans = append(i.orphans, n)
		}
	}
	i.pruneOrphans()
}

// stopOrphans makes masters without a pod read-only, because another node is master now: what they would still take is
// lost. It comes after the promotion, and at once: stopped before, they would leave their replicas, and those that look
// for a master take seconds to become one.
func (p *applier) stopOrphans(ctx context.Context) {
	if p.topology.Spec.Type == v1alpha1.TypeCluster {
		return // SLAVEOF is refused, and another shard may have got the master: see stopClusterOrphans
	}
	pw := p.inst.credentials.Passwords()
	p.stopSucceeded(func(*node) bool { return true }, func(n *node) error {
		ctx, cancel := context.WithTimeout(ctx, p.options.Timeout)
		defer cancel()
		return n.session.Do(pw, func(c conn.DataNode) error { return c.ReplicaOf(ctx, layout.DeadHost, layout.DeadPort) })
	})
}

// stopClusterOrphans makes masters without a pod, whose successor has just been made master, its replicas.
func (p *applier) stopClusterOrphans(ctx context.Context, made action.Push) {
	pw := p.inst.credentials.Passwords()
	p.stopSucceeded(func(n *node) bool {
		c := n.seen.Cluster
		return c != nil && made.Layout.Follows(c.ID, made.ID)
	}, func(n *node) error {
		return n.setLayout(ctx, pw, action.Push{ID: n.seen.Cluster.ID, Layout: made.Layout, Force: true})
	})
}

// stopSucceeded stops the writes of the masters without a pod that have been succeeded, in the background, and gives them up.
func (p *applier) stopSucceeded(succeeded func(*node) bool, stop func(*node) error) {
	p.inst.orphanNodes(succeeded)
	var left []*node
	for _, n := range p.inst.orphans {
		if !succeeded(n) {
			left = append(left, n)
			continue
		}
		go func() {
			defer n.session.Close()
			err := stop(n)
			p.log.Info("stopped the writes of a master whose pod is gone", "instance", p.key.String(), "pod", n.pod, "err", err)
		}()
	}
	p.inst.orphans = left
}
