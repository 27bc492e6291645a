package plan

import (
	"slices"

	"github.com/kvrocks/kvrocks-operator/sidecar/plan/action"
)

// scaleTo returns the number of replicas that the shard may be shrunk to now: the wanted one when what leaves may go, else as
// many as there are.
func (all members) scaleTo(wanted int32, mayLeave bool) int32 {
	present := wanted
	leaving := false
	for _, m := range all {
		present = max(present, m.ordinal+1)
		leaving = leaving || m.leaving
	}
	if leaving && !mayLeave {
		return present
	}
	return wanted
}

// mayLeave reports whether the master stays, those that stay with it replicate, and no sentinel would elect one that leaves.
func (p standardShard) mayLeave() bool {
	if p.in.paused() || p.proven == nil || p.outage != nil || p.proven.leaving || !p.proven.was.Attached {
		return false
	}
	return !slices.ContainsFunc(p.members, func(m *member) bool {
		if m.leaving {
			return m.Answered() && !m.passedOver()
		}
		return m != p.proven && (!p.inSync(m) || !m.was.Attached)
	})
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
func (p *facts) mayBeElected(m *member) bool {
	return !m.handoff && p.behindSince(m) == nil && (p.bounds.LostWrites == nil || !p.in.Sentinels.Configured)
}

// electedTooSoon reports whether the sentinels, once they reach the member, could elect it although the loss is bounded: its
// slave-priority is not seen to be 0 yet.
func (p *facts) electedTooSoon(m *member) bool {
	return p.bounds.LostWrites != nil && !m.pod.Attached && !p.mayBeElected(m) && !m.passedOver()
}

// someElectable reports whether the sentinels can reach a member that they may elect in place of the recorded master.
func (p standardShard) someElectable() bool {
	return slices.ContainsFunc(p.members, func(m *member) bool {
		electable := m.node.Priority != 0
		if !m.Answered() {
			electable = p.mayBeElected(m)
		}
		return m.name != p.recorded.Master && m.was.Attached && electable
	})
}

// setPriorities keeps the sentinels from electing members that must not be master.
func (p standardShard) setPriorities() {
	for _, m := range p.members {
		if !m.Answered() {
			continue
		}
		switch may := p.mayBeElected(m); {
		case !may && (m.name != p.recorded.Master || !m.handoff) && !m.passedOver():
			p.Do(action.Configure{Pod: m.name, Settings: map[string]string{prioritySetting: "0"}})
		case may && m.node.Priority == 0:
			p.Do(action.Configure{Pod: m.name, Settings: map[string]string{prioritySetting: "100"}})
		}
	}
}
