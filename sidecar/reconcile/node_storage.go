package reconcile

import (
	"context"
	"errors"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/conn"
	"github.com/kvrocks/kvrocks-operator/sidecar/kvrocks"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan"
)

// mayRefuseWrites reports whether the node is a master that has so little room that only a write tells whether it takes any.
// No INFO does: PING is answered, and the count of background errors never goes down.
func (n *node) mayRefuseWrites() bool {
	return n.seen.Reach == plan.Answered && n.seen.Role == v1alpha1.RoleMaster && n.seen.Disk.AlmostFull()
}

// tryWrite writes a marker that leaves nothing behind. In a cluster it is a message, which no limit of the database's size holds up:
// there the size itself tells.
func (n *node) tryWrite(ctx context.Context, c conn.DataNode) plan.Refusal {
	write := c.WriteMarker
	if n.layouts != nil {
		write = c.PublishMarker
	}
	err := write(ctx, markerKey)
	d := n.seen.Disk
	switch {
	case errors.Is(err, kvrocks.ErrNoSpace):
		return plan.RefusalNoSpace
	case errors.Is(err, kvrocks.ErrMaxSize), n.layouts != nil && d.MaxDatabase > 0 && d.Database >= d.MaxDatabase:
		return plan.RefusalMaxSize
	}
	return "" // whatever else went wrong is none of the volume's
}

// outage reports whether some master is being replaced.
func (p *pass) outage() bool {
	for i := range p.topology.Status.Shards {
		if p.topology.Status.Shards[i].Outage != nil {
			return true
		}
	}
	return false
}
