package plan

import (
	"fmt"
	"strings"
	"time"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

// Disk is the file system that holds a node's data, in bytes. The zero value means that nothing is known of it.
type Disk struct {
	Capacity, Used int64
	// Database is what the data takes of it, and MaxDatabase what it may take (max-db-size); 0 is no limit.
	Database, MaxDatabase int64
}

// Refusal is why a master takes no writes. PING is answered meanwhile.
type Refusal string

// The refusals.
const (
	// RefusalNoSpace: the volume is full.
	RefusalNoSpace Refusal = "NoSpace"
	// RefusalMaxSize: the database has reached max-db-size.
	RefusalMaxSize Refusal = "MaxSize"
)

const (
	// memtable is what kvrocks writes at once when a memtable is full (rocksdb.write_buffer_size by default, in bytes).
	memtable = 64 << 20
	// percentNoise is the change of a volume's use, in points, that is not reported: compactions make it come and go.
	percentNoise = 3
	// moreRoom is how many points emptier the volume of a member must be for a master with a full one to hand over to it.
	moreRoom = 10
	// roomRetry is how long a master does not hand over, for want of room, to the member that it has its role from, so that two
	// members do not pass the role to and fro. That member may have handed over for another reason, such as a roll.
	roomRetry = 30 * time.Second
)

// Percent returns how full the file system is, rounded down; 0 when that is not known.
func (d Disk) Percent() int32 {
	if d.Capacity <= 0 {
		return 0
	}
	return int32(float64(d.Used) / float64(d.Capacity) * 100)
}

// Full reports whether there is no room for what kvrocks writes at once, or, on a small volume, for a hundredth of it.
func (d Disk) Full() bool {
	return d.Capacity > 0 && d.Capacity-d.Used < min(memtable, d.Capacity/100)
}

// AlmostFull reports whether writes may be refused soon, or are: whether they are shows only by writing.
func (d Disk) AlmostFull() bool {
	full := d.Capacity > 0 && d.Capacity-d.Used < min(8*memtable, d.Capacity/20)
	return full || d.MaxDatabase > 0 && d.Database >= d.MaxDatabase/20*19
}

// usedPercent returns how full the volume of a member is, as it is reported: small changes leave it as it was, and so does a
// silent node.
func (p *pass) usedPercent(m *member) int32 {
	last := int32(0)
	if n := p.lastNode(m.name); n != nil {
		last = n.UsedPercent
	}
	used := m.node.Disk.Percent()
	switch {
	case !m.answered() || m.node.Disk.Capacity == 0:
		return last
	case last > 0 && used-last < percentNoise && last-used < percentNoise:
		return last
	}
	return used
}

// storageVerdict reports whether the volumes have room.
func (p *pass) storageVerdict() (verdict, bool) {
	warn := p.in.Topology.Spec.StorageWarnPercent
	var full, cramped, near []string
	for i := range p.members {
		m := &p.members[i]
		switch used := p.usedPercent(m); {
		case m.node.Refusal == RefusalMaxSize:
			return verdict{ReasonMaxSizeReached, m.refusalText()}, false
		case m.node.Refusal == RefusalNoSpace || m.answered() && m.node.Disk.Full() || !m.answered() && used == 100:
			full = append(full, m.name)
		case p.cannotSync(m):
			cramped = append(cramped, m.name)
		case warn > 0 && used >= warn:
			near = append(near, fmt.Sprintf("%s (%d%%)", m.name, used))
		}
	}
	switch {
	case len(full) > 0:
		return verdict{ReasonVolumeFull, "no space is left on the volume of " + strings.Join(full, ", ") + "; raise spec.storage.size"}, false
	case len(cramped) > 0:
		return verdict{ReasonSyncLacksSpace, "the volume of " + strings.Join(cramped, ", ") +
			" has no room for what its master holds, so its full sync cannot end; raise spec.storage.size"}, false
	case len(near) > 0:
		return verdict{ReasonVolumeNearlyFull, fmt.Sprintf("more than %d%% of the volume is used: %s", warn, strings.Join(near, ", "))}, false
	}
	return verdict{ReasonVolumesHaveRoom, "every volume has room"}, true
}

// cannotSync reports whether a full sync of m can never end: it keeps its own data until it has what the master holds.
func (p *pass) cannotSync(m *member) bool {
	if p.proven == nil || m == p.proven || !m.answered() || !m.node.Syncing || m.node.Disk.Capacity == 0 {
		return false
	}
	return p.proven.node.Disk.Database > m.node.Disk.Capacity-m.node.Disk.Database
}

// refusalText returns, in words, why a master takes no writes, and what to do.
func (m *member) refusalText() string {
	if m.node.Refusal == RefusalMaxSize {
		return m.name + " refuses writes: its database has reached max-db-size; raise kvrocksConfig.max-db-size"
	}
	return m.name + " refuses writes: no space is left on its volume; raise spec.storage.size"
}

// lacksRoom reports whether the master m should hand over because its volume is full and that of a replica is not.
func (p *pass) lacksRoom(m *member) bool {
	return m.node.Refusal == RefusalNoSpace && p.handoverTarget(m) != nil
}

// hasRoomOf reports whether t may take over from m as far as their volumes go: where that is all that m hands over for, t must have
// markedly more room, and not have handed over to m a moment ago.
func (p *pass) hasRoomOf(t, m *member) bool {
	if m.node.Refusal != RefusalNoSpace || p.podMustGo(m) {
		return true
	}
	for i := range p.failovers {
		if r := &p.failovers[i]; r.Shard == p.shard.Index && r.From == t.name && r.To == m.name && p.now.Sub(r.At.Time) < roomRetry {
			return false
		}
	}
	return t.node.Disk.Capacity > 0 && !t.node.Disk.Full() && t.node.Disk.Percent()+moreRoom <= m.node.Disk.Percent()
}

// tellStorage emits an event, once, when volumes fill up or have room again.
func (o *outcome) tellStorage(t *v1alpha1.KVRocksTopology, v verdict, ok bool) {
	before := conditionOf(t.Status.Conditions, v1alpha1.ConditionStorageHealthy)
	switch {
	case !ok && (before == nil || before.Reason != v.reason):
		o.warn(v.reason, v.message)
	case ok && before != nil && before.Reason != v.reason:
		o.event(v.reason, v.message)
	}
}
