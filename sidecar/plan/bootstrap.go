package plan

import (
	"fmt"
	"strings"

	"github.com/kvrocks/kvrocks-operator/sidecar/plan/period"
)

// bootstrap chooses the first master of a shard that has no recorded one. Every wanted member must answer before the one
// with the best claim is promoted: mostly nothing is known of the past but the sequences.
func (p *pass) bootstrap() {
	if m := p.members.labelledMaster(); m != nil {
		p.succeed(m)
		return
	}
	if awaited := p.awaited(); awaited != "" {
		p.wait(ReasonWaitingForMembers, "no master yet: waiting for "+awaited, period.Wait)
		return
	}
	first := p.promotionCandidate(anyMember)
	p.unmonitorOthers(first)
	if first.isMaster() {
		p.succeed(first)
		return
	}
	p.fenceMastersBut(first)
	p.do(Promote{Pod: first.name})
	p.wait(ReasonPromoting, first.name+" is being promoted: of all members it has the best claim", period.Step)
}

// labelledMaster returns the only attached member that is labelled and answers as master: only the sidecar gives a pod
// both, so this is a master whose record was lost. Nil when there is none or more than one.
func (all members) labelledMaster() *member {
	var found *member
	for i := range all {
		m := &all[i]
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
func (p *pass) awaited() string {
	var names []string
	for i := range p.members {
		switch m := &p.members[i]; {
		case !m.answered() || m.pod.Deleting:
			names = append(names, fmt.Sprintf("%s (%s)", m.name, m.state()))
		case m.volumeUnread():
			names = append(names, m.name+" (its volume is not known yet)")
		}
	}
	if missing := int(p.shard.Replicas) - len(p.members); missing > 0 {
		names = append(names, fmt.Sprintf("%d more pods", missing))
	}
	return strings.Join(names, ", ")
}

// promotionCandidate returns that of the eligible members which answer that should be master: the one with the best
// standing, then the highest sequence, then one that may stay master, then the recorded master, then the lowest ordinal.
// Nil when none is eligible.
func (p *pass) promotionCandidate(eligible func(*member) bool) *member {
	var best *member
	for i := range p.members {
		m := &p.members[i]
		if m.answered() && !m.pod.Deleting && eligible(m) && (best == nil || p.better(m, best)) {
			best = m
		}
	}
	return best
}

func (p *pass) better(a, b *member) bool {
	switch {
	case p.outranks(a, b):
		return true
	case p.outranks(b, a):
		return false
	case a.handoff != b.handoff:
		return !a.handoff
	case a.name == p.master || b.name == p.master:
		return a.name == p.master
	}
	return a.ordinal < b.ordinal
}

// unmonitorOthers makes the sentinels forget a master that is not the first one: they know it from a former life.
func (p *pass) unmonitorOthers(first *member) {
	for i := range p.sentinels.Opinions {
		if v := &p.sentinels.Opinions[i]; v.Monitors && v.Master.Address != first.address {
			p.do(Unmonitor{Sentinel: v.Pod, MasterName: p.shard.MasterName})
		}
	}
}
