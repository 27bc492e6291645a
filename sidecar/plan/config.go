package plan

import (
	"slices"

	"github.com/kvrocks/kvrocks-operator/sidecar/plan/action"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/condition"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/period"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/settings"
)

// Settings that every node has whatever the topology says; see Node.Config.
const (
	announceSetting = "replica-announce-ip"
	authMatches     = "masterauth-matches"
)

// applyPassword gives the wanted password to the nodes that took a previous one, the master last, and to the sentinels
// at the same time: to them a wrong password looks like a dead master.
func (p *pass) applyPassword() {
	if p.in.Credentials.Err != "" {
		return
	}
	stale := p.in.Credentials.Stale
	for _, m := range p.members {
		if m.name != p.recorded.Master && m.needsPassword(stale) {
			p.Do(action.ApplyPassword{Pod: m.name})
		}
	}
	if m := p.members.named(p.recorded.Master); m != nil && m.needsPassword(stale) {
		p.Do(action.ApplyPassword{Pod: m.name})
	}
	for i := range p.sentinels.Opinions {
		v := &p.sentinels.Opinions[i]
		if v.Monitors && (len(stale) > 0 || !v.Master.AuthApplied) {
			p.sentinels.Set(v)
		}
	}
}

// needsPassword reports whether the node answers, but with a previous password, or would log in to its master with a wrong one.
func (m *member) needsPassword(stale []string) bool {
	return m.Answered() && (slices.Contains(stale, m.name) || m.node.Config[authMatches] == "no")
}

// applyConfig applies the settings that a node has otherwise, each on its own so that a refusal holds up no other. The master
// is the last: replicas that do not keep namespaces in their database yet could not take one from it.
func (p *pass) applyConfig() {
	wanted := p.in.Topology.Spec.Config
	if p.in.paused() {
		wanted = nil
	}
	for _, m := range p.members {
		if m.name != p.recorded.Master {
			p.configure(m, wanted)
		}
	}
	if m := p.members.named(p.recorded.Master); m != nil {
		p.configure(m, wanted)
	}
}

func (o *outcome) configure(m *member, wanted map[string]string) {
	if !m.Answered() || m.node.Config == nil {
		return
	}
	if have, known := m.node.Config[announceSetting]; known && have != m.address {
		o.set(m, announceSetting, m.address)
	}
	for _, name := range settings.Differing(m.node.Config, wanted) {
		o.set(m, name, wanted[name])
	}
}

func (o *outcome) set(m *member, name, value string) {
	if _, refused := m.node.Refusals[name]; !refused {
		o.Do(action.Configure{Pod: m.name, Settings: map[string]string{name: value}})
		o.Again(period.Wait)
	}
}

// ConfigVerdict describes the first setting that a node has not taken, or those that it does not know; ok is true when all have, known is
// false when nothing was read in this pass.
func (p standardShard) ConfigVerdict() (v condition.Verdict, ok, known bool) {
	if v, ok, known = p.configVerdict(); ok {
		v = applied(p.in)
	}
	return v, ok, known
}

// configVerdict describes the first setting that a node of the shard has not taken; nothing when all have.
func (p *facts) configVerdict() (v condition.Verdict, ok, known bool) {
	wanted, unread := p.in.Topology.Spec.Config, false
	for _, m := range p.members {
		if !m.Answered() || m.node.Config == nil {
			unread = unread || m.Answered()
			continue
		}
		known = true
		node := settings.Node{Pod: m.name, Have: m.node.Config, Refusals: m.node.Refusals, RequiresRestart: m.node.RequiresRestart}
		if v, ok := node.Verdict(wanted); !ok {
			return v, false, true
		}
	}
	return condition.Verdict{}, true, known && !unread
}

// unknownSettings returns, sorted, the settings of spec.config that some node does not know.
func (in *Input) unknownSettings() []string {
	return settings.Unknown(in.Topology.Spec.Config, in.nodeSettings, in.Topology.Status.UnknownSettings)
}

// nodeSettings yields the settings of each node; nil of one that was not asked in this pass.
func (in *Input) nodeSettings(yield func(map[string]string) bool) {
	for i := range in.Topology.Spec.Shards {
		for _, member := range in.Topology.Spec.Shards[i].Members {
			var have map[string]string
			if node := in.Nodes[member.Pod]; node.Reach == Answered {
				have = node.Config
			}
			if !yield(have) {
				return
			}
		}
	}
}

// reportUnknownSettings returns what to report, and warns when there are more than before.
func (o *outcome) reportUnknownSettings(in *Input) []string {
	names := in.unknownSettings()
	if slices.ContainsFunc(names, func(name string) bool { return !slices.Contains(in.Topology.Status.UnknownSettings, name) }) {
		o.Warn(condition.ReasonUnknownSettings, settings.UnknownMessage(names))
	}
	return names
}

// applied returns the verdict on nodes that have every setting that they know.
func applied(in *Input) condition.Verdict {
	if names := in.unknownSettings(); len(names) > 0 {
		return condition.Verdict{Reason: condition.ReasonUnknownSettings, Message: settings.UnknownMessage(names)}
	}
	return condition.Verdict{Reason: condition.ReasonApplied, Message: "every node runs with kvrocksConfig"}
}
