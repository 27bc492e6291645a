// Package lineage says what was reported of the very volume that a member has, and which claim to be master follows from it.
package lineage

import (
	"strings"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

// The lineage of a volume is what the last report says of this very volume: its role, if it was in sync, and its sequence.
// It tells a database that was emptied (the same volume, a higher sequence) from a volume that is new, foreign, or an old
// copy. Whether there are keys in it says nothing: an emptied queue is the present state of its instance.
//
// A volume is known by the identity that it keeps (hooks/scripts/recall.sh). Where none is known or reported, because the
// pod or the report is that of an older operator, it is taken for the one that the pod had.

// Record is what is on record of a shard: the last report, and the master that it names.
type Record struct {
	// Last is the shard as it was last reported; nil at first.
	Last *v1alpha1.TopologyShardStatus
	// Master is the recorded master; it changes when a successor is proved.
	Master string
}

// Member is what a member of the shard shows of itself.
type Member interface {
	// Name of its pod.
	Name() string
	// Volume is the identity of its volume; empty when it is not known. VolumeUnread reports whether it answers before that is.
	Volume() string
	VolumeUnread() bool
	Answered() bool
	Sequence() int64
	// Syncing reports whether it says that a full sync replaces its data, and Loading whether it opens its database.
	Syncing() bool
	Loading() bool
	// RemembersPlace reports whether its volume tells the place that it has on record.
	RemembersPlace() bool
}

// Node returns what was last reported of a pod; nil when nothing was.
func (r *Record) Node(pod string) *v1alpha1.TopologyNode {
	if r.Last == nil {
		return nil
	}
	for i := range r.Last.Nodes {
		if n := &r.Last.Nodes[i]; n.Pod == pod {
			return n
		}
	}
	return nil
}

// Role returns the role that was last reported of a node.
func (r *Record) Role(m Member) v1alpha1.Role {
	if n := r.Node(m.Name()); n != nil {
		return n.Role
	}
	return ""
}

// Sequence returns the sequence that was last reported of a node; 0 when none was.
func (r *Record) Sequence(pod string) int64 {
	if n := r.Node(pod); n != nil {
		return n.Sequence
	}
	return 0
}

// Standing is how good a claim a member has to be master by its lineage.
type Standing int

const (
	// Foreign means that its volume is not the one that was reported of it (it is new, or comes from elsewhere), or was never written to.
	Foreign Standing = iota
	// None means that nothing was reported of its volume yet. It holds what it got since it has its place.
	None
	// Known means that its volume was reported, but was not in sync, or has come back with less than it had.
	Known
	// InSync means that its volume was the master's or in sync with it, and has all that it had.
	InSync
)

// volumeKey begins the line of hooks/scripts/recall.sh with the identity of the volume.
const volumeKey = "volume "

// VolumeOf returns the identity of a pod's volume from the output of hooks/scripts/recall.sh; empty when there is none.
func VolumeOf(saved string) string {
	for line := range strings.Lines(saved) {
		if id, ok := strings.CutPrefix(strings.TrimSpace(line), volumeKey); ok {
			return id
		}
	}
	return ""
}

// Of returns what was last reported of the volume that m has; nil when nothing was, or when it is not known yet which
// volume that is.
func (r *Record) Of(m Member) *v1alpha1.TopologyNode {
	if m.VolumeUnread() {
		return nil
	}
	own, volume := r.Node(m.Name()), m.Volume()
	if volume == "" || own != nil && own.Volume == volume {
		return own
	}
	if r.Last == nil {
		return nil
	}
	for i := range r.Last.Nodes { // The volumes of two members may have changed places.
		if n := &r.Last.Nodes[i]; n.Volume == volume {
			return n
		}
	}
	if own != nil && own.Volume == "" && own.Role != "" { // An older operator reported it. A volume that is new or foreign has no role yet.
		return own
	}
	return nil
}

// KeptData reports whether m answers with all that was reported of its volume.
func (r *Record) KeptData(m Member) bool {
	n := r.Of(m)
	return n != nil && m.Answered() && m.Sequence() >= n.Sequence
}

// Standing returns the standing of a member that answers.
func (r *Record) Standing(m Member) Standing {
	switch known := r.Of(m) != nil; {
	case known && r.KeptRole(m) != "":
		return InSync
	case known || m.RemembersPlace():
		return Known
	case m.Sequence() == 0 || r.otherVolume(m):
		return Foreign
	}
	return None
}

// otherVolume reports whether m has come back with another volume than the one that was reported of it.
func (r *Record) otherVolume(m Member) bool {
	own := r.Node(m.Name())
	return own != nil && own.Volume != "" && m.Volume() != "" && m.Volume() != own.Volume
}

// Outranks reports whether a has a better claim to be master than b: by its standing, then by its sequence.
func (r *Record) Outranks(a, b Member) bool {
	if x, y := r.Standing(a), r.Standing(b); x != y {
		return x > y
	}
	return a.Sequence() > b.Sequence()
}

// KeptRole returns the last reported role of the volume that m has, unless it has come back with less than it had, or was never
// written to. A node that is in a full sync has to give its data up, and is in sync no more.
func (r *Record) KeptRole(m Member) v1alpha1.Role {
	n := r.Of(m)
	if n == nil || m.Answered() && m.Sequence() < max(1, n.Sequence) || r.InFullSync(m) {
		return ""
	}
	return n.Role
}

// InFullSync reports whether the node's data is being replaced. kvrocks says so until it closes its database, and answers
// LOADING from then on; at its start it does not listen before its database is open. The recorded master is left alone
// while it loads: it follows nothing.
func (r *Record) InFullSync(m Member) bool {
	return m.Answered() && m.Syncing() || m.Loading() && m.Name() != r.Master
}
