package plan

import (
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/condition"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/period"
)

// decide replaces the recorded master m, which is fenced; in a cluster m may be nil, when that is no member.
func (p *pass) decide(m *member) {
	if p.outage == nil {
		p.wait(condition.ReasonMasterDown, m.name+" cannot serve; the sentinels have not called it down yet", period.Soon)
		return
	}
	if !p.carrier.mayChoose(m) {
		return
	}
	next, awaited := p.successor(m)
	switch {
	case next == nil:
		p.wait(condition.ReasonWaitingForMembers, "no successor for "+masterName(m)+" yet: waiting for "+awaited, period.Soon)
	case !p.losesTooMuch(next):
		p.carrier.promote(next, m)
	}
}

// successor returns the member that is to succeed m, or what is waited for. When every member answers it is the one with the
// best claim. Otherwise it must be in sync; and unless the word of the sentinels proves that m is down a majority of the members must
// answer: a sidecar that is cut off itself does nothing. When only the master of two is missing there can be no majority; that it is
// really gone must then be known from Kubernetes.
func (p *pass) successor(m *member) (next *member, awaited string) {
	awaited = p.members.awaited(p.shard.Replicas)
	if awaited == "" {
		return p.recorded.promotionCandidate(p.members, p.carrier.eligible), ""
	}
	if !p.sentinels.ProvesDown() && !p.members.majority(m) || p.mayReturn(m) {
		return nil, awaited
	}
	return p.recorded.promotionCandidate(p.members, func(o *member) bool {
		return o != m && p.carrier.eligible(o) && p.recorded.inSyncReplica(o)
	}), awaited
}

// majority reports whether more than half of the members answer, or all but a master m whose process is known not to run. m is
// nil when the master is no member.
func (all members) majority(m *member) bool {
	answering := 0
	for _, o := range all {
		if o.Answered() {
			answering++
		}
	}
	return answering > len(all)/2 || len(all) == 2 && answering == 1 && (m == nil || m.gone())
}

// inSyncReplica reports whether o may succeed the master while others are missing; see in_sync.go.
func (r *recorded) inSyncReplica(o *member) bool { return !o.VolumeUnread() && r.KeptRole(o) != "" }

// masterName returns the name of a master in words; m is nil when that is no member.
func masterName(m *member) string {
	if m == nil {
		return "the master"
	}
	return m.name
}
