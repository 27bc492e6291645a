package plan

import (
	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/action"
)

// fence takes a pod out of every Service, so that no client reaches it: the role label first, then the gate.
func (o *outcome) fence(m *member, why string) {
	if !m.exists {
		return
	}
	o.setRole(m, "")
	if m.pod.Attached {
		m.pod.Attached = false
		o.Do(action.Detach{Pod: m.name, Reason: why})
	}
}

func (o *outcome) setRole(m *member, role v1alpha1.Role) {
	if m.exists && m.pod.Role != role {
		m.pod.Role = role
		o.Do(action.Label{Pod: m.name, Role: role})
	}
}

func (o *outcome) attach(m *member) {
	if !m.pod.Attached && !m.pod.Deleting {
		m.pod.Attached = true
		o.Do(action.Attach{Pod: m.name})
	}
}

// fenceRestarted fences every node that follows itself, because it has restarted since it was attached, and every one
// whose data is being replaced. That such a node is in sync no more must be on record before anything else is done.
func (p *pass) fenceRestarted() {
	for _, m := range p.members {
		switch {
		case m.followsItself():
			p.fence(m, "the node has restarted and has no place yet")
		case p.recorded.InFullSync(m):
			p.intent = p.intent || p.recorded.Role(m) != ""
			p.fence(m, "a full sync replaces its data")
		}
	}
}

// fenceMastersBut fences every other member that is labelled or answers as master. In an outage, and when others have replaced the
// recorded master, that includes those that do not answer: one may have been promoted before it fell silent. While a proved master
// serves, the one that the sentinels are electing is left to them.
func (p *pass) fenceMastersBut(x *member) {
	for _, m := range p.members {
		unseen := (p.outage != nil || x.name != p.recorded.Master) && m.silent() && m.pod.Attached
		if p.proven == x && p.beingElected(m) || m.readOnlyPredecessor(p.outage) || m.labelledAhead(p.outage) {
			continue
		}
		if m != x && (unseen || m.isMaster() || m.pod.Role == v1alpha1.RoleMaster) {
			p.fence(m, x.name+" is the master")
		}
	}
}
