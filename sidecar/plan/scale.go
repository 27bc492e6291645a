package plan

// scaleTo returns the number of replicas that the shard may be shrunk to now: the wanted one when what leaves may go, else as
// many as there are.
func (p *pass) scaleTo(mayLeave bool) int32 {
	present := p.shard.Replicas
	leaving := false
	for i := range p.members {
		present = max(present, p.members[i].ordinal+1)
		leaving = leaving || p.members[i].leaving
	}
	if leaving && !mayLeave {
		return present
	}
	return p.shard.Replicas
}

// mayLeave reports whether the master stays, those that stay with it replicate, and no sentinel would elect one that leaves.
func (p *pass) mayLeave() bool {
	if p.proven == nil || p.outage != nil || p.proven.leaving || !p.proven.was.Attached {
		return false
	}
	for i := range p.members {
		m := &p.members[i]
		healthy := m == p.proven || p.inSync(m) && m.was.Attached
		electable := m.answered() && !m.passedOver()
		if m.leaving && electable || !m.leaving && !healthy {
			return false
		}
	}
	return true
}

// prioritySetting keeps sentinel from electing a replica when it is 0.
const prioritySetting = "slave-priority"

// passedOver reports whether no sentinel will elect the node, or the node would not take the setting.
func (m *member) passedOver() bool {
	_, refused := m.node.Refusals[prioritySetting]
	return m.node.Priority == 0 || refused
}

// mayBeElected reports whether the sentinels may elect a member. They know neither of handovers, nor which members are in sync,
// nor what a promotion may lose: where that is bounded the sidecar alone promotes.
func (p *pass) mayBeElected(m *member) bool {
	return !m.handoff && p.behindSince(m) == nil && (p.bounds.lostWrites == nil || !p.in.Sentinels.Configured)
}

// electedTooSoon reports whether the sentinels, once they reach the member, could elect it although the loss is bounded: its
// slave-priority is not seen to be 0 yet.
func (p *pass) electedTooSoon(m *member) bool {
	return p.bounds.lostWrites != nil && !m.pod.Attached && !p.mayBeElected(m) && !m.passedOver()
}

// someElectable reports whether the sentinels can reach a member that they may elect in place of the recorded master.
func (p *pass) someElectable() bool {
	for i := range p.members {
		m := &p.members[i]
		electable := m.node.Priority != 0
		if !m.answered() {
			electable = p.mayBeElected(m)
		}
		if m.name != p.master && m.was.Attached && electable {
			return true
		}
	}
	return false
}

// setPriorities keeps the sentinels from electing members that must not be master.
func (p *pass) setPriorities() {
	for i := range p.members {
		m := &p.members[i]
		if !m.answered() {
			continue
		}
		switch may := p.mayBeElected(m); {
		case !may && (m.name != p.master || !m.handoff) && !m.passedOver():
			p.do(Configure{Pod: m.name, Settings: map[string]string{prioritySetting: "0"}})
		case may && m.node.Priority == 0:
			p.do(Configure{Pod: m.name, Settings: map[string]string{prioritySetting: "100"}})
		}
	}
}
