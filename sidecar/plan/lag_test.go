package plan_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/kvrocks/kvrocks-operator/sidecar/plan"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/report"
)

func TestLaggingReplicas(t *testing.T) {
	run(t, []scenario{
		{
			name: "a replica that lacks what its master had a minute ago is not in sync, though its link is up",
			given: `
				record orders-0
				orders-0 master seq=5000 before=4000 serving
				orders-1 ->orders-0 seq=3999 had=3999 placed
				orders-2 ->orders-0 seq=4900 placed`,
			want: `
				label orders-1
				set orders-1 map[slave-priority:0]
				= node orders-1 role= link=lagging attached=true
				= node orders-2 role=replica link=up attached=true
				= ReplicationHealthy False ReplicasLagging
				= ReplicationHealthy: not in sync, behind orders-0: orders-1 for more than 1m0s
				= event ReplicaLagging
				= again 2.5s`,
		},
		{
			name: "the sentinels may not elect it",
			given: `
				record orders-0
				orders-0 master seq=5000 before=4000 serving
				orders-1 ->orders-0 seq=3999 placed
				watch-0 ->orders-0
				watch-1 ->orders-0
				watch-2 ->orders-0`,
			want: `
				label orders-1
				set orders-1 map[slave-priority:0]`,
		},
		{
			name: "one whose link stays down is not read from either",
			given: `
				record orders-0
				orders-0 master seq=5000 before=4000 serving
				orders-1 ->orders-0 seq=3999 had=3999 attached label=replica`,
			want: `
				label orders-1
				set orders-1 map[slave-priority:0]
				= node orders-1 role= link=down attached=true
				= ReplicationHealthy False ReplicasMissing
				= event ReplicaLagging`,
		},
		{
			name: "one whose link has only just broken is",
			given: `
				record orders-0
				orders-0 master seq=5000 before=4000 serving
				orders-1 ->orders-0 seq=4500 had=4500 attached label=replica`,
			want: `
				= node orders-1 role= link=down attached=true`,
		},
		{
			name: "one that is a million writes behind is not in sync, however short the time",
			given: `
				record orders-0
				orders-0 master seq=2500000 before=100 serving
				orders-1 ->orders-0 seq=1000000 placed`,
			want: `
				label orders-1
				set orders-1 map[slave-priority:0]
				= ReplicationHealthy: not in sync, behind orders-0: orders-1 by about 1500000 writes`,
		},
		{
			name: "the lag of a busy master is no lag",
			given: `
				record orders-0
				orders-0 master seq=9000000 before=8000000 serving
				orders-1 ->orders-0 seq=8950000 placed`,
			want: `
				= ReplicationHealthy True ReplicasLinked`,
		},
		{
			name: "an idle instance is not judged by time",
			given: `
				record orders-0
				orders-0 master seq=100 before=100 serving
				orders-1 ->orders-0 seq=100 placed`,
			want: `
				= ReplicationHealthy True ReplicasLinked`,
		},
		{
			name: "while it lags nothing is done again and nothing changes",
			given: `
				record orders-0
				orders-0 master seq=5200 before=4200 serving had=5000
				orders-1 ->orders-0 seq=3999 placed unlabelled behind=10m priority=0`,
			want: `
				= node orders-1 role= link=lagging attached=true
				= ReplicationHealthy: not in sync, behind orders-0: orders-1 for more than 1m0s`,
		},
		{
			name: "it has its place again when it has caught up",
			given: `
				record orders-0
				orders-0 master seq=5200 before=4200 serving had=5000
				orders-1 ->orders-0 seq=5100 attached up behind=10m priority=0 had=3999`,
			want: `
				label orders-1 replica
				set orders-1 map[slave-priority:100]
				= node orders-1 role=replica link=up attached=true
				= event ReplicaCaughtUp`,
		},
		{
			name: "not before it has what the master had when it was found lagging",
			given: `
				record orders-0
				orders-0 master seq=5200 before=4200 serving had=5000
				orders-1 ->orders-0 seq=4900 attached up behind=10m priority=0 had=3999`,
			want: `
				= node orders-1 role= link=lagging attached=true`,
		},
		{
			name: "it does not succeed its master while another member is missing",
			given: `
				record orders-0
				outage MasterDown 60s
				orders-0 down for=60s had=5000
				orders-1 ->orders-0 seq=3999 attached behind=10m priority=0
				orders-2 down for=60s had=4990`,
			want: `
				= PrimaryAvailable False WaitingForMembers
				= node orders-1 role= link=down attached=true`,
		},
		{
			name: "it takes no place over, and no pod leaves, while it lags",
			given: `
				replicas 2
				record orders-0
				handoff orders-0
				orders-0 master seq=5000 before=4000 serving
				orders-1 ->orders-0 seq=3999 placed`,
			want: `
				label orders-1
				set orders-1 map[slave-priority:0]
				= again 1s
				= outage none`,
		},
		{
			name: "sentinels that may elect no attached member are not waited for",
			given: `
				record orders-0
				outage MasterDown 6s
				orders-0 down for=11s had=5000
				orders-1 ->orders-0 seq=3999 attached behind=10m priority=0
				watch-0 ->orders-0 odown
				watch-1 ->orders-0 odown
				watch-2 ->orders-0 odown`,
			want: `
				unmonitor watch-0
				unmonitor watch-1
				unmonitor watch-2
				= event SentinelOverruled`,
		},
	})
}

func TestBoundOfWhatAPromotionMayLose(t *testing.T) {
	run(t, []scenario{
		{
			name: "the sentinels may elect no member where the loss is bounded",
			given: `
				max-lost-writes 100
				record orders-0
				orders-0 master serving
				orders-1 ->orders-0 placed
				watch-0 ->orders-0
				watch-1 ->orders-0
				watch-2 ->orders-0`,
			want: `
				set orders-0 map[slave-priority:0]
				set orders-1 map[slave-priority:0]`,
		},
		{
			name: "so the sidecar decides as soon as they call the master down",
			given: `
				max-lost-writes 100
				record orders-0
				orders-0 down serving for=5s
				orders-1 ->orders-0 placed priority=0
				watch-0 ->orders-0 odown
				watch-1 ->orders-0 odown
				watch-2 ->orders-0`,
			want: `
				label orders-0
				detach orders-0
				unmonitor watch-0
				unmonitor watch-1
				unmonitor watch-2
				= event SentinelOverruled`,
		},
		{
			name: "a promotion that would lose more waits and says so",
			given: `
				max-lost-writes 100
				record orders-0
				outage MasterDown 6s
				orders-0 down for=11s had=5000 stopped
				orders-1 ->orders-0 seq=4899 placed`,
			want: `
				= outage MasterDown orders-0 seq=4899
				= PrimaryAvailable False WouldLoseWrites
				= PrimaryAvailable: orders-1, which has the most data, lacks 101 writes that orders-0 had, more than spec.failover.maxLostWrites (100) allows; bring the pod of orders-0 back with its volume, or raise the field`,
		},
		{
			name: "one that loses as much as it may goes ahead",
			given: `
				max-lost-writes 101
				record orders-0
				outage MasterDown 6s
				orders-0 down for=11s had=5000 stopped
				orders-1 ->orders-0 seq=4899 placed`,
			want: `
				promote orders-1`,
		},
		{
			name: "what the master said last counts more than what was reported of it",
			given: `
				max-lost-writes 101
				record orders-0
				outage MasterDown 6s
				orders-0 down for=11s seq=5001 had=3000 stopped
				orders-1 ->orders-0 seq=4899 placed`,
			want: `
				= PrimaryAvailable False WouldLoseWrites`,
		},
		{
			name: "a master that comes back with less waits as well",
			given: `
				max-lost-writes 100
				record orders-0
				orders-0 self seq=4000 had=5000 serving
				orders-1 self seq=3000 had=5000`,
			want: `
				label orders-0
				detach orders-0
				= PrimaryAvailable False WouldLoseWrites`,
		},
	})
}

// TestReportOfALagIsStable holds what the report of a member that lags says while only the figures move.
func TestReportOfALagIsStable(t *testing.T) {
	in := parse(t, `
		record orders-0
		orders-0 master seq=2500000 before=100 serving
		orders-1 ->orders-0 seq=1000000 placed`)
	first := plan.Standard(in)
	in.Topology.Status = first.Status
	pod := in.Pods["orders-1"]
	pod.Role = ""
	in.Pods["orders-1"] = pod
	for range 5 {
		in.Now = in.Now.Add(time.Second)
		master, replica := in.Nodes["orders-0"], in.Nodes["orders-1"]
		master.Sequence += 100_000
		replica.Sequence += 90_000
		replica.Priority = 0
		in.Nodes["orders-0"], in.Nodes["orders-1"] = master, replica
		p := plan.Standard(in)
		assert.Empty(t, p.Actions)
		assert.Empty(t, p.Events)
		assert.True(t, report.Same(first.Status, p.Status))
	}
}
