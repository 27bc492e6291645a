package plan

import (
	"fmt"

	slotset "github.com/kvrocks/kvrocks-operator/api/slots"
)

// kvrocks 2.10 goes on refusing writes to the slots that a process moved away last, also when they have come back to it
// and whatever layout it is given (measured): "TRYAGAIN Can't write to slot being migrated which is in write forbidden
// phase". It also refuses to move them away again. What it reports as its last successful move is just that range. The
// end of any other move releases it, one that fails included; so does a move back of exactly the same range.

// thawStuck releases slots that a master owns and refuses to write, be it because a move ended in a crash or because
// they came back to a process that once moved them away.
func (c *clusterPass) thawStuck() {
	if c.current() != nil {
		return
	}
	for _, s := range c.shards {
		if frozen := s.frozen(); frozen != nil && s.ownsSome(*frozen) {
			c.thaw(s)
		}
	}
}

// frozen is the range that the shard's master refuses to write if it owns it; nil when there is none.
func (s *clusterShard) frozen() *slotset.Range {
	if s.proven == nil || s.proven != s.named || s.entry == nil || s.proven.node.Cluster == nil {
		return nil
	}
	if out := s.proven.node.Cluster.Outgoing; out != nil && out.State == MoveSucceeded {
		return &out.Slots
	}
	return nil
}

func (s *clusterShard) ownsSome(r slotset.Range) bool {
	part := slotset.Of(r)
	return part.Intersect(&s.entry.Slots) != slotset.Set{}
}

// thaw has the shard's master begin a move to a node that does not exist, which fails at once and releases the range that
// it refuses to write. It takes another slot of its own; without one it cannot be done.
func (c *clusterPass) thaw(s *clusterShard) bool {
	frozen := slotset.Of(*s.frozen())
	others := s.entry.Slots.Minus(&frozen)
	if others.Empty() {
		return false
	}
	slot := others.Ranges()[0].First
	layout := &Layout{Version: c.record.Version}
	layout.Shards = append(layout.Shards, c.record.Shards...)
	layout.Shards = append(layout.Shards, LayoutShard{Nodes: []LayoutNode{
		{ID: deadNodeID, Address: deadHost, Port: deadPort, Master: true},
	}})
	m := s.proven
	c.changing = true
	c.do(Push{Pod: m.name, ID: m.entry.ID, Layout: layout, Force: true})
	c.do(MoveSlots{Pod: m.name, Slots: slotset.Range{First: slot, Last: slot}, ToID: deadNodeID})
	c.do(Push{Pod: m.name, ID: m.entry.ID, Layout: c.record, Force: true})
	c.again(againSoon)
	return true
}

// clearOf sees to it that the destination will take writes to what is moved there. Usually that is done by a thaw, which
// is then planned. A destination without slots of its own cannot be thawed: exact is true when the run must be moved as it
// is, which releases it, and blocked says what a person has to do when not even that helps.
func (c *clusterPass) clearOf(to *clusterShard, run slotset.Range) (clear slotset.Range, exact bool, blocked string) {
	frozen := to.frozen()
	if frozen == nil || frozen.Last < run.First || frozen.First > run.Last || c.thaw(to) {
		return run, false, ""
	}
	switch {
	case frozen.First > run.First:
		run.Last = frozen.First - 1
	case frozen.First == run.First && frozen.Last <= run.Last:
		return *frozen, true, ""
	case frozen.Last < run.Last:
		run.First = frozen.Last + 1
	default:
		return run, false, fmt.Sprintf("the process of %s would refuse writes to the slots %s, which it once moved away: "+
			"delete the pod, so that it starts anew, or move %s as a whole", to.proven.name, frozen, frozen)
	}
	return run, false, ""
}
