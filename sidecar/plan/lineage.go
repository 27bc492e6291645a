package plan

import (
	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/layout"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/lineage"
)

// recorded is what is on record of a shard, by which its members are judged.
type recorded struct{ lineage.Record }

// Name returns that of the pod. With it begins what [lineage.Member] wants to know.
func (m *member) Name() string { return m.name }

// Volume returns the identity of the volume; empty when it is not known.
func (m *member) Volume() string { return lineage.VolumeOf(m.pod.Saved) }

// Ordinal returns that of the pod.
func (m *member) Ordinal() int32 { return m.ordinal }

// Deleting reports whether the pod is being deleted, or is to be by an action planned so far.
func (m *member) Deleting() bool { return m.pod.Deleting }

// MustNotLead reports whether the pod must not be master.
func (m *member) MustNotLead() bool { return m.handoff }

// Sequence returns that of the last entry that the node has.
func (m *member) Sequence() int64 { return m.node.Sequence }

// Syncing reports whether the node says that a full sync replaces its data.
func (m *member) Syncing() bool { return m.node.Syncing }

// Loading reports whether the node opens its database.
func (m *member) Loading() bool { return m.node.Reach == Loading }

// VolumeUnread reports whether m answers before its pod's status tells which volume it has.
func (m *member) VolumeUnread() bool {
	return m.Answered() && m.exists && !m.pod.Running && m.pod.Saved == ""
}

// mayReturn reports whether m, which may be nil, answers before it is known which volume it has. That takes about a second, and it
// may have all that was written; it is not waited for longer than the sentinels' word on a master that is silent.
func (p *facts) mayReturn(m *member) bool {
	return m != nil && m.VolumeUnread() && p.outageAge() < p.sentinels.DownAfter()+sentinelTimeout
}

// RemembersPlace reports whether the volume of a cluster's member tells the place that the member has on record, so that it is none of
// another instance, although nothing was reported of it yet.
func (m *member) RemembersPlace() bool {
	if m.entry == nil {
		return false
	}
	saved := layout.ParseSaved(m.pod.Saved)
	return saved != nil && saved.ID == m.entry.ID
}

// recordedVolume returns the volume to which the report of a pod refers: the one that it has when its role is proved, before
// that the one that it had. So a volume that is new or foreign has no lineage before it is in sync. A process that outlives its pod
// goes on with the volume that is on record, and no pod says so.
func (p *facts) recordedVolume(m *member, role v1alpha1.Role) string {
	if (p.proven != nil || m == p.remembered) && role != "" && m.exists && !m.VolumeUnread() {
		return m.Volume()
	}
	if own := p.recorded.Node(m.name); own != nil {
		return own.Volume
	}
	return ""
}
