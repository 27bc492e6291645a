package plan

import (
	"slices"
	"strings"
)

// repairMonitors makes every sentinel watch the proved master, and makes it forget what no longer exists.
//
// Those that watch nothing or another address have no part in the majority that an election needs, so they are set right
// all at once. They must be: a sentinel adopts the address that the others publish with a higher configuration epoch, and
// a new monitor has epoch 0, so that one with an old address would spoil each that was set right before it. What no
// longer exists is removed from one sentinel at a time, and only when all others know each other.
func (p *pass) repairMonitors() {
	w := &p.sentinels
	if !w.active || p.outage != nil || w.answered < w.quorum || !p.proven.was.Attached {
		return
	}
	p.tune()
	if w.electing {
		p.again(againWait)
		return
	}
	p.renewLinks()
	for i := range w.opinions {
		v := &w.opinions[i]
		right := v.monitors && p.agrees(v)
		if v.reached && !right {
			p.monitor(v, v.monitors)
		}
	}
	if stale := p.withStalePeers(); stale != nil {
		p.again(againWait)
		if p.otherSentinelsConverged(stale) {
			p.monitor(stale, true)
		}
	}
}

// renewLinks frees sentinels that spin. A connection whose first packet was rejected, because the Service of a lost pod had no
// endpoints, and that then succeeds keeps the rejection in its error queue, and sentinel polls that for ever
// (docs/operations.md). It would happen again at once while a node is away.
func (p *pass) renewLinks() {
	for i := range p.sentinels.opinions {
		v := &p.sentinels.opinions[i]
		if !v.reached || !v.spinning {
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
		p.do(RenewLinks{Sentinel: v.pod, Pods: pods})
		p.warn("SentinelSpinning", v.pod+" uses up a processor; its connections to "+strings.Join(pods, ", ")+" are renewed")
	}
}

func (p *pass) monitor(v *sentinelOpinion, replace bool) {
	p.do(Monitor{
		Sentinel: v.pod, MasterName: p.shard.MasterName, Address: p.proven.address, Port: p.port,
		Quorum: int32(p.sentinels.quorum), Failover: p.failover, Replace: replace,
	})
	p.again(againWait)
}

// monitorSuccessor has the sentinels watch t, which is being promoted in a planned move, at once: clients that ask them for the
// master find none until they do.
func (p *pass) monitorSuccessor(t *member) {
	for i := range p.sentinels.opinions {
		if v := &p.sentinels.opinions[i]; v.reached {
			p.do(Monitor{
				Sentinel: v.pod, MasterName: p.shard.MasterName, Address: t.address, Port: p.port,
				Quorum: int32(p.sentinels.quorum), Failover: p.failover, Replace: v.monitors,
			})
		}
	}
}

// tune gives the wanted settings to sentinels that watch with others.
func (p *pass) tune() {
	for i := range p.sentinels.opinions {
		if v := &p.sentinels.opinions[i]; v.monitors && v.master.AuthApplied && !p.tuned(v) {
			p.do(Tune{Sentinel: v.pod, MasterName: p.shard.MasterName, Quorum: int32(p.sentinels.quorum), Failover: p.failover})
		}
	}
}

func (p *pass) tuned(v *sentinelOpinion) bool {
	return v.master.Quorum == int32(p.sentinels.quorum) &&
		v.master.DownAfterMilliseconds == p.failover.DownAfterMilliseconds &&
		v.master.FailoverTimeoutMilliseconds == p.failover.FailoverTimeoutMilliseconds &&
		v.master.ParallelSyncs == p.failover.ParallelSyncs
}

// withStalePeers returns the first sentinel that knows a peer or a replica which no longer exists; nil when there is none.
// They can wait until the others have the quorum to spare.
func (p *pass) withStalePeers() *sentinelOpinion {
	w := &p.sentinels
	if w.answered <= w.quorum && w.answered < w.want {
		return nil
	}
	for i := range w.opinions {
		if v := &w.opinions[i]; v.monitors && p.agrees(v) && p.staleEntry(v) != "" {
			return v
		}
	}
	return nil
}

// agrees reports whether the sentinel takes the proved master for the master.
func (p *pass) agrees(v *sentinelOpinion) bool {
	return v.master.Address == p.proven.address && v.master.Port == p.port
}

// staleEntry describes a peer or a replica that the sentinel knows and that no longer exists; empty when there is none.
func (p *pass) staleEntry(v *sentinelOpinion) string {
	for _, ip := range v.master.Peers {
		if !slices.ContainsFunc(p.sentinels.opinions, func(o sentinelOpinion) bool { return o.ip == ip }) {
			return "sentinel " + ip
		}
	}
	for _, address := range v.master.Replicas {
		if slices.Contains(p.proven.node.Replicas, address) {
			continue // the master lists it, so the sentinel would learn of it again at once
		}
		if address == p.proven.address {
			return "replica " + address + ", which is the master"
		}
		if !slices.ContainsFunc(p.members, func(m member) bool { return m.hasAddress(address) }) {
			return "replica " + address
		}
	}
	return ""
}

// hasAddress reports whether the address is the member's, or the IP of its pod. That one is wrong too, but the sentinel would
// only find it again until the node announces the right one.
func (m *member) hasAddress(address string) bool {
	return m.address == address || m.exists && m.pod.IP == address
}

// otherSentinelsConverged reports whether every other sentinel that answers watches the proved master and knows the rest, so
// that they can do without the one that is about to forget.
func (p *pass) otherSentinelsConverged(but *sentinelOpinion) bool {
	for i := range p.sentinels.opinions {
		v := &p.sentinels.opinions[i]
		fine := v.monitors && p.agrees(v) && p.knowsPeers(v, but)
		if v.reached && v != but && !fine {
			return false
		}
	}
	return true
}

// knowsPeers reports whether the sentinel knows every other one that watches the proved master, but for one.
func (p *pass) knowsPeers(v, but *sentinelOpinion) bool {
	for i := range p.sentinels.opinions {
		o := &p.sentinels.opinions[i]
		if o != v && o != but && o.monitors && p.agrees(o) && !slices.Contains(v.master.Peers, o.ip) {
			return false
		}
	}
	return true
}
