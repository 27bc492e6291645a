package reconcile

import (
	"context"
	"errors"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/conn"
	"github.com/kvrocks/kvrocks-operator/sidecar/kvrocks"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/storage"
)

// mayRefuseWrites reports whether the node is a master that has so little room that only a write tells whether it takes any.
// No INFO does: PING is answered, and the count of background errors never goes down.
func (n *node) mayRefuseWrites() bool {
	return n.seen.Reach == plan.Answered && n.seen.Role == v1alpha1.RoleMaster && n.seen.Disk.AlmostFull()
}

// tryWrite writes a marker that leaves nothing behind, to see whether the node takes it. In a cluster no limit of the database's
// size holds it up: there the size itself tells.
func (n *node) tryWrite(ctx context.Context, c conn.DataNode) storage.Refusal {
	err := writeMarker(ctx, c, n.layouts != nil)
	d := n.seen.Disk
	switch {
	case errors.Is(err, kvrocks.ErrNoSpace):
		return storage.RefusalNoSpace
	case errors.Is(err, kvrocks.ErrMaxSize), n.layouts != nil && d.MaxDatabase > 0 && d.Database >= d.MaxDatabase:
		return storage.RefusalMaxSize
	}
	return "" // whatever else went wrong is none of the volume's
}

// writeMarker makes the node write. In a cluster it is a message: a key would belong to one shard only.
func writeMarker(ctx context.Context, c conn.DataNode, cluster bool) error {
	if cluster {
		return c.PublishMarker(ctx, markerKey)
	}
	return c.WriteMarker(ctx, markerKey)
}
