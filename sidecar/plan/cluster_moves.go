package plan

import (
	"fmt"
	"time"

	slotset "github.com/kvrocks/kvrocks-operator/api/slots"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/action"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/condition"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/layout"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/migration"
)

// slotMover is the pass of a cluster as package migration needs it: [migration.Cluster].
type slotMover struct {
	*outcome
	c *clusterPass
}

func (v slotMover) Len() int { return len(v.c.shards) }

func (v slotMover) Shard(place int) migration.Shard { return v.c.shards[place].asSeenByMoves() }

// ReplicaSequence returns the highest sequence of the attached replicas that are linked to the shard's master on record.
func (v slotMover) ReplicaSequence(index int32) (sequence int64, ok bool) {
	s := v.c.shardAt(index)
	for _, m := range s.members {
		if m == s.layoutMaster || !m.was.Attached || !m.linked(s.layoutMaster) {
			continue
		}
		sequence, ok = max(sequence, m.node.Sequence), true
	}
	return sequence, ok
}

func (v slotMover) CountKeys(pod string, r slotset.Range) {
	v.c.Do(action.CountKeys{Pod: pod, Slots: r})
}

// MoveSlots begins a move, beside which the record must not change.
func (v slotMover) MoveSlots(pod string, r slotset.Range, toID string, keysPerSecond int32) {
	v.c.changing = true
	v.c.Do(action.MoveSlots{Pod: pod, Slots: r, ToID: toID, KeysPerSecond: keysPerSecond})
}

func (v slotMover) RecordSlots(r slotset.Range, toID string) {
	v.c.change(action.RecordSlots{Slots: r, ToMasterID: toID})
}

func (v slotMover) SetNodes(pod, id string, l *layout.Layout) {
	v.c.Do(action.Push{Pod: pod, ID: id, Layout: l, Force: true})
}

func (v slotMover) HandOver(index int32) bool {
	s := v.c.shardAt(index)
	return s.handOverFrom(s.proven, s.handoverTarget(s.proven))
}

func (v slotMover) Intent() { v.c.intent = true }

func (v slotMover) Ongoing(d time.Duration) { v.c.ongoingIn = d }

// shardAt returns the shard with this index; nil when there is none.
func (c *clusterPass) shardAt(index int32) *clusterShard {
	for _, s := range c.shards {
		if s.shard.Index == index {
			return s
		}
	}
	return nil
}

// asSeenByMoves returns what package migration needs to know of the shard at this point of the pass.
func (s *clusterShard) asSeenByMoves() migration.Shard {
	seen := migration.Shard{
		Index: s.shard.Index, Leaving: s.shard.Leaving, Entry: s.entry,
		Proven: s.proven != nil && s.proven == s.layoutMaster, Outage: s.outage != nil,
	}
	m := s.layoutMaster
	if m == nil {
		return seen
	}
	seen.Master = migration.Node{
		Pod: m.name, ID: m.entry.ID, Answers: m.Answered(), HasLayout: s.hasLayout(m), Attached: m.was.Attached, Count: m.node.Count,
	}
	if n := m.node.Cluster; n != nil {
		seen.Master.Master, seen.Master.Outgoing, seen.Master.Incoming = m.isMaster(), n.Outgoing, n.Incoming
	}
	return seen
}

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
