package plan

import (
	"fmt"
	"time"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func microTime(t time.Time) metav1.MicroTime { return metav1.NewMicroTime(t) }

// recordFailover journals that x took over from the recorded master.
func (p *pass) recordFailover(x *member) {
	o := p.outage
	if o == nil {
		// The sentinels were faster than this process, or it was away.
		o = &v1alpha1.Outage{Cause: v1alpha1.CauseDown, Since: microTime(p.now), DetectedAt: microTime(p.now), Sequence: x.node.Sequence}
		if old := p.members.named(p.recorded.Master); old != nil {
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
		From:      p.recorded.Master,
		To:        x.name,
		PromoteMs: promoted.Sub(o.DetectedAt.Time).Milliseconds(),
		// What the successor had when the writes stopped; what it has now may include new ones.
		Sequence: min(x.node.Sequence, o.Sequence),
	}
	if o.Cause == v1alpha1.CauseHandover {
		old := p.members.named(p.recorded.Master)
		seen := old != nil && old.Answered()
		if !o.ChosenByController && (seen || o.PromotedAt != nil) {
			r.Sequence = x.node.Sequence
			if !seen || old.node.Sequence <= x.node.Sequence {
				r.LostSequence = new(int64)
			}
		} // where it is not set kvrocks-controller was too fast, or the sidecar away: what is lost is measured when the old master follows
		p.Event("MasterReplaced", fmt.Sprintf("%s handed over to %s; the nodes took no writes for %d ms", r.From, r.To, r.PromoteMs))
	} else {
		r.DetectMs = o.DetectedAt.Sub(o.Since.Time).Milliseconds()
		p.noteShortfall(&r, o.Sequence)
		p.Warn("MasterReplaced", fmt.Sprintf("%s is master in place of %s, %d ms after it was called down", r.To, r.From, r.PromoteMs))
	}
	p.failovers.Append(r)
}

// noteShortfall journals what is known to be lost as soon as x succeeds: what the best member in sync had that x lacks. What
// the old master had besides is known only when that returns: until then the loss is pending.
func (o *outcome) noteShortfall(r *v1alpha1.FailoverRecord, expected int64) {
	if lost := expected - r.Sequence; lost > 0 {
		r.LostSequence, r.LossPending = &lost, true
		o.Warn("WritesLost", fmt.Sprintf("%d writes of %s never reached %s", lost, r.From, r.To))
	}
}

// measureLoss fills in what a replaced master had that its successor lacks. It must happen before the node is pointed at
// its successor, which discards the difference; hence the intent.
func (p *pass) measureLoss(m *member) {
	r, more := p.failovers.Measure(m.name, p.shard.Index, m.node.Sequence, p.recorded.KeptData(m))
	p.intent = p.intent || r != nil
	if more {
		p.Warn("WritesLost", fmt.Sprintf("%s had %d writes that never reached %s", r.From, *r.LostSequence, r.To))
	}
}
