package plan

import (
	"fmt"

	slotset "github.com/kvrocks/kvrocks-operator/api/slots"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/layout"
)

// kvrocks 2.10 goes on refusing writes to the slots that a process moved away last, also when they have come back to it
// and whatever layout it is given (measured): "TRYAGAIN Can't write to slot being migrated which is in write forbidden
// phase". It also refuses to move them away again. What it reports as its last successful move is just that range. The
// end of any other move clears it, one that fails included; so does a move back of exactly the same range.

// clearAllWriteForbidden makes masters take writes again to slots that they own and refuse, be it because a move ended in a
// crash or because the slots came back to a process that once moved them away. Nothing is done while slots move.
func (c *clusterPass) clearAllWriteForbidden() {
	if c.current() != nil {
		return
	}
	for _, s := range c.shards {
		if forbidden := s.writeForbiddenSlots(); forbidden != nil && s.ownsSome(*forbidden) {
			c.clearWriteForbidden(s)
		}
	}
}

// writeForbiddenSlots returns the range to which the shard's master refuses writes if it owns it: that of its last successful
// move. Nil when there is none.
func (s *clusterShard) writeForbiddenSlots() *slotset.Range {
	if s.proven == nil || s.proven != s.layoutMaster || s.entry == nil || s.proven.node.Cluster == nil {
		return nil
	}
	if out := s.proven.node.Cluster.Outgoing; out != nil && out.State == MoveSucceeded {
		return &out.Slots
	}
	return nil
}

// ownsSome reports whether the shard owns a slot of the range.
func (s *clusterShard) ownsSome(r slotset.Range) bool {
	part := slotset.Of(r)
	return part.Intersect(&s.entry.Slots) != slotset.Set{}
}

// clearWriteForbidden has the shard's master begin a move to a node that does not exist, which fails at once and clears the
// range to which it refuses writes. It takes another slot of its own; false when it has none, so that it cannot be done.
func (c *clusterPass) clearWriteForbidden(s *clusterShard) bool {
	forbidden := slotset.Of(*s.writeForbiddenSlots())
	others := s.entry.Slots.Minus(&forbidden)
	if others.Empty() {
		return false
	}
	slot := others.Ranges()[0].First
	m := s.proven
	c.changing = true
	c.do(Push{Pod: m.name, ID: m.entry.ID, Layout: c.record.WithDeadNode(), Force: true})
	c.do(MoveSlots{Pod: m.name, Slots: slotset.Range{First: slot, Last: slot}, ToID: layout.DeadNodeID})
	c.do(Push{Pod: m.name, ID: m.entry.ID, Layout: c.record, Force: true})
	c.again(againSoon)
	return true
}

// makeWritable returns the part of the run that the destination will take writes to. Usually clearWriteForbidden is planned for
// that. For a destination without slots of its own it cannot be: exact is true when the run must be moved as it is, which
// clears it, and blocked says what a person has to do when not even that helps.
func (c *clusterPass) makeWritable(to *clusterShard, run slotset.Range) (clear slotset.Range, exact bool, blocked string) {
	forbidden := to.writeForbiddenSlots()
	if forbidden == nil || forbidden.Last < run.First || forbidden.First > run.Last || c.clearWriteForbidden(to) {
		return run, false, ""
	}
	switch {
	case forbidden.First > run.First:
		run.Last = forbidden.First - 1
	case forbidden.First == run.First && forbidden.Last <= run.Last:
		return *forbidden, true, ""
	case forbidden.Last < run.Last:
		run.First = forbidden.Last + 1
	default:
		return run, false, fmt.Sprintf("the process of %s would refuse writes to the slots %s, which it once moved away: "+
			"delete the pod, so that it restarts, or move %s as a whole", to.proven.name, forbidden, forbidden)
	}
	return run, false, ""
}
