package plan_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan"
)

func TestPromotionByLineage(t *testing.T) {
	run(t, []scenario{
		{
			name: "an emptied database is not beaten by an older one that holds keys",
			given: `
				record orders-0
				orders-0 self seq=5000 had=5000 insync
				orders-1 self seq=5000 had=5000 insync
				orders-2 self seq=4000 had=4000`,
			want: `
				promote orders-0`,
		},
		{
			name: "the master that alone returned with all that it had is promoted again, emptied or not",
			given: `
				record orders-0
				orders-0 self seq=5000 had=5000
				orders-1 down
				orders-2 down`,
			want: `
				promote orders-0`,
		},
		{
			name: "an old copy of the master's volume is not promoted while others are missing",
			given: `
				record orders-0
				orders-0 self seq=4000 had=5000
				orders-1 down insync had=5000
				orders-2 down insync had=5000`,
			want: `
				= PrimaryAvailable False WaitingForMembers
				= node orders-1 role=replica link=unreachable attached=false
				= node orders-0 role= link=unattached attached=false`,
		},
		{
			name: "a former master with writes of its own does not beat the one that replaced it",
			given: `
				record orders-1
				orders-0 self seq=6000 had=6000
				orders-1 self seq=5500 had=5400
				orders-2 self seq=5400 had=5400 insync`,
			want: `
				promote orders-1`,
		},
		{
			name: "a new volume is not promoted while the lineage of another is known",
			given: `
				record orders-0
				orders-0 self seq=9000 had=5000 volume=x had-volume=a
				orders-1 self seq=3000 had=3000 volume=b had-volume=b`,
			want: `
				promote orders-1
				= outage ColdStart orders-0 seq=5000 orders-1`,
		},
		{
			name: "nor while another holds data of which nothing was reported yet",
			given: `
				record orders-0
				orders-0 self seq=9000 had=5000 volume=x had-volume=a
				orders-1 self seq=4990 had=0 volume=b`,
			want: `
				promote orders-1`,
		},
		{
			name: "one that was never written to holds no data",
			given: `
				record orders-0
				orders-0 self seq=9000 had=5000 volume=x had-volume=a
				orders-1 self seq=0 had=0 volume=b`,
			want: `
				promote orders-0`,
		},
		{
			name: "and not when it is alone",
			given: `
				record orders-0
				orders-0 self seq=9000 had=5000 volume=x had-volume=a
				orders-1 down insync had=5000 had-volume=b`,
			want: `
				= PrimaryAvailable False WaitingForMembers`,
		},
		{
			name: "also where none was reported of the pod that has it now",
			given: `
				record orders-0
				orders-0 self seq=4000 had=5000 volume=x had-volume=a
				orders-1 self seq=5000 had=0 volume=a`,
			want: `
				promote orders-1`,
		},
		{
			name: "volumes that have changed places are known where they are now",
			given: `
				record orders-0
				orders-0 self seq=4000 had=5000 volume=b had-volume=a
				orders-1 self seq=5000 had=4000 volume=a had-volume=b
				orders-2 down insync had=5000`,
			want: `
				promote orders-1`,
		},
		{
			name: "an old copy of another member's volume has no claim",
			given: `
				record orders-0
				orders-0 down for=60s stopped had=5000 had-volume=a
				orders-1 self seq=5000 insync had=5000 volume=b had-volume=b
				orders-2 self seq=4800 had=100 volume=b had-volume=c`,
			want: `
				promote orders-1`,
		},
		{
			name: "a pod of an older operator tells no identity, which is not another one",
			given: `
				record orders-0
				orders-0 self seq=5000 had=5000 had-volume=a
				orders-1 down`,
			want: `
				promote orders-0`,
		},
		{
			name: "nor is one that a report of an older operator does not have",
			given: `
				record orders-0
				orders-0 self seq=5000 had=5000 volume=a
				orders-1 down`,
			want: `
				promote orders-0`,
		},
		{
			name: "an answer that comes before the pod's status tells the volume is waited for",
			given: `
				record orders-0
				orders-0 self seq=5000 had=5000 had-volume=a stopped
				orders-1 self seq=5000 had=5000 volume=b had-volume=b`,
			want: `
				= PrimaryAvailable: no successor for orders-0 yet: waiting for orders-0 (its volume is not known yet)`,
		},
		{
			name: "also when a member in sync could succeed it",
			given: `
				record orders-0
				orders-0 self seq=5000 had=5000 had-volume=a stopped
				orders-1 self seq=4990 had=4990 insync volume=b had-volume=b
				orders-2 down`,
			want: `
				= event MasterDown
				= PrimaryAvailable False WaitingForMembers`,
		},
		{
			name: "but no longer than for the sentinels' word on a silent master",
			given: `
				record orders-0
				outage ColdStart 11s
				orders-0 self seq=5000 had=5000 had-volume=a stopped
				orders-1 self seq=4990 had=4990 insync volume=b had-volume=b
				orders-2 down`,
			want: `
				promote orders-1`,
		},
		{
			name: "where every volume is new the instance begins again",
			given: `
				record orders-0
				orders-0 self empty had=5000 volume=x had-volume=a
				orders-1 self empty had=5000 insync volume=y had-volume=b`,
			want: `
				promote orders-0`,
		},
		{
			name: "where nothing was reported the highest sequence is promoted",
			given: `
				orders-0 self seq=3000
				orders-1 self seq=5000`,
			want: `
				promote orders-1`,
		},
		{
			name: "a node in a full sync is in sync no more, which is on record before it is cut off",
			given: `
				record orders-0
				orders-0 down serving for=1s
				orders-1 ->orders-0 syncing attached label=replica insync`,
			want: `
				label orders-1
				detach orders-1
				= intent true
				= node orders-1 role= link=syncing attached=true`,
		},
		{
			name: "nor while it loads what it was sent",
			given: `
				record orders-0
				orders-0 down serving for=1s
				orders-1 loading attached label=replica insync`,
			want: `
				label orders-1
				detach orders-1
				= intent true
				= node orders-1 role= link=loading attached=true`,
		},
		{
			name: "the only replica is not promoted when the master dies during its full sync",
			given: `
				record orders-0
				orders-0 down for=60s stopped had=5000
				orders-1 self empty had=5000 insync`,
			want: `
				= PrimaryAvailable False WaitingForMembers`,
		},
		{
			name: "nor when its full sync began and left the old data",
			given: `
				record orders-0
				outage MasterDown 60s
				orders-0 down for=60s stopped had=5000
				orders-1 self seq=4000 had=4000`,
			want: `
				= PrimaryAvailable False WaitingForMembers`,
		},
		{
			name: "a loss is not guessed when the old master came back with another volume",
			given: `
				record orders-1
				failover orders-0 orders-1
				orders-0 self seq=150 had=100 volume=x had-volume=a
				orders-1 master serving`,
			want: `
				follow orders-0 ->orders-1
				= failover MasterDown orders-0->orders-1 detect=0 promote=0 seq=90 lost=-1`,
		},
		{
			name: "a loss of which the least was told is known when the old master is back",
			given: `
				record orders-1
				failover orders-0 orders-1 9
				orders-0 self seq=100 had=95 volume=a had-volume=a
				orders-1 master serving`,
			want: `
				follow orders-0 ->orders-1
				= intent true
				= event WritesLost
				= failover MasterDown orders-0->orders-1 detect=0 promote=0 seq=90 lost=10`,
		},
		{
			name: "it does not shrink when that came back with another volume",
			given: `
				record orders-1
				failover orders-0 orders-1 9
				orders-0 self seq=150 had=95 volume=x had-volume=a
				orders-1 master serving`,
			want: `
				follow orders-0 ->orders-1
				= failover MasterDown orders-0->orders-1 detect=0 promote=0 seq=90 lost=9`,
		},
		{
			name: "nor when that follows its successor before it was asked",
			given: `
				record orders-1
				failover orders-0 orders-1 9
				orders-0 ->orders-1 placed seq=100
				orders-1 master serving`,
			want: `
				= failover MasterDown orders-0->orders-1 detect=0 promote=0 seq=90 lost=9`,
		},
		{
			name: "the loss of an emptied master is measured as any other",
			given: `
				record orders-1
				failover orders-0 orders-1
				orders-0 self seq=107 had=100 volume=a had-volume=a
				orders-1 master serving`,
			want: `
				follow orders-0 ->orders-1
				= failover MasterDown orders-0->orders-1 detect=0 promote=0 seq=90 lost=17`,
		},
	})
}

func TestElectionAgainstLineage(t *testing.T) {
	run(t, []scenario{
		{
			name: "an elected volume that is new is fenced, and the sentinels forget it",
			given: `
				record orders-0
				outage MasterDown 3s
				orders-0 down for=8s had=100 had-volume=a
				orders-1 master seq=3 attached label=replica had=100 insync volume=x had-volume=b
				orders-2 ->orders-0 seq=100 attached label=replica had=100 insync volume=c had-volume=c
				watch-0 ->orders-1
				watch-1 ->orders-1
				watch-2 ->orders-1`,
			want: `
				label orders-1
				detach orders-1
				unmonitor watch-0
				unmonitor watch-1
				unmonitor watch-2
				= master orders-0
				= event ElectionOverruled
				= PrimaryAvailable False WaitingForMembers`,
		},
		{
			name: "then the better member is promoted",
			given: `
				record orders-0
				outage MasterDown 3s
				orders-0 down for=8s had=100 had-volume=a
				orders-1 master seq=3 had=100 insync volume=x had-volume=b
				orders-2 ->orders-0 seq=100 attached label=replica had=100 insync volume=c had-volume=c
				watch-0 nothing
				watch-1 nothing
				watch-2 nothing`,
			want: `
				promote orders-2`,
		},
		{
			name: "an elected old copy is fenced although the better member does not answer yet",
			given: `
				record orders-0
				outage MasterDown 3s
				orders-0 down for=8s had=5000
				orders-1 master seq=3000 attached label=replica had=4000 insync
				watch-0 ->orders-1
				watch-1 ->orders-1
				watch-2 ->orders-1`,
			want: `
				label orders-1
				detach orders-1
				unmonitor watch-0
				unmonitor watch-1
				unmonitor watch-2
				= master orders-0`,
		},
		{
			name: "one that was out of sync gives way to a member in sync that has more",
			given: `
				record orders-0
				outage MasterDown 3s
				orders-0 down for=8s had=5000
				orders-1 master seq=4000 attached label=replica had=4000
				orders-2 ->orders-0 seq=5000 attached label=replica had=5000 insync
				watch-0 ->orders-1
				watch-1 ->orders-1
				watch-2 ->orders-1`,
			want: `
				label orders-1
				detach orders-1
				unmonitor watch-0
				unmonitor watch-1
				unmonitor watch-2
				= event ElectionOverruled`,
		},
		{
			name: "and serves when nothing better answers; what is known to be lost is said at once",
			given: `
				record orders-0
				outage MasterDown 3s
				orders-0 down for=8s had=5000
				orders-1 master seq=70 attached label=replica had=70
				watch-0 ->orders-1
				watch-1 ->orders-1
				watch-2 ->orders-1`,
			want: `
				label orders-1 master
				= master orders-1
				= event WritesLost
				= failover MasterDown orders-0->orders-1 detect=0 promote=3000 seq=70 lost=20+`,
		},
		{
			name: "one that was out of sync waits while a member in sync answers and its volume is not known yet",
			given: `
				record orders-0
				outage MasterDown 1s
				orders-0 self seq=100 had=100 had-volume=a stopped
				orders-1 master seq=98 attached label=replica had=98 volume=b had-volume=b
				watch-0 ->orders-1
				watch-1 ->orders-1
				watch-2 ->orders-1`,
			want: `
				= PrimaryAvailable False WaitingForMembers
				= master orders-0`,
		},
		{
			name: "so it does while a member in sync answers late",
			given: `
				record orders-0
				outage MasterDown 1s
				orders-0 down for=2s had=100
				orders-1 master seq=98 attached label=replica had=98
				orders-2 hung insync placed had=100 for=300ms
				watch-0 ->orders-1
				watch-1 ->orders-1
				watch-2 ->orders-1`,
			want: `
				= PrimaryAvailable False WaitingForMembers
				= master orders-0`,
		},
		{
			name: "but not for longer than the sentinels' word on a master that is silent",
			given: `
				record orders-0
				outage MasterDown 11s
				orders-0 self seq=100 had=100 had-volume=a stopped
				orders-1 master seq=98 attached label=replica had=98 volume=b had-volume=b
				watch-0 ->orders-1
				watch-1 ->orders-1
				watch-2 ->orders-1`,
			want: `
				label orders-1 master
				= master orders-1`,
		},
		{
			name: "an elected member in sync serves",
			given: `
				record orders-0
				outage MasterDown 3s
				orders-0 down for=8s had=100 had-volume=a
				orders-1 master seq=100 attached label=replica had=100 insync volume=b had-volume=b
				watch-0 ->orders-1
				watch-1 ->orders-1
				watch-2 ->orders-1`,
			want: `
				label orders-1 master
				= master orders-1`,
		},
	})
}

func TestClusterLineage(t *testing.T) {
	runCluster(t, []scenario{
		{
			name: "a volume that remembers the place on record comes before a foreign one with more writes, also before anything was reported of it",
			given: `
				0-0 self seq=9000 had=5000 had-volume=a volume=x
				0-1 self seq=4000 had=0 volume=b remembers`,
			want: `
				push 0-1 v=7 stranded`,
		},
		{
			name: "an emptied master is made master again although an older member holds keys",
			given: `
				0-0 self seq=5000 had=5000
				0-1 self seq=4000 had=4000`,
			want: `
				push 0-0 v=7`,
		},
		{
			name: "also when it is alone",
			given: `
				0-0 self seq=5000 had=5000
				0-1 down`,
			want: `
				push 0-0 v=7`,
		},
		{
			name: "with an old copy of its volume it waits",
			given: `
				0-0 self seq=4000 had=5000
				0-1 down insync had=5000`,
			want: `
				= PrimaryAvailable False WaitingForMembers`,
		},
		{
			name: "what kvrocks-controller made master on a new volume is replaced by the member that was in sync",
			given: `
				0-0 down was for=8s had=100 had-volume=a
				0-1 master named seq=3 attached label=replica had=100 insync volume=x had-volume=b
				0-2 ->0-0 seq=100 placed had=100 volume=c had-volume=c`,
			want: `
				label 0-1
				detach 0-1
				failover 0-1 -> 0-2
				= event ElectionOverruled`,
		},
		{
			name: "one that was out of sync waits while a member in sync answers and its volume is not known yet",
			given: `
				outage 0 MasterDown 1s
				0-0 self was seq=100 had=100 had-volume=a stopped
				0-1 ->0-0 named seq=98 attached label=replica had=98 volume=b had-volume=b`,
			want: `
				label 0-1
				detach 0-1
				= PrimaryAvailable False WaitingForMembers`,
		},
		{
			name: "a full sync ends the standing of a replica",
			given: `
				0-0 down serving for=1s
				0-1 ->0-0 syncing attached label=replica insync`,
			want: `
				label 0-1
				detach 0-1
				= intent true
				= 0 node 0-1 role= link=syncing attached=true`,
		},
		{
			name: "the only replica is not made master when the master dies during its full sync",
			given: `
				0-0 down for=60s stopped had=5000
				0-1 self empty had=5000 insync`,
			want: `
				= PrimaryAvailable False WaitingForMembers`,
		},
	})
}

// TestVolumeOnRecord: the identity of a volume is reported with the role that its node is proved to have.
func TestVolumeOnRecord(t *testing.T) {
	given := `
		record orders-0
		orders-0 master serving volume=a
		orders-1 ->orders-0 placed volume=b had-volume=was
		orders-2 ->orders-0 syncing seq=3 volume=c had-volume=old`
	volumes := map[string]string{}
	for _, n := range plan.Standard(parse(t, given)).Status.Shards[0].Nodes {
		volumes[n.Pod] = n.Volume
	}
	assert.Equal(t, map[string]string{"orders-0": "a", "orders-1": "b", "orders-2": "old"}, volumes)
}

// TestLineageOfAVolumeThatIsNotReadYet: what a pod answers before its status tells the volume is not attributed to the volume
// that the pod had.
func TestLineageOfAVolumeThatIsNotReadYet(t *testing.T) {
	in := parse(t, `
		record orders-0
		outage MasterDown 3s
		orders-0 self seq=70 had=50 had-volume=a stopped
		orders-1 down had=50 had-volume=b`)
	node := plan.Standard(in).Status.Shards[0].Nodes[0]
	assert.Equal(t, int64(50), node.Sequence)
	assert.Equal(t, "a", node.Volume)
	assert.Equal(t, v1alpha1.RoleMaster, node.Role)
}
