package reconcile

import (
	"context"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

// Whoever follows this address follows nobody: it is read-only and keeps its data.
const (
	nobodyHost = "127.0.0.1"
	nobodyPort = 1
)

// orphan keeps the connection to a master whose pod is gone. The process of a pod that was deleted by force may live on
// for seconds, with clients and replicas connected to it. As long as nobody succeeds it that does no harm: the replicas
// get what is written. Only a connection that stands is of use; at the address there may soon be somebody else.
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

// stopOrphans makes masters without a pod read-only, because somebody else is master now: what they would still take is
// lost. It comes after the promotion, and at once: stopped before, they would leave their replicas, and those that look
// for a master take seconds to become one.
func (p *pass) stopOrphans(ctx context.Context) {
	if p.topology.Spec.Type == v1alpha1.TypeCluster {
		return // SLAVEOF is refused, and another shard may have got the master: see stopClusterOrphans
	}
	p.inst.pruneOrphans()
	for _, n := range p.inst.orphans {
		pw := p.inst.credentials.passwords
		go func() {
			defer n.session.close()
			ctx, cancel := context.WithTimeout(ctx, p.options.Timeout)
			defer cancel()
			err := n.session.do(pw, func(c DataNode) error { return c.ReplicaOf(ctx, nobodyHost, nobodyPort) })
			p.log.Info("stopped the writes of a master whose pod is gone", "instance", p.key.String(), "pod", n.pod, "err", err)
		}()
	}
	p.inst.orphans = nil
}
