package plan

import (
	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/period"
)

// placeReplicas makes every other member follow the proved master, and attaches it when its link is up. Those that are
// fine are seen to first, so that a refused SLAVEOF of one holds up no other; former masters wait for
// placeFormerMasters.
func (p *pass) placeReplicas() {
	for i := range p.members {
		m := &p.members[i]
		if m != p.proven && m.follows(p.proven) {
			p.placeReplica(m)
		}
	}
	p.pointAll(func(m *member) bool { return !m.wasMaster() })
}

// placeFormerMasters makes those that were master follow the proved one. A node refuses that for some three seconds while
// it still takes the new master for its replica, so it is the last thing that a pass does about replication.
func (p *pass) placeFormerMasters() { p.pointAll((*member).wasMaster) }

func (p *pass) pointAll(which func(*member) bool) {
	for i := range p.members {
		m := &p.members[i]
		// One that is going is fed all the same, if it was master: clients still read from it, and its preStop hook waits for that.
		stays := !m.pod.Deleting || m.wasMaster()
		if m != p.proven && m.answered() && stays && !m.follows(p.proven) && which(m) {
			p.point(m)
		}
	}
}

func (m *member) wasMaster() bool { return m.isMaster() || m.stopped() }

// placeReplica grants or withdraws the gate of a node that follows the master.
func (p *pass) placeReplica(m *member) {
	switch {
	case m.pod.Deleting:
		p.fence(m, "the pod is being deleted")
	case p.inSync(m) && p.electedTooSoon(m):
		p.again(period.Soon)
	case p.inSync(m):
		// Before it can be elected it must be on record that it is in sync.
		p.intent = p.intent || p.lastRole(m) != v1alpha1.RoleReplica
		p.catchUp(m)
		p.settleLoss(m)
		if !m.was.Attached && p.lastOutdated(m) {
			p.again(period.Soon)
			return
		}
		if !p.labelledAhead(m) {
			p.setRole(m, v1alpha1.RoleReplica)
		}
		p.attach(m)
	case m.node.Syncing:
		p.fence(m, "a full sync replaces its data")
		p.again(period.Soon)
	case p.lagging(m):
		p.fallBehind(m)
	case !m.pod.Attached:
		p.again(period.Soon)
	}
}

// point makes a node follow the master. A placed replica that follows another node is left to the sentinels while they
// move the replicas themselves.
func (p *pass) point(m *member) {
	if p.beingElected(m) {
		p.again(period.Soon)
		return
	}
	placed := !m.wasMaster() && !m.followsItself()
	if placed && p.sentinels.Electing {
		p.again(period.Soon)
		return
	}
	if !placed {
		// Before it is pointed it must be on record that it is not in sync.
		p.intent = p.intent || p.lastRole(m) != ""
		p.measureLoss(m)
		p.fence(m, "it does not follow the master")
	}
	p.do(Follow{Pod: m.name, Host: p.proven.address, Port: p.port})
	if m.wasMaster() {
		p.do(DropClients{Pod: m.name, For: endpointsDelay})
	}
	p.again(period.Soon)
}
