package plan

import (
	"slices"
	"strings"

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
	p.tune(&master)
	if w.Electing {
		p.again(period.Wait)
		return
	}
	p.renewLinks()
	for i := range w.Opinions {
		if v := &w.Opinions[i]; v.Reached && !v.Watches(&master) {
			p.monitor(v, p.proven, v.Monitors)
			p.again(period.Wait)
		}
	}
	if stale := w.WithStaleEntries(&master); stale != nil {
		p.again(period.Wait)
		if w.OthersConverged(stale, &master) {
			p.monitor(stale, p.proven, true)
		}
	}
}

// renewLinks frees sentinels that spin. A connection whose first packet was rejected, because the Service of a lost pod had no
// endpoints, and that then succeeds keeps the rejection in its error queue, and sentinel polls that for ever
// (docs/operations.md). It would happen again at once while a node is away.
func (p *pass) renewLinks() {
	for i := range p.sentinels.Opinions {
		v := &p.sentinels.Opinions[i]
		if !v.Reached || !v.Spinning {
			continue
		}
		pods := make([]string, 0, len(p.members))
		for i := range p.members {
			if m := &p.members[i]; m.answered() {
				pods = append(pods, m.name)
			}
		}
		if len(pods) < len(p.members) {
			return
		}
		p.do(RenewLinks{Sentinel: v.Pod, Pods: pods})
		p.warn("SentinelSpinning", v.Pod+" uses up a processor; its connections to "+strings.Join(pods, ", ")+" are renewed")
	}
}

// monitor has one sentinel watch m; with replace it forgets first what it watches.
func (p *pass) monitor(v *quorum.Opinion, m *member, replace bool) {
	p.do(Monitor{
		Sentinel: v.Pod, MasterName: p.shard.MasterName, Address: m.address, Port: p.port,
		Quorum: int32(p.sentinels.Quorum), Failover: p.failover, Replace: replace,
	})
}

// monitorSuccessor has the sentinels watch t, which is being promoted in a planned move, at once: clients that ask them for the
// master find none until they do.
func (p *pass) monitorSuccessor(t *member) {
	for i := range p.sentinels.Opinions {
		if v := &p.sentinels.Opinions[i]; v.Reached {
			p.monitor(v, t, v.Monitors)
		}
	}
}

// tune gives the wanted settings to sentinels that watch with others.
func (p *pass) tune(master *quorum.Master) {
	for i := range p.sentinels.Opinions {
		if v := &p.sentinels.Opinions[i]; v.Monitors && v.Master.AuthApplied && !p.sentinels.Tuned(v, master) {
			p.do(Tune{Sentinel: v.Pod, MasterName: p.shard.MasterName, Quorum: int32(p.sentinels.Quorum), Failover: p.failover})
		}
	}
}

// view sums up what the sentinels say about a master name; see [quorum.New].
func (s *Sentinels) view(masterName, address string, mayBeMaster func(address string) bool) quorum.View {
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
func (p *pass) watched() quorum.Master {
	m := quorum.Master{
		Name: p.shard.MasterName, Pod: p.master, Port: p.port, Failover: p.failover, Members: &p.members,
		Uncalled: p.notCalledDown(), Replaced: p.outage != nil,
	}
	if p.proven != nil {
		m.Proved, m.Address, m.Replicas = true, p.proven.address, p.proven.node.Replicas
	}
	return m
}

// HaveAddress reports whether the address is that of a member, or the IP of its pod.
func (all members) HaveAddress(address string) bool {
	return slices.ContainsFunc(all, func(m member) bool {
		return m.address == address || m.exists && m.pod.IP == address
	})
}

// sentinelVerdict reports whether every sentinel monitors the same master with the right quorum. For an instance that is not
// monitored it is True.
func (p *pass) sentinelVerdict() (verdict, bool) {
	master := p.watched()
	reason, message, ok := p.sentinels.Agreement(&master)
	return verdict{reason, message}, ok
}
