package migration

import (
	"fmt"
	"time"

	"github.com/kvrocks/kvrocks-operator/sidecar/plan/layout"
)

// When the destination of a move of raw keys vanishes without closing its connections, because its pod or machine is gone,
// kvrocks 2.10.1 waits for it until TCP gives up, some sixteen minutes, and no command ends that (measured). Meanwhile it
// can move nothing else. Another member of its shard can.

// stuckAfter is how long the master of the destination may know nothing of a move that the source says goes on.
const stuckAfter = 10 * time.Second

// noteStuckMove notes on record when a move that the source says goes on is to be taken for a stuck one: StuckAt.
func (p *Pass) noteStuckMove(t *transfer) {
	d := &t.to.Master
	switch {
	case !d.Master: // it is being replaced
	case d.incoming(t.slots) == layout.MoveRunning:
		t.m.StuckAt = nil
	case t.m.StuckAt == nil:
		t.m.StuckAt = p.notBefore(stuckAfter)
	}
}

// HandOverStuckMove has the source of a stuck move hand over. The move then counts as failed, and the new master begins it again.
func (p *Pass) HandOverStuckMove() {
	m := p.current()
	if m == nil || m.StuckAt == nil || m.StuckAt.After(p.view.Now) {
		return
	}
	t, ok := p.transferOf(m)
	if !ok || t.recorded || t.stage() != stageRunning || !t.from.Proven || t.from.Outage {
		return
	}
	m.Message = fmt.Sprintf("%s waits for a process that is gone, and cannot be told otherwise; ", t.from.Master.Pod)
	if p.cluster.HandOver(t.from.Index) {
		m.Message += "another member of its shard takes over"
	} else {
		m.Message += "without a replica that could take over, delete the pod, or wait some 16 minutes for it to give up"
	}
}
