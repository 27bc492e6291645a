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

// watch is the leader's eye on one cluster.
type watch struct {
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

func newWatch(records Records, nodes Nodes, at key, failover config.Failover, log *slog.Logger) *watch {
	return &watch{
		records: records, nodes: nodes, at: at, failover: failover,
		log:    log.With("namespace", at.namespace, "cluster", at.cluster),
		pushes: make(chan struct{}, 1), failures: map[string]int64{},
	}
}

func (w *watch) start(ctx context.Context) {
	ctx, w.cancel = context.WithCancel(ctx)
	w.ended.Go(func() { w.probeLoop(ctx) })
	w.ended.Go(func() { w.migrationLoop(ctx) })
}

func (w *watch) stop() {
	w.cancel()
	w.ended.Wait()
}

// askToPush returns once the push is queued; a probe that hangs holds it up.
func (w *watch) askToPush(ctx context.Context) {
	select {
	case w.pushes <- struct{}{}:
	case <-ctx.Done():
	}
}

func (w *watch) probeLoop(ctx context.Context) {
	ticker := time.NewTicker(w.failover.PingInterval())
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			w.probe(ctx)
		case <-w.pushes:
			w.push(ctx)
		}
	}
}

// push sends the topology to all nodes and waits for none.
func (w *watch) push(ctx context.Context) {
	cluster, err := w.records.Cluster(ctx, w.at.namespace, w.at.cluster)
	if err != nil {
		w.log.Error("cannot read the record", "error", err)
		return
	}
	for _, n := range cluster.Nodes() {
		w.ended.Go(func() { w.pushTo(ctx, n, cluster) })
	}
}

func (w *watch) pushTo(ctx context.Context, n *record.Node, cluster *record.Cluster) {
	if err := w.nodes.Push(ctx, n, cluster); err != nil {
		w.log.Error("cannot push the topology", "node", n.Addr, "version", cluster.Version, "error", err)
		return
	}
	w.log.Info("topology pushed", "node", n.Addr, "version", cluster.Version)
}

// newest is the topology with the highest version above the record's that a probe has met.
type newest struct {
	mu      sync.Mutex
	version int64
	node    *record.Node
}

func (w *watch) probe(ctx context.Context) {
	cluster, err := w.records.Cluster(ctx, w.at.namespace, w.at.cluster)
	if err != nil {
		w.log.Error("cannot read the record", "error", err)
		return
	}
	w.remember(cluster)
	ahead := newest{version: cluster.Version}
	var probes sync.WaitGroup
	for i, shard := range cluster.Shards {
		for _, n := range shard.Nodes {
			probes.Go(func() { w.probeNode(ctx, cluster, i, n, &ahead) })
		}
	}
	probes.Wait()
	if ahead.node != nil {
		w.adopt(ctx, cluster, ahead.node)
	}
}

// probeNode compares versions only: a node with another topology of the same version is never noticed.
func (w *watch) probeNode(ctx context.Context, cluster *record.Cluster, shard int, n *record.Node, ahead *newest) {
	info, err := w.nodes.ClusterInfo(ctx, n)
	switch {
	case errors.Is(err, node.ErrLoading):
		return
	case errors.Is(err, node.ErrNotInitialized):
		info.Version = -1
	case err != nil:
		if ctx.Err() == nil {
			w.failed(ctx, shard, n, err)
		}
		return
	}
	if info.Version < cluster.Version {
		// Its role does not matter, nor whether it has any data.
		w.pushTo(ctx, n, cluster)
	} else {
		ahead.mu.Lock()
		if info.Version > ahead.version {
			ahead.version, ahead.node = info.Version, n
		}
		ahead.mu.Unlock()
	}
	w.forget(n.ID)
}

// adopt replaces the record by a node's topology.
func (w *watch) adopt(ctx context.Context, cluster *record.Cluster, n *record.Node) {
	text, err := w.nodes.ClusterNodes(ctx, n)
	if err != nil {
		w.log.Error("cannot read a newer topology", "node", n.Addr, "error", err)
		return
	}
	adopted, err := record.ParseNodes(text)
	if err != nil {
		w.log.Error("cannot parse a newer topology", "node", n.Addr, "error", err)
		return
	}
	adopted.Name = cluster.Name
	adopted.SetPassword(cluster.Shards[0].Nodes[0].Password)
	if err := w.records.Adopt(ctx, w.at.namespace, adopted); err != nil {
		w.log.Error("cannot take over a newer topology", "node", n.Addr, "error", err)
		return
	}
	w.log.Info("newer topology taken over", "node", n.Addr, "version", adopted.Version)
}

func (w *watch) remember(cluster *record.Cluster) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.last = cluster
}

func (w *watch) forget(id string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.failures, id)
}
