package plan

import (
	"fmt"
	"strings"

	"github.com/kvrocks/kvrocks-operator/sidecar/plan/action"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/condition"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/period"
)

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
	first := p.recorded.promotionCandidate(p.members, p.eligible)
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

// promotionCandidate returns that of the eligible members which answer that should be master: the one with the best
// standing, then the highest sequence, then one that may stay master, then the recorded master, then the lowest ordinal.
// Nil when none is eligible.
func (r *recorded) promotionCandidate(all members, eligible func(*member) bool) *member {
	var best *member
	for _, m := range all {
		if m.Answered() && !m.pod.Deleting && eligible(m) && (best == nil || r.better(m, best)) {
			best = m
		}
	}
	return best
}

func (r *recorded) better(a, b *member) bool {
	switch {
	case r.Outranks(a, b):
		return true
	case r.Outranks(b, a):
		return false
	case a.handoff != b.handoff:
		return !a.handoff
	case a.name == r.Master || b.name == r.Master:
		return a.name == r.Master
	}
	return a.ordinal < b.ordinal
}
