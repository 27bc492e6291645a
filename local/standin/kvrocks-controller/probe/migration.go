package probe

import (
	"context"
	"time"
)

// migrationInterval is the time between two looks at migrations that were asked for.
const migrationInterval = time.Second

func (c *clusterChecker) migrationLoop(ctx context.Context) {
	ticker := time.NewTicker(migrationInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			c.followMigrations(ctx)
		}
	}
}

func (c *clusterChecker) followMigrations(ctx context.Context) {
	c.mu.Lock()
	cluster := c.last
	c.mu.Unlock()
	if cluster == nil {
		return
	}
	for i, shard := range cluster.Shards {
		if shard.IsMigrating() {
			c.followMigration(ctx, i)
		}
	}
}

// followMigration records how the migration from a shard has ended. A push during the migration, such as the one that
// the request itself causes, has made the destination refuse the data, so it usually has failed.
func (c *clusterChecker) followMigration(ctx context.Context, index int) {
	cluster, err := c.records.Cluster(ctx, c.at.namespace, c.at.cluster)
	if err != nil {
		c.log.Error("cannot read the record", "error", err)
		return
	}
	shard, err := cluster.Shard(index)
	if err != nil || !shard.IsMigrating() || shard.Master() == nil {
		return
	}
	info, err := c.nodes.ClusterInfo(ctx, shard.Master())
	if err != nil {
		c.log.Error("cannot ask the source", "node", shard.Master().Addr, "error", err)
		return
	}
	// The real program crashes if the source knows of no migration at all.
	if info.Migrating == nil || *info.Migrating != *shard.Migrating {
		c.log.Error("the source migrates something else", "slots", shard.Migrating.String())
		return
	}
	slots, target := *shard.Migrating, shard.Target
	switch info.State {
	case "none", "start":
		return
	case "success":
		if target < 0 || target >= len(cluster.Shards) {
			c.log.Error("the destination is gone", "shard", target)
			return
		}
		cluster.Move(slots, index, target)
	default:
		shard.ClearMigration()
	}
	if err := c.records.Update(ctx, c.at.namespace, cluster); err != nil {
		c.log.Error("cannot record the end of a migration", "error", err)
		return
	}
	c.remember(cluster)
	c.log.Info("migration ended", "slots", slots.String(), "state", info.State)
}
