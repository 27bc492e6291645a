package plan_test

import "testing"

func TestPlacingTheReplicasOfAShard(t *testing.T) {
	runCluster(t, []scenario{
		{
			name: "one that has restarted is cut off and told the record",
			given: `
				0-0 master serving
				0-1 self attached label=replica insync`,
			want: `
				label 0-1
				detach 0-1
				push 0-1 v=7
				= intent true`,
		},
		{
			name: "and so is one that follows the master and has lost its layout",
			given: `
				0-0 master serving
				0-1 ->0-0 v=-1 placed`,
			want: `
				label 0-1
				detach 0-1
				push 0-1 v=7`,
		},
		{
			name: "it is attached when it is in sync",
			given: `
				0-0 master serving had=100
				0-1 ->0-0 seq=100 up
				0-2 ->0-0 seq=50 up`,
			want: `
				label 0-1 replica
				attach 0-1
				= ReplicationHealthy False ReplicasMissing`,
		},
		{
			name: "one that is well is told a new record without being cut off",
			given: `
				0-0 master v=6 serving
				0-1 ->0-0 v=6 placed`,
			want: `
				push 0-0 v=7
				push 0-1 v=7`,
		},
		{
			name: "other content of the same version is overruled",
			given: `
				0-0 master serving
				0-1 ->0-0 layout=stop placed
				0-2 ->0-0 id=other placed`,
			want: `
				push 0-1 v=7 force
				push 0-2 v=7 force`,
		},
		{
			name: "nodes are told of moved slots where they went to, where they came from, and then the rest",
			given: `
				migrating 0 1
				0-0 master v=6 serving sending=1-0
				0-1 ->0-0 v=6 placed
				1-0 master v=6 serving receiving
				2-0 master v=6 serving`,
			want: `
				push 1-0 v=7
				push 0-0 v=7
				push 2-0 v=7
				push 0-1 v=7`,
		},
		{
			name: "one that follows a former master is told whom to follow",
			given: `
				0-0 master serving
				0-1 ->0-2 attached label=replica up
				0-2 master v=6`,
			want: `
				push 0-1 v=7 force
				push 0-2 v=7`,
		},
	})
}

func TestMembersOfACluster(t *testing.T) {
	runCluster(t, []scenario{
		{
			name: "a new pod is added to the record, one in a pass",
			given: `
				0-0 master serving
				0-1 self empty outside
				0-2 self empty outside
				1-0 master serving
				1-1 self empty outside`,
			want: `
				add 10.96.0.1:6379 to 0-0`,
		},
		{
			name: "not before it answers",
			given: `
				0-0 master serving
				0-1 down outside`,
			want: ``,
		},
		{
			name: "nor while slots are on their way",
			given: `
				migrating 0 1
				0-0 master serving sending=1-0
				0-1 self empty outside
				1-0 master serving receiving`,
			want: ``,
		},
		{
			name: "pods that leave are removed from the record first",
			given: `
				0-0 master serving
				0-1 ->0-0 placed leaving
				0-2 ->0-0 placed leaving
				handoff 0-1 0-2`,
			want: `
				remove 0-2
				= 0 scaleTo 3`,
		},
		{
			name: "then cut off",
			given: `
				0-0 master serving
				0-1 ->0-0 placed leaving outside`,
			want: `
				label 0-1
				detach 0-1
				= 0 scaleTo 2`,
		},
		{
			name: "and then they may go",
			given: `
				0-0 master serving
				0-1 ->0-0 up leaving outside
				0-2 nopod leaving outside`,
			want: `
				= 0 node 0-1 role= link=unattached attached=false
				= 0 scaleTo 1`,
		},
		{
			name: "nobody leaves while one that stays is not well",
			given: `
				0-0 master serving
				0-1 down
				0-2 ->0-0 placed
				0-3 ->0-0 placed leaving`,
			want: `
				= 0 scaleTo 4`,
		},
		{
			name: "nor the master, which hands over first",
			given: `
				0-0 ->0-2 placed
				0-2 master named serving leaving
				handoff 0-2`,
			want: `
				push 0-2 v=7 stop force
				= 0 scaleTo 3`,
		},
		{
			name: "a node on record that is no member is removed",
			given: `
				foreign 0 10.96.9.9
				0-0 master serving
				0-1 ->0-0 placed`,
			want: `
				remove foreign`,
		},
		{
			name: "but not while a wanted pod is no member yet",
			given: `
				foreign 0 10.96.9.9
				replicas 3
				0-0 master serving
				0-1 ->0-0 placed`,
			want: ``,
		},
		{
			name: "a node that is not on record takes no traffic",
			given: `
				0-0 master serving
				0-1 ->0-0 placed outside`,
			want: `
				label 0-1
				detach 0-1
				add 10.96.0.1:6379 to 0-0`,
		},
	})
}

func TestShardsOfACluster(t *testing.T) {
	runCluster(t, []scenario{
		{
			name: "a new shard joins when every member answers",
			given: `
				slots 0 0-16383
				0-0 master serving
				1-0 self empty outside
				1-1 down outside`,
			want: `
				= PrimaryAvailable True MasterServing
				= ReplicationHealthy False Joining`,
		},
		{
			name: "without slots, the one with the most data first",
			given: `
				slots 0 0-16383
				0-0 master serving
				1-0 self empty outside
				1-1 self seq=4 outside`,
			want: `
				add shard [10.96.1.1:6379 10.96.1.0:6379]
				= event ShardAdded`,
		},
		{
			name: "a shard that leaves stays while it owns slots",
			given: `
				leaving 1
				0-0 master serving
				1-0 master serving`,
			want: `
				= 1 removable false
				= 1 scaleTo 1`,
		},
		{
			name: "it is removed from the record when it owns none",
			given: `
				leaving 1
				slots 0 0-16383
				slots 1 none
				0-0 master serving
				1-0 master serving`,
			want: `
				remove shard of 1-0
				= 1 removable false`,
		},
		{
			name: "then it is cut off and forgotten",
			given: `
				slots 0 0-16383
				0-0 master serving
				1-0 master v=6 serving
				watched
				leaving 1
				gone 1`,
			want: `
				label 1-0
				detach 1-0
				unmonitor watch-0 orders.1
				unmonitor watch-1 orders.1
				unmonitor watch-2 orders.1
				= 1 removable false
				= 1 master none`,
		},
		{
			name: "and then its pods may go",
			given: `
				slots 0 0-16383
				0-0 master serving
				1-0 master v=6 outside
				leaving 1`,
			want: `
				= 1 removable true
				= PrimaryAvailable True MasterServing`,
		},
		{
			name: "a shard that was added twice, by a call that seemed to fail, is removed once, before anything is added to it",
			given: `
				slots 0 0-16383
				slots 1 none
				0-0 master serving
				1-0 master serving
				1-1 self empty outside
				twice 1`,
			want: `
				remove shard of twice`,
		},
		{
			name: "a shard whose pods are gone and that nobody names is removed from the record",
			given: `
				slots 0 0-16383
				slots 1 none
				0-0 master serving
				1-0 nopod
				forget 1`,
			want: `
				remove shard of 1-0`,
		},
	})
}
