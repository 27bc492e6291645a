package plan

import (
	"fmt"
	"strings"
)

// bootstrap chooses the first master of a shard that has no recorded one. Nothing is known of the past but the data, so
// every wanted member must answer before the one with the most data is promoted.
func (p *pass) bootstrap() {
	if m := p.labelledMaster(); m != nil {
		p.succeed(m)
		return
	}
	if awaited := p.awaited(); awaited != "" {
		p.wait(ReasonWaitingForMembers, "no master yet: waiting for "+awaited, againWait)
		return
	}
	first := p.mostData(anyMember)
	p.unmonitorOthers(first)
	if first.isMaster() {
		p.succeed(first)
		return
	}
	p.cutOffMastersBut(first)
	p.do(Promote{Pod: first.name})
	p.wait(ReasonPromoting, first.name+" is being promoted: of all members it has the most data", againStep)
}

// labelledMaster returns the only attached member that is labelled and answers as master: only the sidecar gives a pod
// both, so this is a master whose record was lost. Nil when there is none or more than one.
func (p *pass) labelledMaster() *member {
	var found *member
	for i := range p.members {
		m := &p.members[i]
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

// awaited names the wanted members that do not answer; empty when all do.
func (p *pass) awaited() string {
	var names []string
	for i := range p.members {
		if m := &p.members[i]; !m.answered() || m.pod.Deleting {
			names = append(names, fmt.Sprintf("%s (%s)", m.name, m.state()))
		}
	}
	if missing := int(p.shard.Replicas) - len(p.members); missing > 0 {
		names = append(names, fmt.Sprintf("%d more pods", missing))
	}
	return strings.Join(names, ", ")
}

// mostData returns that of the eligible members which answer that should be master by its data: one that holds some before one that is empty,
// then the highest sequence, then one that may stay master, then the recorded master, then the lowest ordinal.
func (p *pass) mostData(eligible func(*member) bool) *member {
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
	case a.node.Empty != b.node.Empty:
		return !a.node.Empty
	case a.node.Sequence != b.node.Sequence:
		return a.node.Sequence > b.node.Sequence
	case a.handoff != b.handoff:
		return !a.handoff
	case a.name == p.master || b.name == p.master:
		return a.name == p.master
	}
	return a.ordinal < b.ordinal
}

// unmonitorOthers makes the sentinels forget a master that is not the first one: they know it from a former life.
func (p *pass) unmonitorOthers(first *member) {
	for i := range p.watch.views {
		if v := &p.watch.views[i]; v.watches && v.says.Address != first.address {
			p.do(Unmonitor{Sentinel: v.pod, MasterName: p.shard.MasterName})
		}
	}
}
