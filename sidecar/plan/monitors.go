package plan

import (
	"slices"
)

// repairMonitors makes every sentinel watch the proved master, and makes it forget what no longer exists. One sentinel at
// a time forgets anything, so that the others keep the majority that an election needs.
func (p *pass) repairMonitors() {
	w := &p.watch
	if !w.active || p.outage != nil || w.answered < w.quorum || !p.proven.was.Attached {
		return
	}
	p.tune()
	if w.electing {
		p.again(againWait)
		return
	}
	for i := range w.views {
		if v := &w.views[i]; v.reached && !v.watches {
			p.monitor(v, false)
		}
	}
	if stale := p.staleMonitor(); stale != nil {
		p.again(againWait)
		if p.restAcquainted(stale) {
			p.monitor(stale, true)
		}
	}
}

func (p *pass) monitor(v *view, replace bool) {
	p.do(Monitor{
		Sentinel: v.pod, MasterName: p.shard.MasterName, Address: p.proven.address, Port: p.port,
		Quorum: int32(p.watch.quorum), Failover: p.failover, Replace: replace,
	})
	p.again(againWait)
}

// tune gives the wanted settings to sentinels that watch with others.
func (p *pass) tune() {
	for i := range p.watch.views {
		if v := &p.watch.views[i]; v.watches && v.says.AuthApplied && !p.tuned(v) {
			p.do(Tune{Sentinel: v.pod, MasterName: p.shard.MasterName, Quorum: int32(p.watch.quorum), Failover: p.failover})
		}
	}
}

func (p *pass) tuned(v *view) bool {
	return v.says.Quorum == int32(p.watch.quorum) &&
		v.says.DownAfterMilliseconds == p.failover.DownAfterMilliseconds &&
		v.says.FailoverTimeoutMilliseconds == p.failover.FailoverTimeoutMilliseconds &&
		v.says.ParallelSyncs == p.failover.ParallelSyncs
}

// staleMonitor returns the first sentinel that must forget something: one with a wrong master before one with ghosts.
// Ghosts can wait until one sentinel more than the quorum answers.
func (p *pass) staleMonitor() *view {
	w := &p.watch
	for i := range w.views {
		if v := &w.views[i]; v.watches && !p.agrees(v) {
			return v
		}
	}
	if w.answered <= w.quorum && w.answered < w.want {
		return nil
	}
	for i := range w.views {
		if v := &w.views[i]; v.watches && p.ghost(v) != "" {
			return v
		}
	}
	return nil
}

// agrees: the sentinel takes the proved master for the master.
func (p *pass) agrees(v *view) bool {
	return v.says.Address == p.proven.address && v.says.Port == p.port
}

// ghost describes something that the sentinel knows and that no longer exists; empty when there is nothing.
func (p *pass) ghost(v *view) string {
	for _, ip := range v.says.Peers {
		if !slices.ContainsFunc(p.watch.views, func(o view) bool { return o.ip == ip }) {
			return "sentinel " + ip
		}
	}
	for _, address := range v.says.Replicas {
		if address == p.proven.address {
			return "replica " + address + ", which is the master"
		}
		if !slices.ContainsFunc(p.members, func(m member) bool { return m.address == address }) {
			return "replica " + address
		}
	}
	return ""
}

// restAcquainted: every other sentinel that watches the proved master knows all of its kind, so that those can do without
// the one that is about to forget.
func (p *pass) restAcquainted(but *view) bool {
	for i := range p.watch.views {
		v := &p.watch.views[i]
		if v.reached && v != but && (!v.watches || p.agrees(v) && !p.acquainted(v, but)) {
			return false
		}
	}
	return true
}

// acquainted: the sentinel knows every other one that watches the proved master, but for one.
func (p *pass) acquainted(v, but *view) bool {
	for i := range p.watch.views {
		o := &p.watch.views[i]
		if o != v && o != but && o.watches && p.agrees(o) && !slices.Contains(v.says.Peers, o.ip) {
			return false
		}
	}
	return true
}
