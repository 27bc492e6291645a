package plan_test

import "testing"

func TestFirstMaster(t *testing.T) {
	run(t, []scenario{
		{
			name: "an empty instance gets its lowest ordinal as master",
			given: `
				orders-0 self empty
				orders-1 self empty
				orders-2 self empty`,
			want: `
				promote orders-0
				= PrimaryAvailable False Promoting
				= master none`,
		},
		{
			name: "a new pod is not promoted while another has not answered",
			given: `
				orders-0 self empty
				orders-1 self empty
				orders-2 nopod`,
			want: `
				= PrimaryAvailable False WaitingForMembers
				= PrimaryAvailable: no master yet: waiting for orders-2 (no pod)`,
		},
		{
			name: "members that the hooks have not listed yet are awaited",
			given: `
				replicas 3
				orders-0 self empty`,
			want: `
				= PrimaryAvailable: no master yet: waiting for 2 more pods`,
		},
		{
			name: "a member that is loading is awaited",
			given: `
				orders-0 self seq=5
				orders-1 loading`,
			want: `
				= PrimaryAvailable: no master yet: waiting for orders-1 (it is loading its database)`,
		},
		{
			name: "so is one whose volume is not told yet, or what the master wrote could be taken for another volume's",
			given: `
				orders-0 self empty stopped
				orders-1 self empty`,
			want: `
				= PrimaryAvailable: no master yet: waiting for orders-0 (its volume is not known yet)`,
		},
		{
			name: "the highest sequence wins over the lowest ordinal",
			given: `
				orders-0 self seq=7
				orders-1 self seq=9
				orders-2 self seq=9`,
			want: `
				promote orders-1`,
		},
		{
			name: "a node with data wins over an empty one with a higher sequence",
			given: `
				orders-0 self seq=3
				orders-1 self empty`,
			want: `
				promote orders-0`,
		},
		{
			name: "of equals one that may stay master is chosen",
			given: `
				handoff orders-0
				orders-0 self seq=5 priority=0
				orders-1 self seq=5`,
			want: `
				promote orders-1`,
		},
		{
			name: "a node is believed to be master only when it has the most data",
			given: `
				orders-0 master seq=3
				orders-1 self seq=9`,
			want: `
				promote orders-1`,
		},
		{
			name: "the promoted node is attached once it answers as master, and gets a first write",
			given: `
				orders-0 master empty
				orders-1 self empty`,
			want: `
				mark orders-0
				label orders-0 master
				attach orders-0
				= master orders-0
				= event MasterChosen
				= PrimaryAvailable False Attaching`,
		},
		{
			name: "replicas follow once the master is on record",
			given: `
				record orders-0
				orders-0 master serving
				orders-1 self empty
				orders-2 self empty`,
			want: `
				follow orders-1 ->orders-0
				follow orders-2 ->orders-0
				= PrimaryAvailable True MasterServing
				= ReplicationHealthy False ReplicasMissing`,
		},
		{
			name: "a running instance whose record was lost is adopted as it is",
			given: `
				orders-0 ->orders-1 seq=104 placed
				orders-1 master seq=100 serving
				orders-2 down`,
			want: `
				= master orders-1
				= event MasterChosen`,
		},
		{
			name: "sentinels that know a master from a former life forget it",
			given: `
				orders-0 self seq=5
				orders-1 self seq=3
				watch-0 ->orders-1
				watch-1 ->orders-1
				watch-2 nothing`,
			want: `
				unmonitor watch-0
				unmonitor watch-1
				promote orders-0`,
		},
		{
			name: "pods outside the topology are ignored",
			given: `
				replicas 1
				record orders-0
				orders-0 master serving`,
			want: `
				= ReplicationHealthy True NoReplicasWanted
				= SentinelAgreed True NotMonitored`,
		},
	})
}
