package plan_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/kvrocks/kvrocks-operator/sidecar/plan"
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
	assert.True(t, plan.SameReport(p.Status, plan.Cluster(in).Status))
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
