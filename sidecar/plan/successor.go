package plan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/kvrocks/kvrocks-operator/sidecar/plan/action"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/condition"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/lineage"
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
		return lineage.Best(&p.recorded.Record, p.members, p.carrier.eligible), ""
	}
	if !p.sentinels.ProvesDown() && !p.members.majority(m) || p.mayReturn(m) {
		return nil, awaited
	}
	next = lineage.Best(&p.recorded.Record, p.members, func(o *member) bool {
		return o != m && p.carrier.eligible(o) && p.recorded.MaySucceed(o)
	})
	if next != nil && slices.ContainsFunc(p.members, func(o *member) bool { // whose volume may be a copy of the master's, and older than o
		return o != next && p.mayReturn(o) && p.recorded.Role(o) != "" && p.recorded.Sequence(o.name) > next.node.Sequence
	}) {
		return nil, awaited
	}
	return next, awaited
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

// masterName returns the name of a master in words; m is nil when that is no member.
func masterName(m *member) string {
	if m == nil {
		return "the master"
	}
	return m.name
}

// Sentinels elect by what they can reach, and kvrocks-controller by the sequence alone: neither knows which volume a node
// has. What they made master is checked against the lineage that was reported before it is attached ([lineage.Unfit]).

// waitsForRival reports whether x, which others made master and which was not in sync, must wait: a member that was, or that has more on
// record while x takes no writes, answers late, or answers and it is not known yet which volume that has.
func (p *pass) waitsForRival(x *member) bool {
	if p.recorded.Standing(x) == lineage.InSync {
		return false
	}
	for _, o := range p.members {
		mayBeBetter := p.recorded.Role(o) != "" || !x.takesWrites() && p.recorded.Sequence(o.name) > x.node.Sequence
		if o != x && mayBeBetter && (p.mayReturn(o) || o.answersLate(p.now)) {
			if !x.takesWrites() {
				p.fence(x, o.name+" may have more data") // so that it takes none as soon as it is told that it is master
			}
			p.wait(condition.ReasonWaitingForMembers, x.name+" was made master by others; "+o.name+
				" may have more data, and has not told yet", period.Soon)
			return true
		}
	}
	return false
}

// takesWrites reports whether m answers as a master that clients reach.
func (m *member) takesWrites() bool { return m.isMaster() && m.was.Attached }

// bootstrap chooses the first master of a shard that has no recorded one. Every wanted member must answer before the one
// with the best claim is promoted: mostly nothing is known of the past but the sequences.
func (p standardShard) bootstrap() {
	if m := p.members.labelledMaster(); m != nil {
		p.succeed(m)
		return
	}
	if awaited := p.members.awaited(p.shard.Replicas); awaited != "" {
		p.wait(condition.ReasonWaitingForMembers, "no master yet: waiting for "+awaited, period.Wait)
		return
	}
	first := lineage.Best(&p.recorded.Record, p.members, p.eligible)
	p.sentinels.Unmonitor(first.address) // they know another from a former life
	if first.isMaster() {
		p.succeed(first)
		return
	}
	p.fenceMastersBut(first)
	p.Do(action.Promote{Pod: first.name})
	p.wait(condition.ReasonPromoting, first.name+" is being promoted: of all members it has the best claim", period.Step)
}

// labelledMaster returns the only attached member that is labelled and answers as master: only the sidecar gives a pod
// both, so this is a master whose record was lost. Nil when there is none or more than one.
func (all members) labelledMaster() *member {
	var found *member
	for _, m := range all {
		if !m.isMaster() || !m.was.Attached {
			continue
		}
		if found != nil || m.was.Role != m.node.Role {
			return nil
		}
		found = m
	}
	return found
}

// awaited names the wanted members that do not answer, or of whose volume nothing is known yet; empty when there is none.
func (all members) awaited(wanted int32) string {
	var names []string
	for _, m := range all {
		switch {
		case !m.Answered() || m.pod.Deleting:
			names = append(names, fmt.Sprintf("%s (%s)", m.name, m.state()))
		case m.VolumeUnread():
			names = append(names, m.name+" (its volume is not known yet)")
		}
	}
	if missing := int(wanted) - len(all); missing > 0 {
		names = append(names, fmt.Sprintf("%d more pods", missing))
	}
	return strings.Join(names, ", ")
}
