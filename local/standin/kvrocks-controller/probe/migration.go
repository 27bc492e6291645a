package probe

import (
	"context"
	"time"
)

// migrationInterval is the time between two looks at migrations that were asked for.
const migrationInterval = time.Second

func (w *watch) migrationLoop(ctx context.Context) {
	ticker := time.NewTicker(migrationInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			w.followMigrations(ctx)
		}
	}
}

func (w *watch) followMigrations(ctx context.Context) {
	w.mu.Lock()
	cluster := w.last
	w.mu.Unlock()
	if cluster == nil {
		return
	}
	for i, shard := range cluster.Shards {
		if shard.IsMigrating() {
			w.followMigration(ctx, i)
		}
	}
}

// followMigration records how the migration from a shard has ended. A push during the migration, such as the one that
// the request itself causes, has made the destination refuse the data, so it usually has failed.
func (w *watch) followMigration(ctx context.Context, index int) {
	cluster, err := w.records.Cluster(ctx, w.at.namespace, w.at.cluster)
	if err != nil {
		w.log.Error("cannot read the record", "error", err)
		return
	}
	shard, err := cluster.Shard(index)
	if err != nil || !shard.IsMigrating() || shard.Master() == nil {
		return
	}
	info, err := w.nodes.ClusterInfo(ctx, shard.Master())
	if err != nil {
		w.log.Error("cannot ask the source", "node", shard.Master().Addr, "error", err)
		return
	}
	// The real program crashes if the source knows of no migration at all.
	if info.Migrating == nil || *info.Migrating != *shard.Migrating {
		w.log.Error("the source migrates something else", "slots", shard.Migrating.String())
		return
	}
	slots, target := *shard.Migrating, shard.Target
	switch info.State {
	case "none", "start":
		return
	case "success":
		if target < 0 || target >= len(cluster.Shards) {
			w.log.Error("the destination is gone", "shard", target)
			return
		}
		cluster.Move(slots, index, target)
	default:
		shard.ClearMigration()
	}
	if err := w.records.Update(ctx, w.at.namespace, cluster); err != nil {
		w.log.Error("cannot record the end of a migration", "error", err)
		return
	}
	w.remember(cluster)
	w.log.Info("migration ended", "slots", slots.String(), "state", info.State)
}
