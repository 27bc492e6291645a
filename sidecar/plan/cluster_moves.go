package plan

import (
	"time"

	"github.com/kvrocks/kvrocks-operator/api/slots"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/action"
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

func (v slotMover) CountKeys(pod string, r slots.Range) { v.c.Do(action.CountKeys{Pod: pod, Slots: r}) }

// MoveSlots begins a move, beside which the record must not change.
func (v slotMover) MoveSlots(pod string, r slots.Range, toID string, keysPerSecond int32) {
	v.c.changing = true
	v.c.Do(action.MoveSlots{Pod: pod, Slots: r, ToID: toID, KeysPerSecond: keysPerSecond})
}

func (v slotMover) RecordSlots(r slots.Range, toID string) {
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
