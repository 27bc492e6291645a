package reconcile

import (
	"context"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/conn"
)

// A node that follows this address has no master: it is read-only and keeps its data. The same as in package plan.
const (
	deadHost = "127.0.0.1"
	deadPort = 1
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
func (p *pass) stopOrphans(ctx context.Context) {
	if p.topology.Spec.Type == v1alpha1.TypeCluster {
		return // SLAVEOF is refused, and another shard may have got the master: see stopClusterOrphans
	}
	p.inst.orphanNodes(func(*node) bool { return true })
	for _, n := range p.inst.orphans {
		pw := p.inst.credentials.Passwords()
		go func() {
			defer n.session.Close()
			ctx, cancel := context.WithTimeout(ctx, p.options.Timeout)
			defer cancel()
			err := n.session.Do(pw, func(c conn.DataNode) error { return c.ReplicaOf(ctx, deadHost, deadPort) })
			p.log.Info("stopped the writes of a master whose pod is gone", "instance", p.key.String(), "pod", n.pod, "err", err)
		}()
	}
	p.inst.orphans = nil
}
