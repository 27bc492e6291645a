package reconcile

import (
	"context"
	"sync"
	"time"

	"github.com/kvrocks/kvrocks-operator/sidecar/plan"
)

// planCluster observes a cluster and plans. At rest kvrocks-controller is asked rarely; if there turns out to be something
// to do, the plan is made again with a record of now.
func (p *pass) planCluster(ctx context.Context) (decided plan.Plan, missing bool) {
	in, recent := p.observeCluster(ctx)
	decided = p.planner.cluster(in)
	if !recent && (len(decided.Actions) > 0 || decided.Intent) {
		in.Controller = p.observeController(ctx)
		in.Now = p.now()
		decided = p.planner.cluster(in)
	}
	return decided, anyMissing(in) || in.Controller.Reach != plan.Answered
}

// observeCluster asks all nodes of a cluster, and then the sentinels and kvrocks-controller: a record that is read after the
// nodes is not older than what they have. recent is false when the record was read in an earlier pass.
func (p *pass) observeCluster(ctx context.Context) (in plan.Input, recent bool) {
	p.inst.connect(p.topology, p.pods, p.dialNode(p.key), p.now())
	p.refreshCredentials(ctx)
	p.rereadLayouts()
	fullProbe := p.observeNodes(ctx)
	p.inst.layouts.prune(p.inst.nodes, p.inst.controller.seen.Record)
	p.restoreSettings(ctx)
	c := p.connectController()
	recent = fullProbe || c.stale(p.now()) || !c.agrees(p.inst.nodes)
	view := c.seen
	var wg sync.WaitGroup
	if recent {
		wg.Go(func() { view = p.observeController(ctx) })
	}
	in = p.input(ctx)
	wg.Wait()
	in.Controller = view
	for name, n := range p.inst.nodes {
		seen := in.Nodes[name]
		seen.Count = n.counter.last()
		if seen.Cluster != nil && !n.layoutRead && view.Record != nil {
			// What has been compared with the record need not be compared in every pass. Without a record it may be all there is.
			c := *seen.Cluster
			c.Layout = nil
			seen.Cluster = &c
		}
		in.Nodes[name] = seen
	}
	in.Now = p.now()
	return in, recent
}

// rereadLayouts makes the pass read the layouts of the shards whose master is being replaced: others change them as well.
func (p *pass) rereadLayouts() {
	replaced := map[int32]bool{}
	for _, shard := range p.topology.Status.Shards {
		replaced[shard.Index] = shard.Outage != nil
	}
	for _, shard := range p.topology.Spec.Shards {
		for _, m := range shard.Members {
			if n := p.inst.nodes[m.Pod]; n != nil && replaced[shard.Index] {
				n.layoutAt = time.Time{}
			}
		}
	}
}
