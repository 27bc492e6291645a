package plan_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/kvrocks/kvrocks-operator/sidecar/plan"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/report"
)

func TestVolumes(t *testing.T) {
	run(t, []scenario{
		{
			name: "a volume that is nearly full is told, and everything works",
			given: `
				warn 85
				record orders-0
				orders-0 master serving disk=8600/10000
				orders-1 ->orders-0 placed disk=5000/10000`,
			want: `
				= StorageHealthy False VolumeNearlyFull
				= StorageHealthy: more than 85% of the volume is used: orders-0 (86%)
				= PrimaryAvailable True MasterServing
				= event VolumeNearlyFull`,
		},
		{
			name: "a few points up or down are not reported",
			given: `
				warn 85
				record orders-0
				orders-0 master serving disk=8690/10000 used=84
				orders-1 ->orders-0 placed disk=8300/10000 used=85`,
			want: `
				= StorageHealthy: more than 85% of the volume is used: orders-1 (85%)`,
		},
		{
			name: "data in the pod lies on the disk of the machine, of which only the end is told",
			given: `
				record orders-0
				orders-0 master serving disk=9600/10000
				orders-1 ->orders-0 placed disk=9600/10000`,
			want: `
				= StorageHealthy True VolumesHaveRoom`,
		},
		{
			name: "a volume that is full",
			given: `
				warn 85
				record orders-0
				orders-0 master serving disk=5000/10000
				orders-1 ->orders-0 placed disk=9990/10000`,
			want: `
				= StorageHealthy False VolumeFull
				= StorageHealthy: no space is left on the volume of orders-1; raise spec.storage.size
				= PrimaryAvailable True MasterServing
				= event VolumeFull`,
		},
		{
			name: "a master that refuses writes is not available, and hands over to a replica that has room",
			given: `
				warn 85
				record orders-0
				orders-0 master serving disk=10000/10000 refuses-writes=NoSpace
				orders-1 ->orders-0 placed disk=5000/10000
				orders-2 ->orders-0 placed disk=9990/10000`,
			want: `
				= PrimaryAvailable False VolumeFull
				= PrimaryAvailable: orders-0 refuses writes: no space is left on its volume; raise spec.storage.size
				= intent true
				= outage Handover orders-0 seq=100 orders-1
				= event HandoverStarted`,
		},
		{
			name: "not to one that is nearly as full",
			given: `
				warn 85
				record orders-0
				orders-0 master serving disk=10000/10000 refuses-writes=NoSpace
				orders-1 ->orders-0 placed disk=9500/10000`,
			want: `
				= PrimaryAvailable False VolumeFull
				= outage none`,
		},
		{
			name: "nor back to the one that handed over a moment ago",
			given: `
				warn 85
				record orders-0
				failover orders-1 orders-0
				orders-0 master serving disk=10000/10000 refuses-writes=NoSpace
				orders-1 ->orders-0 placed disk=5000/10000`,
			want: `
				= failover MasterDown orders-1->orders-0 detect=0 promote=0 seq=90 lost=-1
				= outage none`,
		},
		{
			name: "a pod that has to go hands over all the same",
			given: `
				warn 85
				record orders-0
				handoff orders-0
				orders-0 master serving disk=10000/10000 refuses-writes=NoSpace
				orders-1 ->orders-0 placed disk=9500/10000`,
			want: `
				= outage Handover orders-0 seq=100 orders-1`,
		},
		{
			name: "a database that has reached its limit has it everywhere",
			given: `
				record orders-0
				orders-0 master serving refuses-writes=MaxSize
				orders-1 ->orders-0 placed disk=5000/10000`,
			want: `
				= PrimaryAvailable False MaxSizeReached
				= StorageHealthy False MaxSizeReached
				= outage none`,
		},
		{
			name: "a replica whose volume cannot hold its own data and its master's never ends its full sync",
			given: `
				warn 85
				record orders-0
				orders-0 master serving disk=5000/10000:4000
				orders-1 ->orders-0 up syncing disk=6500/10000:6100`,
			want: `
				= StorageHealthy False SyncLacksSpace
				= StorageHealthy: the volume of orders-1 has no room for what its master holds, so its full sync cannot end; raise spec.storage.size
				= ReplicationHealthy False ReplicasMissing`,
		},
		{
			name: "one that can is left to it",
			given: `
				warn 85
				record orders-0
				orders-0 master serving disk=5000/10000:4000
				orders-1 ->orders-0 up syncing disk=6500/10000:5900`,
			want: `
				= StorageHealthy True VolumesHaveRoom`,
		},
	})
}

// TestStorageIsToldOnce holds that a volume that fills up is one event, and one report.
func TestStorageIsToldOnce(t *testing.T) {
	in := parse(t, `
		warn 85
		record orders-0
		orders-0 master serving disk=8600/10000`)
	first := plan.Standard(in)
	assert.Contains(t, facts(first), "event VolumeNearlyFull")
	in.Topology.Status = first.Status
	for i := range 5 {
		in.Now = in.Now.Add(time.Minute)
		n := in.Nodes["orders-0"]
		n.Disk.Used += int64(i-2) << 26
		in.Nodes["orders-0"] = n
		p := plan.Standard(in)
		assert.Empty(t, p.Events)
		assert.True(t, report.Same(first.Status, p.Status))
	}
	n := in.Nodes["orders-0"]
	n.Disk.Used = 0
	in.Nodes["orders-0"] = n
	p := plan.Standard(in)
	assert.Contains(t, facts(p), "event VolumesHaveRoom")
	assert.Contains(t, facts(p), "StorageHealthy True VolumesHaveRoom")
}
