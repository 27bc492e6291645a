package plan

import (
	"slices"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/condition"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/period"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/quorum"
)

// repairMonitors makes every sentinel watch the proved master, and makes it forget what no longer exists.
//
// Those that watch nothing or another address have no part in the majority that an election needs, so they are set right
// all at once. They must be: a sentinel adopts the address that the others publish with a higher configuration epoch, and
// a new monitor has epoch 0, so that one with an old address would spoil each that was set right before it. What no
// longer exists is removed from one sentinel at a time, and only when all others know each other.
func (p *pass) repairMonitors() {
	w := &p.sentinels
	if !w.Active || p.outage != nil || w.Answered < w.Quorum || !p.proven.was.Attached {
		return
	}
	master := p.watched()
	w.Tune(&master)
	if w.Electing {
		p.Again(period.Wait)
		return
	}
	w.RenewLinks(p.members.allAnswering)
	for i := range w.Opinions {
		if v := &w.Opinions[i]; v.Reached && !v.Watches(&master) {
			w.Monitor(v, p.proven.address, v.Monitors)
			p.Again(period.Wait)
		}
	}
	if stale := w.WithStaleEntries(&master); stale != nil {
		p.Again(period.Wait)
		if w.OthersConverged(stale, &master) {
			w.Monitor(stale, p.proven.address, true)
		}
	}
}

// View sums up what the sentinels say about a master name; see [quorum.New].
func (s *Sentinels) View(masterName, address string, mayBeMaster func(address string) bool) quorum.View {
	if !s.Configured || !s.Exists {
		return quorum.Absent(s.Configured, s.Want)
	}
	opinions := make([]quorum.Opinion, 0, len(s.Views))
	for pod, v := range s.Views {
		o := quorum.Opinion{Pod: pod, IP: v.IP, Reached: v.Reach == Answered, Spinning: v.Spinning, Tilt: v.Tilt}
		if o.Reached {
			o.Master, o.Monitors = v.Masters[masterName]
		}
		opinions = append(opinions, o)
	}
	return quorum.New(s.Want, opinions, address, mayBeMaster)
}

// watched returns the master that the sentinels are to watch, and how.
func (p *facts) watched() quorum.Master {
	m := quorum.Master{
		Name: p.shard.MasterName, Pod: p.recorded.Master, Port: p.sentinels.Port, Failover: p.sentinels.Settings, Members: &p.members,
		Uncalled: p.notCalledDown(), Replaced: p.outage != nil,
	}
	if p.proven != nil {
		m.Proved, m.Address, m.Replicas = true, p.proven.address, p.proven.node.Replicas
	}
	return m
}

// HaveAddress reports whether the address is that of a member, or the IP of its pod.
func (all members) HaveAddress(address string) bool {
	return slices.ContainsFunc(all, func(m *member) bool {
		return m.address == address || m.exists && m.pod.IP == address
	})
}

// SentinelVerdict reports whether every sentinel monitors the same master with the right quorum. For an instance that is not
// monitored it is True.
func (p *facts) SentinelVerdict() (condition.Verdict, bool) {
	master := p.watched()
	reason, message, ok := p.sentinels.Agreement(&master)
	return condition.Verdict{Reason: reason, Message: message}, ok
}

// allAnswering returns the names of the members when all of them answer, else nothing.
func (all members) allAnswering() []string {
	pods := make([]string, len(all))
	for i, m := range all {
		if pods[i] = m.name; !m.Answered() {
			return nil
		}
	}
	return pods
}

// beingElected reports whether m is the replica that the sentinels have promoted and not yet announced as the master, be it on
// demand (SENTINEL FAILOVER) while the old master is well. Only a sentinel promotes an attached replica, so it is theirs until
// they are done.
func (p *facts) beingElected(m *member) bool {
	return p.sentinels.Electing && m.isMaster() && m.was.Attached && m.pod.Role == v1alpha1.RoleReplica
}
