package plan

import (
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/action"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/period"
)

// beginOutage fences the recorded master and puts on record, once, that it is to be replaced.
func (p *pass) beginOutage(m *member, cause v1alpha1.FailoverCause) {
	if p.outage == nil {
		p.outage = p.newOutage(m, cause)
		p.intent = true
		p.Warn("MasterDown", m.name+" is to be replaced as master: "+m.state())
	}
	p.fence(m, "the master is to be replaced")
}

func (p *facts) newOutage(m *member, cause v1alpha1.FailoverCause) *v1alpha1.Outage {
	since, detected := m.node.LastMaster, p.sentinels.ODownAt
	if detected.IsZero() || detected.After(p.now) {
		detected = p.now
	}
	if since.IsZero() || since.After(detected) {
		since = detected
	}
	return &v1alpha1.Outage{
		Master: m.name, Cause: cause, Since: microTime(since), DetectedAt: microTime(detected),
		Sequence: p.members.expectedOf(m, &p.recorded), MasterSequence: max(m.node.Sequence, p.recorded.Sequence(m.name)),
	}
}

// noteProgress raises what a successor can be expected to have. A master that is called down, or whose pod was deleted by
// force, may serve those connected for a moment longer, and what its replicas get from it meanwhile is not lost.
func (p *pass) noteProgress(m *member) {
	if p.outage == nil || p.handingOver() {
		return
	}
	for _, r := range p.members {
		if r.was.Attached && r.follows(m) {
			p.outage.Sequence = max(p.outage.Sequence, r.node.Sequence)
		}
	}
}

// expectedOf returns the sequence that a successor of m can be expected to have: the highest of the attached replicas. When
// none is attached, because the whole shard starts, it is the last one reported of m.
func (all members) expectedOf(m *member, on *recorded) int64 {
	highest, attached := int64(0), false
	for _, r := range all {
		if r != m && r.was.Attached && r.Answered() {
			highest, attached = max(highest, r.node.Sequence), true
		}
	}
	if attached {
		return highest
	}
	return on.Sequence(m.name)
}

// endOutage clears the record, because the recorded master stays.
func (p *pass) endOutage(m *member) {
	if p.outage == nil {
		return
	}
	p.abandonTarget()
	p.outage = nil
	p.Event("MasterReturned", m.name+" is back and stays master")
}

// abandonTarget gives the chosen successor up. Unless it is seen as a replica it may have become master unseen, so it is
// fenced.
func (p *pass) abandonTarget() {
	t := p.members.named(p.outage.Target)
	p.outage.Target = ""
	switch {
	case t == nil:
	case !t.Answered() || t.isMaster():
		p.fence(t, "it was chosen as master and did not take over")
	case t.pod.Role == v1alpha1.RoleMaster:
		p.setRole(t, v1alpha1.RoleReplica) // see labelledAhead
	}
}

// succeed makes x, which answers as master, the recorded master. The clients come first: it is labelled before it is on
// record, which the next pass would find out again, and the replicas are placed in the next pass.
func (p *pass) succeed(x *member) {
	old := p.members.named(p.recorded.Master)
	if p.recorded.Master == "" {
		p.Event("MasterChosen", x.name+" is the master")
	} else if p.recorded.Master != x.name {
		if old != nil && !old.readOnlyPredecessor(p.outage) {
			p.fence(old, x.name+" is the master now")
		}
		p.recordFailover(x)
	}
	p.recorded.Master = x.name
	p.prove(x)
	if old != nil && old != x {
		p.fence(old, x.name+" is the master now")
	}
	p.outage = nil
	p.Again(period.Step)
}

// prove takes x for the master: it alone is labelled and attached as such.
func (p *pass) prove(x *member) {
	p.proven = x
	p.fenceMastersBut(x)
	if x.node.Sequence == 0 {
		p.Do(action.WriteMarker{Pod: x.name})
	}
	p.setRole(x, v1alpha1.RoleMaster)
	p.attach(x)
}

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
