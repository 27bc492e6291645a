package plan

import (
	"slices"
	"time"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/action"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/layout"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/period"
)

// placeReplicas makes every other member follow the proved master, and attaches it when its link is up. Those that are
// fine are seen to first, so that a refused SLAVEOF of one holds up no other; those that may refuse wait for
// placeFormerMasters.
func (p standardShard) placeReplicas() {
	for _, m := range p.members {
		if m != p.proven && m.follows(p.proven) {
			p.placeReplica(m)
		}
	}
	p.pointAll(func(m *member) bool { return !p.mayRefuse(m) })
}

// placeFormerMasters makes those that were master follow the proved one. A node refuses that for some three seconds while
// it still takes the new master for its replica, so it is the last thing that a pass does about replication.
func (p standardShard) placeFormerMasters() { p.pointAll(p.mayRefuse) }

// mayRefuse reports whether m may take the proved master for a replica of its own.
func (p standardShard) mayRefuse(m *member) bool { return m.wasMaster() || p.feedsMaster(m) }

func (p standardShard) feedsMaster(m *member) bool {
	return slices.Contains(m.node.Replicas, p.proven.address)
}

func (p standardShard) pointAll(which func(*member) bool) {
	for _, m := range p.members {
		// One that is going is fed all the same, if it was master: clients still read from it, and its preStop hook waits for that.
		stays := !m.pod.Deleting || m.wasMaster()
		if m != p.proven && m.Answered() && stays && !m.follows(p.proven) && which(m) {
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
		p.Again(period.Soon)
	case p.inSync(m):
		// Before it can be elected it must be on record that it is in sync.
		p.intent = p.intent || p.recorded.Role(m) != v1alpha1.RoleReplica
		p.catchUp(m)
		p.intent = p.failovers.Settle(m.name, p.shard.Index) || p.intent
		if !m.was.Attached && p.members.lastOutdated(m, p.shard.Replicas) {
			p.Again(period.Soon)
			return
		}
		if !m.labelledAhead(p.outage) {
			p.setRole(m, v1alpha1.RoleReplica)
		}
		p.attach(m)
	case m.node.Syncing:
		p.fence(m, "a full sync replaces its data")
		p.Again(period.Soon)
	case p.lagging(m):
		p.fallBehind(m)
	case !m.pod.Attached:
		p.Again(period.Soon)
	}
}

// staleFeedTimeout is how long a former master may feed the present one as if that were still its replica. A connection whose other end was closed
// is noticed within three seconds; one whose other end is gone without a word, with its pod, when TCP gives up: in a quarter of an hour.
const staleFeedTimeout = 10 * time.Second

// hasStaleFeed reports whether m, which was master once, still feeds a process that is gone and whose address the proved master has. Until
// that ends kvrocks refuses to follow it; a restart ends it at once. A node without room for its writes may not start again.
func (p standardShard) hasStaleFeed(m *member) bool {
	lasting := p.failovers.QuietFor(p.shard.Index, p.now, staleFeedTimeout)
	return lasting && p.feedsMaster(m) && !m.node.Disk.Full() && m.podStays() && p.masterServes()
}

// point makes a node follow the master. A placed replica that follows another node is left to the sentinels while they
// move the replicas themselves.
func (p standardShard) point(m *member) {
	if p.beingElected(m) {
		p.Again(period.Soon)
		return
	}
	placed := !m.wasMaster() && !m.followsItself()
	if placed && p.sentinels.Electing {
		p.Again(period.Soon)
		return
	}
	if !placed {
		// Before it is pointed it must be on record that it is not in sync.
		p.intent = p.intent || p.recorded.Role(m) != ""
		p.measureLoss(m)
		p.fence(m, "it does not follow the master")
	}
	if !placed && p.awaitsNewer(m) {
		if m.isMaster() {
			p.Do(action.Follow{Pod: m.name, Host: layout.DeadHost, Port: layout.DeadPort})
		}
		p.Again(period.Soon)
		return
	}
	if p.hasStaleFeed(m) {
		p.replace(m, "so that it ends a connection that keeps it from following "+p.proven.name)
		return
	}
	p.Do(action.Follow{Pod: m.name, Host: p.proven.address, Port: m.port})
	if m.wasMaster() {
		p.Do(action.DropClients{Pod: m.name, For: endpointsDelay})
	}
	p.Again(period.Soon)
}
