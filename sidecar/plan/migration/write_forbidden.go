package migration

import (
	"fmt"

	"github.com/kvrocks/kvrocks-operator/api/slots"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/layout"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/period"
)

// kvrocks 2.10 goes on refusing writes to the slots that a process moved away last, also when they have come back to it
// and whatever layout it is given (measured): "TRYAGAIN Can't write to slot being migrated which is in write forbidden
// phase". It also refuses to move them away again. What it reports as its last successful move is just that range. The
// end of any other move clears it, one that fails included; so does a move back of exactly the same range.

// clearAllWriteForbidden makes masters take writes again to slots that they own and refuse, be it because a move ended in a
// crash or because the slots came back to a process that once moved them away, and reports whether one had to be. It is called while
// no slots move.
func (p *Pass) clearAllWriteForbidden() (clearing bool) {
	for i := range p.cluster.Len() {
		if s := p.cluster.Shard(i); s.RefusedOwn() != nil && p.clearWriteForbidden(&s) {
			clearing = true
		}
	}
	return clearing
}

// RefusedOwn returns the range to which the shard's master refuses writes, if the shard owns a slot of it; nil otherwise.
func (s *Shard) RefusedOwn() *slots.Range {
	forbidden := s.writeForbiddenSlots()
	if forbidden == nil {
		return nil
	}
	part := slots.Of(*forbidden)
	if part.Intersect(&s.Entry.Slots) == (slots.Set{}) {
		return nil
	}
	return forbidden
}

// writeForbiddenSlots returns the range to which the shard's master refuses writes if it owns it: that of its last successful
// move. Nil when there is none.
func (s *Shard) writeForbiddenSlots() *slots.Range {
	if !s.Proven || s.Entry == nil {
		return nil
	}
	if out := s.Master.Outgoing; out != nil && out.State == layout.MoveSucceeded {
		return &out.Slots
	}
	return nil
}

// clearWriteForbidden has the shard's master begin a move to a node that does not exist, which fails at once and clears the
// range to which it refuses writes. It takes another slot of its own; false when it has none, so that it cannot be done.
func (p *Pass) clearWriteForbidden(s *Shard) bool {
	forbidden := slots.Of(*s.writeForbiddenSlots())
	others := s.Entry.Slots.Minus(&forbidden)
	if others.Empty() {
		return false
	}
	slot := others.Ranges()[0].First
	n, record := &s.Master, p.view.Record
	p.cluster.SetNodes(n.Pod, n.ID, record.WithDeadNode())
	p.cluster.MoveSlots(n.Pod, slots.Range{First: slot, Last: slot}, layout.DeadNodeID, 0)
	p.cluster.SetNodes(n.Pod, n.ID, record)
	p.cluster.Again(period.Soon)
	return true
}

// way is how a run of slots can be moved to a shard.
type way struct {
	// run is the part of it that the destination will take writes to.
	run slots.Range
	// exact is true when the run must be moved as it is, which makes the destination take writes to it again.
	exact bool
	// clearing is true when the destination is being made to take writes again first.
	clearing bool
	// blocked says what a person has to do when nothing of that helps; empty otherwise.
	blocked string
}

// makeWritable returns how a run can be moved to a shard. Usually clearWriteForbidden is planned when the destination would refuse
// writes to it; for one without slots of its own it cannot be.
func (p *Pass) makeWritable(to *Shard, run slots.Range) way {
	forbidden := to.writeForbiddenSlots()
	switch {
	case forbidden == nil || forbidden.Last < run.First || forbidden.First > run.Last:
	case p.clearWriteForbidden(to):
		return way{run: run, clearing: true}
	case forbidden.First > run.First:
		run.Last = forbidden.First - 1
	case forbidden.First == run.First && forbidden.Last <= run.Last:
		return way{run: *forbidden, exact: true}
	case forbidden.Last < run.Last:
		run.First = forbidden.Last + 1
	default:
		return way{blocked: fmt.Sprintf("the process of %s would refuse writes to the slots %s, which it once moved away: "+
			"delete the pod, so that it restarts, or move %s as a whole", to.Master.Pod, forbidden, forbidden)}
	}
	return way{run: run}
}
