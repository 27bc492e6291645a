package plan

// scaleTo is the number of replicas that the shard may be shrunk to now: the wanted one when what leaves may go, else as
// many as there are.
func (p *pass) scaleTo(mayLeave bool) int32 {
	held := p.shard.Replicas
	leaving := false
	for i := range p.members {
		held = max(held, p.members[i].ordinal+1)
		leaving = leaving || p.members[i].leaving
	}
	if leaving && !mayLeave {
		return held
	}
	return p.shard.Replicas
}

// mayLeave: the master stays, those that stay with it replicate, and no sentinel would elect one that leaves.
func (p *pass) mayLeave() bool {
	if p.proven == nil || p.outage != nil || p.proven.leaving || !p.proven.was.Attached {
		return false
	}
	for i := range p.members {
		m := &p.members[i]
		healthy := m == p.proven || m.linked(p.proven) && m.was.Attached
		electable := m.answered() && !m.passedOver()
		if m.leaving && electable || !m.leaving && !healthy {
			return false
		}
	}
	return true
}

// prioritySetting keeps sentinel from electing a replica when it is 0.
const prioritySetting = "slave-priority"

// passedOver: no sentinel will elect the node, or the node would not take the setting.
func (m *member) passedOver() bool {
	_, refused := m.node.Refusals[prioritySetting]
	return m.node.Priority == 0 || refused
}

// setPriorities keeps the sentinels from electing a pod that must not be master.
func (p *pass) setPriorities() {
	for i := range p.members {
		m := &p.members[i]
		if !m.answered() {
			continue
		}
		switch {
		case m.handoff && m.name != p.master && !m.passedOver():
			p.do(Configure{Pod: m.name, Settings: map[string]string{prioritySetting: "0"}})
		case !m.handoff && m.node.Priority == 0:
			p.do(Configure{Pod: m.name, Settings: map[string]string{prioritySetting: "100"}})
		}
	}
}
