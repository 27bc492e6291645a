package plan

import (
	"time"

	"github.com/kvrocks/kvrocks-operator/sidecar/plan/action"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/period"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/release"
)

// replaceDelay is how long a shard is without a master before pods are replaced that do not run: one that is down for a
// moment comes back sooner if it is left alone.
const replaceDelay = 30 * time.Second

// replacePod replaces one of the pods that run an old template, when that costs nothing: what does not serve goes first, then
// the replicas, and the master last, after it has handed over to a pod that is not to be replaced (see startHandover). So a
// roll costs one handover, whichever pod is master. The pod is taken out of every Service before it is deleted; what is left of its
// life it answers those that are connected to it (hooks/scripts/stop.sh).
func (p *pass) replacePod() {
	m := p.nextReplaced()
	if m == nil || p.in.paused() {
		return
	}
	p.replace(m, "so that it comes back with the present template")
}

// replace deletes the pod of m, which no client is led to any more.
func (p *pass) replace(m *member, why string) {
	p.fence(m, "the pod is being replaced")
	m.pod.Deleting = true
	p.Do(action.DeletePod{Pod: m.name, UID: m.pod.UID})
	p.Event("PodReplaced", m.name+" is deleted, "+why)
	p.Again(period.Soon)
}

// nextReplaced returns the pod to be replaced now; nil when there is none or something must be waited for.
func (p *facts) nextReplaced() *member {
	var next *member
	for _, m := range p.members {
		needless := m.leaving && m.runs()
		if m.outdated && !needless && !m.pod.Deleting && p.mayBeReplaced(m) && (next == nil || m.replaceBefore(next)) {
			next = m
		}
	}
	return next
}

// replaceBefore reports whether m is replaced before o, which serves or has the lower ordinal.
func (m *member) replaceBefore(o *member) bool {
	if m.was.Attached != o.was.Attached {
		return !m.was.Attached
	}
	return m.ordinal > o.ordinal
}

// mayBeReplaced reports whether the pod is not needed now.
func (p *facts) mayBeReplaced(m *member) bool {
	switch {
	case p.shard.Replicas == 1 && len(p.members) == 1:
		return true // no other pod can take over
	case !m.runs():
		return p.idleMayBeReplaced(m)
	case !p.masterServes() || m.isMaster() && !m.keptFenced || m.name == p.recorded.Master:
		return false
	}
	return p.members.othersIn(m, p.shard.Replicas, func(o *member) bool {
		return p.well(o) || !m.was.Attached && o.outdated && !o.was.Attached && o.podStays()
	})
}

// settlingDelay is how long after a failover the replicas are given to follow the new master.
const settlingDelay = 30 * time.Second

// awaitsNewer reports whether m, of an older release than the proved master, is left fenced without a place until its pod is
// replaced, because an old release is not made to read the files of a newer one. It is when nothing holds up the replacement; else the
// shard would be without this replica for good.
func (p *pass) awaitsNewer(m *member) bool {
	return m.outdated && !m.leaving && release.Older(m.node.Version, p.proven.node.Version) &&
		(m.pod.Deleting || !p.failovers.QuietFor(p.shard.Index, p.now, settlingDelay) || p.members.othersIn(m, p.shard.Replicas, p.well))
}

// idleMayBeReplaced reports whether a pod whose container does not run is not needed now. It can be of no use, so it need not wait
// for a master; it may be what is waited for.
func (p *facts) idleMayBeReplaced(m *member) bool {
	late := p.outageAge() > replaceDelay
	return (late || p.outage == nil && m.name != p.recorded.Master) && p.members.othersIn(m, p.shard.Replicas, func(o *member) bool {
		return o.podStays() && (o.outdated || o.was.Attached || o.Answered())
	})
}

// masterServes reports whether the proved master is on record and in its Services, and nothing is about to replace it.
func (p *facts) masterServes() bool { return p.onRecord() && p.outage == nil && p.proven.was.Attached }

// runs reports whether the container of the node is observed to run, or the node answers.
func (m *member) runs() bool { return m.was.Running || m.Answered() }

// podStays reports whether the pod exists and is not being deleted.
func (m *member) podStays() bool { return m.exists && !m.pod.Deleting }

// masterIsNext reports whether every other pod of the shard serves and is not to be replaced, so that the master m, which is,
// can hand over.
func (p *facts) masterIsNext(m *member) bool {
	return m.outdated && p.shard.Replicas > 1 && p.members.othersIn(m, p.shard.Replicas, func(o *member) bool { return p.well(o) && !o.outdated })
}

// lastOutdated reports whether m is the only pod that is still to be replaced, and the others serve. It is not put into the
// Services before.
func (all members) lastOutdated(m *member, wanted int32) bool {
	return m.outdated && all.othersIn(m, wanted, func(o *member) bool { return o.was.Attached && !o.outdated })
}

// well reports whether the member is the proved master, or replicates from it, and serves.
func (p *facts) well(m *member) bool {
	return m.podStays() && m.was.Attached && (m == p.proven || p.inSync(m))
}

// othersIn reports whether as many members as are wanted are there, and f holds for each of them but m.
func (all members) othersIn(m *member, wanted int32, f func(*member) bool) bool {
	staying := int32(0)
	for _, o := range all {
		if o.leaving {
			continue
		}
		staying++
		if o != m && !f(o) {
			return false
		}
	}
	return staying >= wanted
}
