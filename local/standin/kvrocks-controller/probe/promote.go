package probe

import (
	"context"

	"github.com/kvrocks/kvrocks-operator/local/standin/kvrocks-controller/record"
)

// failed counts a probe without an answer, and replaces a master at each multiple of the allowed number.
func (c *clusterChecker) failed(ctx context.Context, shard int, n *record.Node, cause error) {
	c.mu.Lock()
	c.failures[n.ID]++
	count := c.failures[n.ID]
	c.mu.Unlock()
	c.log.Warn("no answer", "node", n.Addr, "master", n.IsMaster(), "failures", count, "error", cause)
	if !n.IsMaster() || count%c.failover.MaxPingCount != 0 {
		return
	}
	promoted, err := c.promote(ctx, shard, n.ID)
	if err != nil {
		c.log.Error("cannot replace the master", "node", n.Addr, "error", err)
		return
	}
	c.log.Info("master replaced", "node", n.Addr, "by", promoted)
}

func (c *clusterChecker) promote(ctx context.Context, index int, master string) (string, error) {
	cluster, err := c.records.Cluster(ctx, c.at.namespace, c.at.cluster)
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
	promoted, err := shard.Promote(c.nodes.Candidates(ctx, shard), "")
	if err != nil {
		return "", err
	}
	c.forget(promoted)
	return promoted, c.records.Update(ctx, c.at.namespace, cluster)
}
