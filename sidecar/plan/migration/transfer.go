package migration

import (
	"fmt"

	slotset "github.com/kvrocks/kvrocks-operator/api/slots"
	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/layout"
)

// stage says how far a part is.
type stage int

const (
	// stageUnknown: an end that must be asked does not answer, or still waits for the other.
	stageUnknown stage = iota
	// stageRunning: keys are being moved.
	stageRunning
	// stageArrived: the destination has everything, and the source has stopped serving the slots.
	stageArrived
	// stageFailed: it did not begin, or it ended without success. The source has everything and serves the slots.
	stageFailed
)

// transfer is a part on its way, with its two shards, which are in the record.
type transfer struct {
	m        *v1alpha1.MigrationStatus
	slots    slotset.Range
	from, to Shard
	// recorded: the record says that the slots have their new owner, or that the old one has lost them otherwise.
	recorded bool
}

// transferOf returns the part on its way; ok is false when its shards are not in the record.
func (p *Pass) transferOf(m *v1alpha1.MigrationStatus) (t transfer, ok bool) {
	r, err := slotset.ParseRange(string(m.Current))
	from, hasSource := p.shardAt(m.From)
	to, hasDestination := p.shardAt(m.To)
	t = transfer{m: m, slots: r, from: from, to: to}
	if err != nil || !hasSource || !hasDestination || from.Entry == nil || to.Entry == nil {
		return t, false
	}
	part := slotset.Of(r)
	t.recorded = part.Minus(&from.Entry.Slots) != slotset.Set{}
	return t, true
}

// stage returns how far the part is, by the masters of both shards, as the record has them.
func (t *transfer) stage() stage {
	out, in := t.outgoing(), t.incoming()
	if in == layout.MoveSucceeded && (out == layout.MoveFailed || t.m.Repeated && out != layout.MoveSucceeded) {
		in = "" // old news: of a move that failed after all, or of the one before
	}
	switch {
	case out == layout.MoveRunning:
		return stageRunning
	case in == layout.MoveSucceeded:
		return stageArrived
	case !t.from.Master.Answers || !t.to.Master.Answers || in == layout.MoveRunning:
		return stageUnknown
	case out == layout.MoveSucceeded && in == "":
		return stageArrived // the destination has restarted since, or was replaced
	}
	return stageFailed
}

// outgoing returns what the source says of the move of just these slots to the destination; empty when it does not answer, or says
// nothing of it.
func (t *transfer) outgoing() layout.MoveState {
	s := &t.from.Master
	if !s.Answers || s.Outgoing == nil || s.Outgoing.Slots != t.slots || !t.to.Entry.Has(s.Outgoing.To) {
		return ""
	}
	return s.Outgoing.State
}

// incoming returns what the destination says of the arrival of just these slots; empty when it does not answer, or says nothing of it.
func (t *transfer) incoming() layout.MoveState {
	if !t.to.Master.Answers {
		return ""
	}
	return t.to.Master.incoming(t.slots)
}

// confirmed reports whether the process of the destination says itself that it has everything.
func (t *transfer) confirmed() bool { return t.to.Master.incoming(t.slots) == layout.MoveSucceeded }

// awaited returns, in words, what the part waits for.
func (t *transfer) awaited() string {
	for _, s := range []*Shard{&t.from, &t.to} {
		if !s.Master.Answers {
			return fmt.Sprintf("waiting for the master of shard %d, which does not answer, to learn what became of %s; %s",
				s.Index, t.slots, progress(t.m))
		}
	}
	return fmt.Sprintf("waiting for shard %d to notice that the move of %s was broken off; %s", t.to.Index, t.slots, progress(t.m))
}
