package plan

import (
	"fmt"
	"time"

	slotset "github.com/kvrocks/kvrocks-operator/api/slots"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/condition"
)

// slotsVerdict reports whether every slot has one owner that all nodes know.
func (c *clusterPass) slotsVerdict() (v condition.Verdict, ok bool) {
	if c.record == nil {
		if c.waiting.Reason != "" {
			return c.waiting, false
		}
		return condition.Verdict{Reason: condition.ReasonCreating, Message: "no slot is assigned yet"}, false
	}
	if v, ok := c.recordVerdict(); !ok {
		return v, false
	}
	if since := c.in.Controller.DownSince; !since.IsZero() && c.now.Sub(since) >= controllerAwayLimit {
		return condition.Verdict{Reason: condition.ReasonControllerUnavailable, Message: "no master can be replaced and no slot moved, because kvrocks-controller does not answer: " +
			c.in.Controller.Err}, false
	}
	fine := condition.Verdict{Reason: condition.ReasonAllAssigned, Message: c.record.Distribution()}
	if c.moves.UnderWay() {
		return fine, true // the nodes learn of each part one after the other
	}
	if lacking := c.lackingLayout(); lacking != "" {
		return condition.Verdict{Reason: condition.ReasonLayoutSpreading, Message: fmt.Sprintf("version %d of the layout is not known to %s", c.record.Version, lacking)}, false
	}
	for _, s := range c.shards {
		seen := s.asSeenByMoves()
		if refused := seen.RefusedOwn(); refused != nil {
			return condition.Verdict{Reason: condition.ReasonWritesRefused, Message: fmt.Sprintf("%s refuses writes to slots of %s, which it once moved away; they are being released, "+
				"and if that does not help its pod must be deleted", s.proven.name, refused)}, false
		}
	}
	return fine, true
}

// lackingLayout names the nodes in the Services that have another layout than the record; empty when there are none.
func (c *clusterPass) lackingLayout() string {
	var lacking condition.Few
	for _, s := range c.shards {
		for _, m := range s.members {
			if m.was.Attached && m.Answered() && m.entry != nil && !s.hasLayout(m) {
				lacking.Add(fmt.Sprintf("%s (version %d)", m.name, m.version()))
			}
		}
	}
	return lacking.Join(", ", " and %d more nodes")
}

// controllerAwayLimit is how long kvrocks-controller may be away before that is reported: its pod may be restarting.
const controllerAwayLimit = 20 * time.Second

// recordVerdict reports whether the record gives every slot to exactly one shard.
func (c *clusterPass) recordVerdict() (condition.Verdict, bool) {
	owned, twice := c.record.Owned()
	all := slotset.All()
	missing := all.Minus(&owned)
	switch {
	case !twice.Empty():
		return condition.Verdict{Reason: condition.ReasonSlotsMissing, Message: "more than one shard has the slots " + shortly(&twice)}, false
	case !missing.Empty():
		return condition.Verdict{Reason: condition.ReasonSlotsMissing, Message: "no shard has the slots " + shortly(&missing)}, false
	}
	return condition.Verdict{}, true
}

// shortly returns the first ranges of a set, in words.
func shortly(s *slotset.Set) string {
	var ranges condition.Few
	for _, r := range s.Ranges() {
		ranges.Add(r.String())
	}
	return ranges.Join(", ", fmt.Sprintf(" and more, %d in all", s.Len()))
}
