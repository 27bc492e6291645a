package migration

import (
	"fmt"

	"github.com/kvrocks/kvrocks-operator/api/slots"
	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/layout"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/period"
)

// advance takes the next step of an entry, and reports whether it was taken: if not, another entry may go first.
func (p *Pass) advance(m *v1alpha1.MigrationStatus) bool {
	r, err := slots.ParseRange(string(m.Slots))
	to, ok := p.shardAt(m.To)
	if err != nil || !ok || to.Entry == nil {
		return false
	}
	left := slots.Of(r)
	left = left.Minus(&to.Entry.Slots)
	if left.Empty() {
		p.done(m, r)
		return false
	}
	run := left.Ranges()[0]
	from, ok := p.ownerOf(run.First)
	if !ok {
		return false
	}
	here := slots.Of(run)
	here = here.Intersect(&from.Entry.Slots)
	run = here.Ranges()[0]
	m.From = from.Index
	for _, s := range []*Shard{&from, &to} {
		if !s.Proven || !s.Master.Attached || s.Outage {
			m.Message = fmt.Sprintf("waiting for the master of shard %d; %s", s.Index, progress(m))
			p.cluster.Again(period.Soon)
			return false
		}
	}
	return p.begin(m, &from, &to, run)
}

// ownerOf returns the shard that owns a slot by the record; false when none of the topology does.
func (p *Pass) ownerOf(slot int) (owner Shard, ok bool) {
	for i := range p.cluster.Len() {
		if s := p.cluster.Shard(i); s.Entry != nil && s.Entry.Slots.Has(slot) {
			owner, ok = s, true
		}
	}
	return owner, ok
}

// begin starts the move of the next part, or takes a step towards it, and reports whether it did.
func (p *Pass) begin(m *v1alpha1.MigrationStatus, from, to *Shard, run slots.Range) bool {
	s, d := &from.Master, &to.Master
	way := p.makeWritable(to, run)
	switch {
	case way.blocked != "":
		m.Message = way.blocked
		return false
	case way.clearing:
		return true
	}
	chunk := way.run
	if !way.exact {
		part, known := p.choosePart(m, from, d, way.run)
		if !known {
			p.cluster.CountKeys(s.Pod, part)
			p.cluster.Again(period.Step)
			return true
		}
		chunk = part
	}
	p.forget(s, chunk)
	p.forget(d, chunk)
	if m.StartedAt == nil {
		p.cluster.Event("MigrationStarted", fmt.Sprintf("the slots %s move from shard %d to shard %d", m.Slots, m.From, m.To))
	}
	if m.StartedAt == nil || m.State == v1alpha1.MigrationPending {
		at := p.second()
		m.StartedAt = &at
	}
	m.State, m.Current, m.RetryAt, m.StuckAt = v1alpha1.MigrationRunning, v1alpha1.SlotRange(chunk.String()), nil, nil
	m.Attempts++
	m.Repeated = d.incoming(chunk) == layout.MoveSucceeded
	m.Message = "moving " + chunk.String() + attempt(m) + "; " + progress(m)
	p.cluster.Intent()
	p.cluster.MoveSlots(s.Pod, chunk, d.ID, p.policy.KeysPerSecond)
	p.cluster.Again(period.Step)
	return true
}

// choosePart returns the next part of a run, which moves to d. When known is false, the part is to be counted first.
func (p *Pass) choosePart(m *v1alpha1.MigrationStatus, from *Shard, d *Node, run slots.Range) (part slots.Range, known bool) {
	s := &from.Master
	if part, known = p.chooseChunk(m, s, run); !known {
		return part, false
	}
	if s.Outgoing == nil {
		part.Last = part.First // the first attempt of a process fails if it was a replica before, and so it costs little
	}
	// What the destination says of an earlier move of the very same slots could be taken for news of this one.
	if d.incoming(part) == layout.MoveSucceeded && part.Len() > 1 {
		part.Last--
	}
	// The last slot of a shard goes alone. Its process refuses writes to the slots of its last part should they come back,
	// and without a slot of its own that cannot be cleared; but just that part may come back first (see makeWritable).
	if all := slots.Of(part); all == from.Entry.Slots && part.Len() > 1 {
		part.Last--
	}
	return part, true
}

// progress returns, in words, how far an entry is.
func progress(m *v1alpha1.MigrationStatus) string {
	r, err := slots.ParseRange(string(m.Slots))
	if err != nil {
		return ""
	}
	text := fmt.Sprintf("%d of %d slots moved", m.Moved, r.Len())
	if m.Keys > 0 {
		text += fmt.Sprintf(" with %d keys", m.Keys)
	}
	return text
}

// attempt returns, in words, which attempt it is, from the second on; empty for the first.
func attempt(m *v1alpha1.MigrationStatus) string {
	if m.Attempts < 2 {
		return ""
	}
	return fmt.Sprintf(" (attempt %d)", m.Attempts)
}
