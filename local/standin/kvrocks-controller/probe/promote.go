package probe

import (
	"context"

	"github.com/kvrocks/kvrocks-operator/local/standin/kvrocks-controller/record"
)

// failed counts a probe without an answer, and replaces a master at each multiple of the allowed number.
func (w *watch) failed(ctx context.Context, shard int, n *record.Node, cause error) {
	w.mu.Lock()
	w.failures[n.ID]++
	count := w.failures[n.ID]
	w.mu.Unlock()
	w.log.Warn("no answer", "node", n.Addr, "master", n.IsMaster(), "failures", count, "error", cause)
	if !n.IsMaster() || count%w.failover.MaxPingCount != 0 {
		return
	}
	promoted, err := w.promote(ctx, shard, n.ID)
	if err != nil {
		w.log.Error("cannot replace the master", "node", n.Addr, "error", err)
		return
	}
	w.log.Info("master replaced", "node", n.Addr, "by", promoted)
}

func (w *watch) promote(ctx context.Context, index int, master string) (string, error) {
	cluster, err := w.records.Cluster(ctx, w.at.namespace, w.at.cluster)
	if err != nil {
		return "", err
	}
	shard, err := cluster.Shard(index)
	if err != nil {
		return "", err
	}
	if err := shard.CheckPromotion(master); err != nil {
		return "", err
	}
	promoted, err := shard.Promote(w.nodes.Candidates(ctx, shard), "")
	if err != nil {
		return "", err
	}
	w.forget(promoted)
	return promoted, w.records.Update(ctx, w.at.namespace, cluster)
}
