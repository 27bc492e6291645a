package plan

import (
	"fmt"
	"time"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// journalSize is how many failovers are kept.
const journalSize = 10

// unknownLoss marks a failover whose loss can no longer be measured: the old master came back without its data.
const unknownLoss int64 = -1

func microTime(t time.Time) metav1.MicroTime { return metav1.NewMicroTime(t) }

// recordFailover journals that x took over from the recorded master.
func (p *pass) recordFailover(x *member) {
	o := p.outage
	if o == nil {
		// The sentinels were faster than this process, or it was away.
		o = &v1alpha1.Outage{Cause: v1alpha1.CauseDown, Since: microTime(p.now), DetectedAt: microTime(p.now), Sequence: x.node.Sequence}
		if old := p.member(p.master); old != nil {
			o = p.newOutage(old, v1alpha1.CauseDown)
		}
	}
	promoted := p.now
	if o.Cause == v1alpha1.CauseHandover && o.PromotedAt != nil {
		promoted = o.PromotedAt.Time // this pass sees it only after the others were told
	}
	r := v1alpha1.FailoverRecord{
		At:        microTime(p.now),
		Shard:     p.shard.Index,
		Cause:     o.Cause,
		From:      p.master,
		To:        x.name,
		PromoteMs: promoted.Sub(o.DetectedAt.Time).Milliseconds(),
		// What the successor had when the writes stopped; what it has now may include new ones.
		Sequence: min(x.node.Sequence, o.Sequence),
	}
	if o.Cause == v1alpha1.CauseHandover {
		if !o.ChosenByController {
			r.Sequence = x.node.Sequence
			if old := p.member(p.master); old == nil || !old.answered() || old.node.Sequence <= x.node.Sequence {
				r.LostSequence = new(int64)
			}
		} // where it is not set kvrocks-controller was too fast: what is lost is measured when the old master follows
		p.event("MasterReplaced", fmt.Sprintf("%s handed over to %s; the nodes took no writes for %d ms", r.From, r.To, r.PromoteMs))
	} else {
		r.DetectMs = o.DetectedAt.Sub(o.Since.Time).Milliseconds()
		p.noteShortfall(&r, o.Sequence)
		p.warn("MasterReplaced", fmt.Sprintf("%s is master in place of %s, %d ms after it was called down", r.To, r.From, r.PromoteMs))
	}
	p.append(r)
}

// append adds a record to the journal.
func (p *pass) append(r v1alpha1.FailoverRecord) {
	all := make([]v1alpha1.FailoverRecord, 0, len(p.failovers)+1)
	all = append(append(all, p.failovers...), r)
	p.failovers = all[max(0, len(all)-journalSize):]
}

// measureLoss fills in what a replaced master had that its successor lacks. It must happen before the node is pointed at
// its successor, which discards the difference; hence the intent.
func (p *pass) measureLoss(m *member) {
	for i := len(p.failovers) - 1; i >= 0; i-- {
		r := &p.failovers[i]
		if r.From != m.name || r.To == m.name || r.Shard != p.shard.Index {
			continue
		}
		if r.LostSequence != nil && !r.LossPending {
			return
		}
		known, lost := int64(0), unknownLoss
		if r.LossPending {
			known = *r.LostSequence
			lost = known
		}
		if p.keptData(m) && m.node.Sequence >= r.Sequence {
			lost = max(known, m.node.Sequence-r.Sequence)
		}
		p.setLoss(i, lost)
		if lost > known {
			p.warn("WritesLost", fmt.Sprintf("%s had %d writes that never reached %s", r.From, lost, r.To))
		}
		return
	}
}

// settleLoss gives up on measuring the loss of a replaced master that follows its successor already.
func (p *pass) settleLoss(m *member) {
	for i := range p.failovers {
		switch r := &p.failovers[i]; {
		case r.From != m.name || r.Shard != p.shard.Index:
		case r.LostSequence == nil:
			p.setLoss(i, unknownLoss)
		case r.LossPending:
			p.setLoss(i, *r.LostSequence)
		}
	}
}

func (p *pass) setLoss(i int, lost int64) {
	changed := make([]v1alpha1.FailoverRecord, len(p.failovers))
	copy(changed, p.failovers)
	changed[i].LostSequence, changed[i].LossPending = &lost, false
	p.failovers, p.intent = changed, true
}
