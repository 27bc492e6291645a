package plan

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/kvrocks/kvrocks-operator/sidecar/plan/period"
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
	for i := range p.members {
		if m := &p.members[i]; m.name != p.master && p.needsPassword(m) {
			p.do(ApplyPassword{Pod: m.name})
		}
	}
	if m := p.member(p.master); m != nil && p.needsPassword(m) {
		p.do(ApplyPassword{Pod: m.name})
	}
	for i := range p.sentinels.Opinions {
		v := &p.sentinels.Opinions[i]
		if v.Monitors && (len(stale) > 0 || !v.Master.AuthApplied) {
			p.do(Tune{Sentinel: v.Pod, MasterName: p.shard.MasterName, Quorum: int32(p.sentinels.Quorum), Failover: p.failover})
		}
	}
}

// needsPassword reports whether the node answers, but with a previous password, or would log in to its master with a wrong one.
func (p *pass) needsPassword(m *member) bool {
	return m.answered() && (slices.Contains(p.in.Credentials.Stale, m.name) || m.node.Config[authMatches] == "no")
}

// applyConfig applies the settings that a node has otherwise, each on its own so that a refusal holds up no other. The master
// is the last: replicas that do not keep namespaces in their database yet could not take one from it.
func (p *pass) applyConfig() {
	for i := range p.members {
		if p.members[i].name != p.master {
			p.configure(&p.members[i])
		}
	}
	if m := p.member(p.master); m != nil {
		p.configure(m)
	}
}

func (p *pass) configure(m *member) {
	if !m.answered() || m.node.Config == nil {
		return
	}
	if have, known := m.node.Config[announceSetting]; known && have != m.address {
		p.set(m, announceSetting, m.address)
	}
	for _, name := range p.differing(m) {
		p.set(m, name, p.in.Topology.Spec.Config[name])
	}
}

func (p *pass) set(m *member, name, value string) {
	if _, refused := m.node.Refusals[name]; !refused {
		p.do(Configure{Pod: m.name, Settings: map[string]string{name: value}})
		p.again(period.Wait)
	}
}

// blobSetting comes before the details of blob files: kvrocks refuses those while it is off, and a refusal is not tried again.
const blobSetting = "rocksdb.enable_blob_files"

// differing lists the settings that the node has otherwise than wanted, in the order in which they can be applied. What the
// node does not know is none of them; see unknownSettings.
func (p *pass) differing(m *member) []string {
	var names []string
	for name, want := range p.in.Topology.Spec.Config {
		if have, known := m.node.Config[name]; known && normal(have) != normal(want) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	if i := slices.Index(names, blobSetting); i > 0 {
		names = slices.Insert(slices.Delete(names, i, i+1), 0, blobSetting)
	}
	return names
}

// configVerdict describes the first setting that a node has not taken; ok is true when all have, known is false when
// nothing was read in this pass.
func (p *pass) configVerdict() (v verdict, ok, known bool) {
	unread := false
	for i := range p.members {
		m := &p.members[i]
		if !m.answered() || m.node.Config == nil {
			unread = unread || m.answered()
			continue
		}
		known = true
		for _, name := range slices.Sorted(maps.Keys(m.node.Refusals)) {
			if m.node.RequiresRestart[name] {
				return verdict{ReasonRestartRequired, m.name + " takes " + name + " only when it starts: restart the pods, for example with kubectl rollout restart on their StatefulSets"}, false, true
			}
			return verdict{ReasonRefused, m.name + " refuses " + name + ": " + m.node.Refusals[name]}, false, true
		}
		if names := p.differing(m); len(names) > 0 {
			return verdict{ReasonApplying, "applying " + strings.Join(names, ", ") + " to " + m.name}, false, true
		}
	}
	return applied(p.in), true, known && !unread
}

// units of kvrocks.conf, in bytes.
var units = []struct {
	suffix string
	bytes  int64
}{
	{"gb", 1 << 30}, {"mb", 1 << 20}, {"kb", 1 << 10}, {"g", 1 << 30}, {"m", 1 << 20}, {"k", 1 << 10}, {"b", 1},
}

// normal brings a value into the form in which equal settings are equal: without quotes, in lower case, one space
// between words, sizes in bytes.
func normal(value string) string {
	v := strings.ToLower(strings.Join(strings.Fields(strings.Trim(strings.TrimSpace(value), `"'`)), " "))
	for _, u := range units {
		if digits, ok := strings.CutSuffix(v, u.suffix); ok {
			if n, err := strconv.ParseInt(digits, 10, 64); err == nil {
				return strconv.FormatInt(n*u.bytes, 10)
			}
		}
	}
	return v
}
