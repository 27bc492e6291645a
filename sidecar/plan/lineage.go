package plan

import (
	"strings"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/layout"
)

// The lineage of a volume is what the last report says of this very volume: its role, if it was in sync, and its sequence.
// It tells a database that was emptied (the same volume, a higher sequence) from a volume that is new, foreign, or an old
// copy. Whether there are keys in it says nothing: an emptied queue is the present state of its instance.
//
// A volume is known by the identity that it keeps (hooks/scripts/recall.sh). Where none is known or reported, because the
// pod or the report is that of an older operator, it is taken for the one that the pod had.

// standing is how good a claim a member has to be master by its lineage.
type standing int

const (
	// standingForeign: its volume is not the one that was reported of it: it is new, or comes from elsewhere. Or it was never written to.
	standingForeign standing = iota
	// standingNone: nothing was reported of its volume yet. It holds what it got since it has its place.
	standingNone
	// standingKnown: its volume was reported, but was not in sync, or has come back with less than it had.
	standingKnown
	// standingInSync: its volume was the master's or in sync with it, and has all that it had.
	standingInSync
)

// volumeKey begins the line of hooks/scripts/recall.sh with the identity of the volume.
const volumeKey = "volume "

// volumeOf returns the identity of a pod's volume from the output of hooks/scripts/recall.sh; empty when there is none.
func volumeOf(saved string) string {
	for line := range strings.Lines(saved) {
		if id, ok := strings.CutPrefix(strings.TrimSpace(line), volumeKey); ok {
			return id
		}
	}
	return ""
}

// lineage returns what was last reported of the volume that m has; nil when nothing was, or when it is not known yet which
// volume that is.
func (p *pass) lineage(m *member) *v1alpha1.TopologyNode {
	if m.volumeUnread() {
		return nil
	}
	own, volume := p.lastNode(m.name), m.volume()
	if volume == "" || own != nil && own.Volume == volume {
		return own
	}
	if p.last == nil {
		return nil
	}
	for i := range p.last.Nodes { // The volumes of two members may have changed places.
		if n := &p.last.Nodes[i]; n.Volume == volume {
			return n
		}
	}
	if own != nil && own.Volume == "" && own.Role != "" { // An older operator reported it. A volume that is new or foreign has no role yet.
		return own
	}
	return nil
}

// volume returns the identity of the volume; empty when it is not known.
func (m *member) volume() string { return volumeOf(m.pod.Saved) }

// volumeUnread reports whether m answers before its pod's status tells which volume it has.
func (m *member) volumeUnread() bool {
	return m.answered() && m.exists && !m.pod.Running && m.pod.Saved == ""
}

// mayReturn reports whether m, which may be nil, answers before it is known which volume it has. That takes about a second, and it
// may have all that was written; it is not waited for longer than the sentinels' word on a master that is silent.
func (p *pass) mayReturn(m *member) bool {
	return m != nil && m.volumeUnread() && p.outageAge() < p.downAfter()+sentinelTimeout
}

// keptData reports whether m answers with all that was reported of its volume.
func (p *pass) keptData(m *member) bool {
	n := p.lineage(m)
	return n != nil && m.answered() && m.node.Sequence >= n.Sequence
}

// standing returns the standing of a member that answers.
func (p *pass) standing(m *member) standing {
	switch known := p.lineage(m) != nil; {
	case known && p.keptRole(m) != "":
		return standingInSync
	case known || m.remembersPlace():
		return standingKnown
	case m.node.Sequence == 0 || p.otherVolume(m):
		return standingForeign
	}
	return standingNone
}

// otherVolume reports whether m has come back with another volume than the one that was reported of it.
func (p *pass) otherVolume(m *member) bool {
	own := p.lastNode(m.name)
	return own != nil && own.Volume != "" && m.volume() != "" && m.volume() != own.Volume
}

// remembersPlace reports whether the volume of a cluster's member tells the place that the member has on record, so that it is none of
// another instance, although nothing was reported of it yet.
func (m *member) remembersPlace() bool {
	if m.entry == nil {
		return false
	}
	saved := layout.ParseSaved(m.pod.Saved)
	return saved != nil && saved.ID == m.entry.ID
}

// outranks reports whether a has a better claim to be master than b: by its standing, then by its sequence.
func (p *pass) outranks(a, b *member) bool {
	if x, y := p.standing(a), p.standing(b); x != y {
		return x > y
	}
	return a.node.Sequence > b.node.Sequence
}

// keptRole returns the last reported role of the volume that m has, unless it has come back with less than it had, or was never
// written to. A node that is in a full sync has to give its data up, and is in sync no more.
func (p *pass) keptRole(m *member) v1alpha1.Role {
	n := p.lineage(m)
	if n == nil || m.answered() && m.node.Sequence < max(1, n.Sequence) || p.inFullSync(m) {
		return ""
	}
	return n.Role
}

// inFullSync reports whether the node's data is being replaced. kvrocks says so until it closes its database, and answers
// LOADING from then on; at its start it does not listen before its database is open. The recorded master is left alone
// while it loads: it follows nothing.
func (p *pass) inFullSync(m *member) bool {
	return m.answered() && m.node.Syncing || m.node.Reach == Loading && m.name != p.master
}

// memberWithVolume returns the member that has the volume of which n was reported, best the one of that name; nil when none does.
func (p *pass) memberWithVolume(n *v1alpha1.TopologyNode) *member {
	var found *member
	for i := range p.members {
		if m := &p.members[i]; p.lineage(m) == n && (found == nil || m.name == n.Pod) {
			found = m
		}
	}
	return found
}

// recordedRole returns the role that stays on record of a pod while no master is proved: that of the volume which it had,
// wherever that is now.
func (p *pass) recordedRole(m *member) v1alpha1.Role {
	own := p.lastNode(m.name)
	if own == nil {
		return ""
	}
	if h := p.memberWithVolume(own); h != nil {
		return p.keptRole(h)
	}
	return own.Role
}

// recordedVolume returns the volume to which the report of a pod refers: the one that it has when its role is proved, before
// that the one that it had. So a volume that is new or foreign has no lineage before it is in sync. A process that outlives its pod
// goes on with the volume that is on record, and no pod says so.
func (p *pass) recordedVolume(m *member, role v1alpha1.Role) string {
	if (p.proven != nil || m == p.remembered) && role != "" && m.exists && !m.volumeUnread() {
		return m.volume()
	}
	if own := p.lastNode(m.name); own != nil {
		return own.Volume
	}
	return ""
}
