package plan

import (
	"fmt"
	"strings"
	"time"

	slotset "github.com/kvrocks/kvrocks-operator/api/slots"
)

// Reasons of SlotsAssigned.
const (
	// ReasonAllAssigned: every slot has one owner, and the nodes that serve know it.
	ReasonAllAssigned = "AllAssigned"
	// ReasonSlotsMissing: some slots belong to no shard, or to two.
	ReasonSlotsMissing = "SlotsMissing"
	// ReasonLayoutSpreading: some serving node has not taken the record yet.
	ReasonLayoutSpreading = "LayoutSpreading"
	// ReasonWritesRefused: a master refuses writes to slots that it owns; the message says how to end that.
	ReasonWritesRefused = "WritesRefused"
)

// slotsVerdict reports whether every slot has one owner that all nodes know.
func (c *clusterPass) slotsVerdict() (v verdict, ok bool) {
	if c.record == nil {
		if c.waiting.reason != "" {
			return c.waiting, false
		}
		return verdict{ReasonCreating, "no slot is assigned yet"}, false
	}
	if v, ok := c.recordVerdict(); !ok {
		return v, false
	}
	if since := c.in.Controller.DownSince; !since.IsZero() && c.now.Sub(since) >= controllerAwayLimit {
		return verdict{ReasonControllerUnavailable, "no master can be replaced and no slot moved, because kvrocks-controller does not answer: " +
			c.in.Controller.Err}, false
	}
	fine := verdict{ReasonAllAssigned, c.record.Distribution()}
	if c.moves.UnderWay() {
		return fine, true // the nodes learn of each part one after the other
	}
	if lacking := c.lackingLayout(); lacking != "" {
		return verdict{ReasonLayoutSpreading, fmt.Sprintf("version %d of the layout is not known to %s", c.record.Version, lacking)}, false
	}
	for _, s := range c.shards {
		seen := s.asSeenByMoves()
		if refused := seen.RefusedOwn(); refused != nil {
			return verdict{ReasonWritesRefused, fmt.Sprintf("%s refuses writes to slots of %s, which it once moved away; they are being released, "+
				"and if that does not help its pod must be deleted", s.proven.name, refused)}, false
		}
	}
	return fine, true
}

// lackingLayout names the nodes in the Services that have another layout than the record; empty when there are none.
func (c *clusterPass) lackingLayout() string {
	var lacking []string
	more := 0
	for _, s := range c.shards {
		for i := range s.members {
			m := &s.members[i]
			switch {
			case !m.was.Attached || !m.answered() || m.entry == nil || s.hasLayout(m):
			case len(lacking) == namedAtMost:
				more++
			default:
				lacking = append(lacking, fmt.Sprintf("%s (version %d)", m.name, m.version()))
			}
		}
	}
	text := strings.Join(lacking, ", ")
	if more > 0 {
		text += fmt.Sprintf(" and %d more nodes", more)
	}
	return text
}

// controllerAwayLimit is how long kvrocks-controller may be away before that is reported: its pod may be restarting.
const controllerAwayLimit = 20 * time.Second

// recordVerdict reports whether the record gives every slot to exactly one shard.
func (c *clusterPass) recordVerdict() (verdict, bool) {
	owned, twice := c.record.Owned()
	all := slotset.All()
	missing := all.Minus(&owned)
	switch {
	case !twice.Empty():
		return verdict{ReasonSlotsMissing, "more than one shard has the slots " + shortly(&twice)}, false
	case !missing.Empty():
		return verdict{ReasonSlotsMissing, "no shard has the slots " + shortly(&missing)}, false
	}
	return verdict{}, true
}

// shortly returns the first ranges of a set, in words.
func shortly(s *slotset.Set) string {
	ranges := s.Ranges()
	var names []string
	for _, r := range ranges[:min(len(ranges), namedAtMost)] {
		names = append(names, r.String())
	}
	text := strings.Join(names, ", ")
	if len(ranges) > namedAtMost {
		text += fmt.Sprintf(" and more, %d in all", s.Len())
	}
	return text
}
