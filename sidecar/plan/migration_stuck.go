package plan

import (
	"fmt"
	"time"
)

// When the destination of a move of raw keys vanishes without closing its connections, because its pod or machine is gone,
// kvrocks 2.10.1 waits for it until TCP gives up, some sixteen minutes, and no command ends that (measured). Meanwhile it
// can move nothing else. Another member of its shard can.

// stuckAfter is how long the master of the destination may know nothing of a move that the source says goes on.
const stuckAfter = 10 * time.Second

// noteStuckMove notes on record when a move that the source says goes on is to be taken for a stuck one: StuckAt.
func (c *clusterPass) noteStuckMove(t transfer) {
	d := t.to.layoutMaster
	if d == nil || !d.isMaster() || d.node.Cluster == nil {
		return // it is being replaced
	}
	switch {
	case d.incoming(t.slots) == MoveRunning:
		t.m.StuckAt = nil
	case t.m.StuckAt == nil:
		t.m.StuckAt = c.notBefore(stuckAfter)
	}
}

// handOverStuckMove has the source of a stuck move hand over. The move then counts as failed, and the new master begins it again.
func (c *clusterPass) handOverStuckMove() {
	m := c.current()
	if m == nil || m.StuckAt == nil || m.StuckAt.After(c.now) {
		return
	}
	t, ok := c.transferOf(m)
	if !ok || t.recorded || t.stage() != stageRunning || t.from.proven == nil || t.from.outage != nil {
		return
	}
	source := t.from.proven
	m.Message = fmt.Sprintf("%s waits for a process that is gone, and cannot be told otherwise; ", source.name)
	if t.from.handOverFrom(source) {
		m.Message += "another member of its shard takes over"
	} else {
		m.Message += "without a replica that could take over, delete the pod, or wait some 16 minutes for it to give up"
	}
}
