package plan_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/kvrocks/kvrocks-operator/sidecar/plan"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/report"
)

const settledCluster = `
	0-0 master serving
	0-1 ->0-0 placed
	1-0 master serving
	1-1 ->1-0 placed
	2-0 master serving
	2-1 ->2-0 placed
	watched`

func TestASettledClusterPlansNothing(t *testing.T) {
	in := parseCluster(t, settledCluster)
	p := plan.Cluster(in)
	assert.Empty(t, p.Actions)
	assert.Empty(t, p.Events)
	assert.Zero(t, p.Again)
	in.Topology.Status = p.Status
	assert.True(t, report.Same(p.Status, plan.Cluster(in).Status))
	assert.Subset(t, clusterFacts(p), []string{
		"PrimaryAvailable True MasterServing", "ReplicationHealthy True ReplicasLinked", "SentinelAgreed True Agreed",
		"layout 7", "0 slots [0-5460]", "1 slots [5461-10921]", "2 slots [10922-16383]", "0 scaleTo 2",
	})
}

func TestCreatingACluster(t *testing.T) {
	runCluster(t, []scenario{
		{
			name: "everybody must answer first",
			given: `
				controller none
				0-0 self empty
				0-1 self empty
				1-0 self empty
				1-1 down`,
			want: `
				= PrimaryAvailable False WaitingForMembers
				= PrimaryAvailable: the cluster is created when every member answers: waiting for shard 1: orders-1-1 (it does not answer)`,
		},
		{
			name: "and kvrocks-controller",
			given: `
				controller none
				controller down
				reported 0
				0-0 self empty
				1-0 self empty`,
			want: `
				= PrimaryAvailable False ControllerUnavailable`,
		},
		{
			name: "the record is made of all members, the one with the most data first",
			given: `
				controller none
				0-0 self empty
				0-1 self seq=5
				1-0 self empty
				1-1 self empty`,
			want: `
				create [[10.96.0.1:6379 10.96.0.0:6379] [10.96.1.0:6379 10.96.1.1:6379]]
				= event SlotsAssumed
				= event ClusterCreated
				= PrimaryAvailable False Creating`,
		},
		{
			name: "the masters are made so by telling them the record",
			given: `
				0-0 self empty was=none
				0-1 self empty
				1-0 self empty
				1-1 self empty`,
			want: `
				push 0-0 v=7
				push 1-0 v=7
				= PrimaryAvailable False Promoting`,
		},
		{
			name: "and are attached when they say so",
			given: `
				0-0 master empty
				0-1 self empty
				1-0 self empty
				1-1 self empty`,
			want: `
				mark 0-0
				label 0-0 master
				attach 0-0
				push 1-0 v=7
				push 0-1 v=7`,
		},
	})
}

func TestTheClusterPlanLeavesItsInputAlone(t *testing.T) {
	for _, given := range []string{settledCluster, `
		outage 0 Handover 6s 0-1
		failover 0-2 0-0
		0-0 master layout=stop serving
		0-1 hung attached label=replica
		0-2 self seq=107 insync
		1-0 self empty outside`} {
		in := parseCluster(t, given)
		topology, record := in.Topology.DeepCopy(), *in.Controller.Record
		plan.Cluster(in)
		assert.Equal(t, topology, in.Topology)
		assert.Equal(t, record, *in.Controller.Record)
	}
}

func TestAPlanForManyShardsIsWordedShortly(t *testing.T) {
	var given strings.Builder
	for i := range 100 {
		fmt.Fprintf(&given, "%d-0 down serving for=9s\n%d-1 ->%d-0 placed\n", i, i, i)
	}
	p := plan.Cluster(parseCluster(t, given.String()))
	for _, c := range p.Status.Conditions {
		assert.Less(t, len(c.Message), 400, c.Type)
	}
}

// manyShards is a settled cluster of n shards with three pods each, watched by three sentinels.
func manyShards(n int) string {
	var given strings.Builder
	for i := range n {
		fmt.Fprintf(&given, "%d-0 master serving\n%d-1 ->%d-0 placed\n%d-2 ->%d-0 placed\n", i, i, i, i, i)
	}
	return given.String() + "watched\n"
}

// BenchmarkClusterSettled is one pass of a settled cluster of 100 shards and three sentinels; at most 1 ms.
func BenchmarkClusterSettled(b *testing.B) {
	for _, n := range []int{3, 100} {
		b.Run(fmt.Sprintf("shards=%d", n), func(b *testing.B) {
			in := parseCluster(&testing.T{}, manyShards(n))
			in.Topology.Status = plan.Cluster(in).Status
			b.ReportAllocs()
			for b.Loop() {
				if p := plan.Cluster(in); len(p.Actions) > 0 {
					b.Fatalf("a settled cluster plans %v", p.Actions)
				}
			}
		})
	}
}
