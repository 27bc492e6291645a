package probe

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/kvrocks/kvrocks-operator/local/standin/kvrocks-controller/config"
	"github.com/kvrocks/kvrocks-operator/local/standin/kvrocks-controller/node"
	"github.com/kvrocks/kvrocks-operator/local/standin/kvrocks-controller/record"
)

// clusterChecker is what the leader does for one cluster.
type clusterChecker struct {
	records  Records
	nodes    Nodes
	at       key
	failover config.Failover
	log      *slog.Logger
	pushes   chan struct{}
	cancel   context.CancelFunc
	ended    sync.WaitGroup

	mu sync.Mutex
	// failures counts the probes in a row that a node, by id, has not answered.
	failures map[string]int64
	// last is the record of the last probe; migrations are looked up in it.
	last *record.Cluster
}

func newClusterChecker(records Records, nodes Nodes, at key, failover config.Failover, log *slog.Logger) *clusterChecker {
	return &clusterChecker{
		records: records, nodes: nodes, at: at, failover: failover,
		log:    log.With("namespace", at.namespace, "cluster", at.cluster),
		pushes: make(chan struct{}, 1), failures: map[string]int64{},
	}
}

func (c *clusterChecker) start(ctx context.Context) {
	ctx, c.cancel = context.WithCancel(ctx)
	c.ended.Go(func() { c.probeLoop(ctx) })
	c.ended.Go(func() { c.migrationLoop(ctx) })
}

func (c *clusterChecker) stop() {
	c.cancel()
	c.ended.Wait()
}

// askToPush returns once the push is queued; a probe that hangs holds it up.
func (c *clusterChecker) askToPush(ctx context.Context) {
	select {
	case c.pushes <- struct{}{}:
	case <-ctx.Done():
	}
}

func (c *clusterChecker) probeLoop(ctx context.Context) {
	ticker := time.NewTicker(c.failover.PingInterval())
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			c.probe(ctx)
		case <-c.pushes:
			c.push(ctx)
		}
	}
}

// push sends the topology to all nodes and waits for none.
func (c *clusterChecker) push(ctx context.Context) {
	cluster, err := c.records.Cluster(ctx, c.at.namespace, c.at.cluster)
	if err != nil {
		c.log.Error("cannot read the record", "error", err)
		return
	}
	for _, n := range cluster.Nodes() {
		c.ended.Go(func() { c.pushTo(ctx, n, cluster) })
	}
}

func (c *clusterChecker) pushTo(ctx context.Context, n *record.Node, cluster *record.Cluster) {
	if err := c.nodes.Push(ctx, n, cluster); err != nil {
		c.log.Error("cannot push the topology", "node", n.Addr, "version", cluster.Version, "error", err)
		return
	}
	c.log.Info("topology pushed", "node", n.Addr, "version", cluster.Version)
}

// newest is the topology with the highest version above the record's that a probe has met.
type newest struct {
	mu      sync.Mutex
	version int64
	node    *record.Node
}

func (c *clusterChecker) probe(ctx context.Context) {
	cluster, err := c.records.Cluster(ctx, c.at.namespace, c.at.cluster)
	if err != nil {
		c.log.Error("cannot read the record", "error", err)
		return
	}
	c.remember(cluster)
	ahead := newest{version: cluster.Version}
	var probes sync.WaitGroup
	for i, shard := range cluster.Shards {
		for _, n := range shard.Nodes {
			probes.Go(func() { c.probeNode(ctx, cluster, i, n, &ahead) })
		}
	}
	probes.Wait()
	if ahead.node != nil {
		c.adopt(ctx, cluster, ahead.node)
	}
}

// probeNode compares versions only: a node with another topology of the same version is never noticed.
func (c *clusterChecker) probeNode(ctx context.Context, cluster *record.Cluster, shard int, n *record.Node, ahead *newest) {
	info, err := c.nodes.ClusterInfo(ctx, n)
	switch {
	case errors.Is(err, node.ErrLoading):
		return
	case errors.Is(err, node.ErrNotInitialized):
		info.Version = -1
	case err != nil:
		if ctx.Err() == nil {
			c.failed(ctx, shard, n, err)
		}
		return
	}
	if info.Version < cluster.Version {
		// Its role does not matter, nor whether it has any data.
		c.pushTo(ctx, n, cluster)
	} else {
		ahead.mu.Lock()
		if info.Version > ahead.version {
			ahead.version, ahead.node = info.Version, n
		}
		ahead.mu.Unlock()
	}
	c.forget(n.ID)
}

// adopt replaces the record by a node's topology.
func (c *clusterChecker) adopt(ctx context.Context, cluster *record.Cluster, n *record.Node) {
	text, err := c.nodes.ClusterNodes(ctx, n)
	if err != nil {
		c.log.Error("cannot read a newer topology", "node", n.Addr, "error", err)
		return
	}
	adopted, err := record.ParseNodes(text)
	if err != nil {
		c.log.Error("cannot parse a newer topology", "node", n.Addr, "error", err)
		return
	}
	adopted.Name = cluster.Name
	adopted.SetPassword(cluster.Shards[0].Nodes[0].Password)
	if err := c.records.Adopt(ctx, c.at.namespace, adopted); err != nil {
		c.log.Error("cannot take over a newer topology", "node", n.Addr, "error", err)
		return
	}
	c.log.Info("newer topology taken over", "node", n.Addr, "version", adopted.Version)
}

func (c *clusterChecker) remember(cluster *record.Cluster) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.last = cluster
}

func (c *clusterChecker) forget(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.failures, id)
}
