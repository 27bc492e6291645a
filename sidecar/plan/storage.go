package plan

import (
	"fmt"
	"strings"
	"time"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/condition"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/storage"
	"k8s.io/apimachinery/pkg/api/meta"
)

const (
	// percentNoise is the change of a volume's use, in points, that is not reported: compactions make it come and go.
	percentNoise = 3
	// moreRoom is how many points emptier the volume of a member must be for a master with a full one to hand over to it.
	moreRoom = 10
	// roomRetry is how long a master does not hand over, for want of room, to the member that it has its role from, so that two
	// members do not pass the role to and fro. That member may have handed over for another reason, such as a roll.
	roomRetry = 30 * time.Second
)

// usedPercent returns how full the volume of a member is, as it is reported: small changes leave it as it was, and so does a
// silent node.
func (r *recorded) usedPercent(m *member) int32 {
	last := int32(0)
	if n := r.Node(m.name); n != nil {
		last = n.UsedPercent
	}
	used := m.node.Disk.Percent()
	switch {
	case !m.Answered() || m.node.Disk.Capacity == 0:
		return last
	case last > 0 && used-last < percentNoise && last-used < percentNoise:
		return last
	}
	return used
}

// StorageVerdict reports whether the volumes have room.
func (p *facts) StorageVerdict() (condition.Verdict, bool) {
	warn := p.in.Topology.Spec.StorageWarnPercent
	var full, cramped, near []string
	for _, m := range p.members {
		switch used := p.recorded.usedPercent(m); {
		case m.node.Refusal == storage.RefusalMaxSize:
			return condition.Verdict{Reason: condition.ReasonMaxSizeReached, Message: m.refusalText()}, false
		case m.node.Refusal == storage.RefusalNoSpace || m.Answered() && m.node.Disk.Full() || !m.Answered() && used == 100:
			full = append(full, m.name)
		case m.cannotSync(p.proven):
			cramped = append(cramped, m.name)
		case warn > 0 && used >= warn:
			near = append(near, fmt.Sprintf("%s (%d%%)", m.name, used))
		}
	}
	switch {
	case len(full) > 0:
		return condition.Verdict{Reason: condition.ReasonVolumeFull, Message: "no space is left on the volume of " + strings.Join(full, ", ") + "; raise spec.storage.size"}, false
	case len(cramped) > 0:
		return condition.Verdict{Reason: condition.ReasonSyncLacksSpace, Message: "the volume of " + strings.Join(cramped, ", ") +
			" has no room for what its master holds, so its full sync cannot end; raise spec.storage.size"}, false
	case len(near) > 0:
		return condition.Verdict{Reason: condition.ReasonVolumeNearlyFull, Message: fmt.Sprintf("more than %d%% of the volume is used: %s", warn, strings.Join(near, ", "))}, false
	}
	return condition.Verdict{Reason: condition.ReasonVolumesHaveRoom, Message: "every volume has room"}, true
}

// cannotSync reports whether a full sync of m from the master, nil when none is proved, can never end: m keeps its own data until it
// has what the master holds.
func (m *member) cannotSync(master *member) bool {
	if master == nil || m == master || !m.Answered() || !m.node.Syncing || m.node.Disk.Capacity == 0 {
		return false
	}
	return master.node.Disk.Database > m.node.Disk.Capacity-m.node.Disk.Database
}

// refusalText returns, in words, why a master takes no writes, and what to do.
func (m *member) refusalText() string {
	if m.node.Refusal == storage.RefusalMaxSize {
		return m.name + " refuses writes: its database has reached max-db-size; raise kvrocksConfig.max-db-size"
	}
	return m.name + " refuses writes: no space is left on its volume; raise spec.storage.size"
}

// lacksRoom reports whether the master m should hand over because its volume is full and that of a replica is not.
func (p *pass) lacksRoom(m *member) bool {
	return m.node.Refusal == storage.RefusalNoSpace && p.handoverTarget(m) != nil
}

// hasRoomOf reports whether t may take over from m as far as their volumes go: where that is all that m hands over for, t must have
// markedly more room, and not have handed over to m a moment ago.
func (p *pass) hasRoomOf(t, m *member) bool {
	if m.node.Refusal != storage.RefusalNoSpace || p.podMustGo(m) {
		return true
	}
	return !p.failovers.ReplacedSince(t.name, m.name, p.shard.Index, p.now, roomRetry) && t.node.Disk.Capacity > 0 && !t.node.Disk.Full() && t.node.Disk.Percent()+moreRoom <= m.node.Disk.Percent()
}

// tellStorage emits an event, once, when volumes fill up or have room again.
func (o *outcome) tellStorage(t *v1alpha1.KVRocksTopology, v condition.Verdict, ok bool) {
	before := meta.FindStatusCondition(t.Status.Conditions, v1alpha1.ConditionStorageHealthy)
	switch {
	case !ok && (before == nil || before.Reason != v.Reason):
		o.Warn(v.Reason, v.Message)
	case ok && before != nil && before.Reason != v.Reason:
		o.Event(v.Reason, v.Message)
	}
}
