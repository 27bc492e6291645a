package plan_test

import "testing"

func TestReplacingTheMasterOfAShard(t *testing.T) {
	runCluster(t, []scenario{
		{
			name: "a silent master is no outage until a sentinel says that the quorum finds it down",
			given: `
				0-0 down serving for=20s
				0-1 ->0-0 placed
				0-2 ->0-0 placed
				watched`,
			want: `
				= PrimaryAvailable False MasterDown
				= 0 outage none`,
		},
		{
			name: "then it is fenced, and the replica in sync with the highest sequence is made master on record",
			given: `
				0-0 down serving for=5s
				0-1 ->0-0 seq=95 placed
				0-2 ->0-0 seq=97 placed
				1-0 master serving
				watched
				odown 0`,
			want: `
				label 0-0
				detach 0-0
				failover 0-0 -> 0-2
				= intent true
				= event MasterDown
				= 0 outage MasterDown 0-0 seq=97 0-2
				= PrimaryAvailable False Promoting
				= PrimaryAvailable: shard 0: orders-0-2 is to be master`,
		},
		{
			name: "a pod that is about to go is chosen only when it has more data",
			given: `
				0-0 down serving for=5s
				0-1 ->0-0 placed
				0-2 ->0-0 placed
				handoff 0-1
				watched
				odown 0`,
			want: `
				label 0-0
				detach 0-0
				failover 0-0 -> 0-2`,
		},
		{
			name: "without sentinels the sidecar goes by what it sees, once a majority answers",
			given: `
				0-0 down serving for=6s
				0-1 ->0-0 placed
				0-2 ->0-0 placed`,
			want: `
				label 0-0
				detach 0-0
				failover 0-0 -> 0-1`,
		},
		{
			name: "and does nothing when it may be cut off itself",
			given: `
				0-0 down serving for=6s
				0-1 down placed
				0-2 ->0-0 placed`,
			want: `
				label 0-0
				detach 0-0
				= PrimaryAvailable False WaitingForMembers`,
		},
		{
			name: "nor before down-after",
			given: `
				0-0 down serving for=4s
				0-1 ->0-0 placed
				0-2 ->0-0 placed`,
			want: `
				= PrimaryAvailable False MasterDown`,
		},
		{
			name: "a replica that is not in sync is not chosen",
			given: `
				0-0 down serving for=5s
				0-1 ->0-0 seq=50 had=100 attached label=replica insync
				0-2 ->0-0 syncing
				watched
				odown 0`,
			want: `
				label 0-0
				detach 0-0
				= PrimaryAvailable False WaitingForMembers`,
		},
		{
			name: "the new master on record is told so, before everybody else",
			given: `
				outage 0 MasterDown 1s 0-1
				0-0 down v=6 was
				0-1 ->0-0 v=6 named placed
				0-2 ->0-0 v=6 placed
				1-0 master v=6 serving
				watched`,
			want: `
				push 0-1 v=7
				push 1-0 v=7
				push 0-2 v=7`,
		},
		{
			name: "and when it is master, clients and sentinels are led to it",
			given: `
				outage 0 MasterDown 1s 0-1
				0-0 down was
				0-1 master named attached label=replica
				0-2 ->0-1 placed
				watched
				watches 0 0-0`,
			want: `
				label 0-1 master
				= 0 master 0-1
				= 0 outage none
				= event MasterReplaced
				= failover MasterDown orders-0-0->orders-0-1 detect=0 promote=1000 seq=90 lost=unknown`,
		},
		{
			name: "the sentinels are led to the new master although they try to replace the old one for ever",
			given: `
				0-0 self
				0-1 master named serving
				watched
				watches 0 0-0
				odown 0`,
			want: `
				push 0-0 v=7
				remonitor watch-0 orders.0 ->10.96.0.1
				remonitor watch-1 orders.0 ->10.96.0.1
				remonitor watch-2 orders.0 ->10.96.0.1`,
		},
		{
			name: "what kvrocks-controller decided on its own is followed, the old master first",
			given: `
				0-0 hung serving was
				0-1 master named attached label=replica
				0-2 ->0-1 placed`,
			want: `
				label 0-0
				detach 0-0
				label 0-1 master
				= 0 master 0-1
				= event MasterReplaced`,
		},
		{
			name: "a failed attempt is made again, with whoever is best then",
			given: `
				outage 0 MasterDown 2s 0-2
				0-0 down
				0-1 ->0-0 placed
				0-2 down placed
				watched
				odown 0`,
			want: `
				label 0-2
				detach 0-2
				failover 0-0 -> 0-1
				= 0 outage MasterDown 0-0 seq=100 0-1`,
		},
		{
			name: "a failover that kvrocks-controller cannot do now waits and is reported",
			given: `
				controller down
				0-0 down serving for=5s
				0-1 ->0-0 placed
				watched
				odown 0`,
			want: `
				label 0-0
				detach 0-0
				= PrimaryAvailable False ControllerUnavailable
				= 0 outage MasterDown 0-0 seq=100`,
		},
		{
			name: "what the old master had alone is measured before it is told to follow",
			given: `
				failover 0-0 0-1
				0-0 self seq=107
				0-1 master named serving
				watched`,
			want: `
				push 0-0 v=7
				= intent true
				= event WritesLost
				= failover MasterDown orders-0-0->orders-0-1 detect=0 promote=0 seq=90 lost=17`,
		},
	})
}

func TestAMasterThatHasRestarted(t *testing.T) {
	runCluster(t, []scenario{
		{
			name: "with all its data it is made master again",
			given: `
				0-0 self attached label=master
				0-1 ->0-0 placed
				watched
				odown 0`,
			want: `
				label 0-0
				detach 0-0
				push 0-0 v=7
				= PrimaryAvailable False Promoting`,
		},
		{
			name: "empty, it is replaced although the sentinels have not noticed",
			given: `
				0-0 self empty
				0-1 ->0-0 seq=99 placed
				0-2 ->0-0 placed
				watched`,
			want: `
				failover 0-0 -> 0-2
				= intent true
				= 0 outage ColdStart 0-0 seq=100 0-2`,
		},
		{
			name: "empty and alone, it waits for those who may have data",
			given: `
				0-0 self empty
				0-1 down
				0-2 nopod
				watched`,
			want: `
				= PrimaryAvailable False WaitingForMembers`,
		},
		{
			name: "behind, it waits while the one with more data is made reachable for kvrocks-controller",
			given: `
				0-0 self seq=80
				0-1 self seq=100
				0-2 self seq=90`,
			want: `
				push 0-1 v=7 stranded
				= intent true`,
		},
		{
			name: "which is attached then",
			given: `
				outage 0 ColdStart 1s
				0-0 self seq=80
				0-1 dead seq=100
				0-2 self seq=90`,
			want: `
				label 0-1 replica
				attach 0-1`,
		},
		{
			name: "and made master on record",
			given: `
				outage 0 ColdStart 1s
				0-0 self seq=80
				0-1 dead seq=100 attached label=replica
				0-2 self seq=90`,
			want: `
				failover 0-0 -> 0-1`,
		},
		{
			name: "while kvrocks-controller is away, a replica can vouch for it",
			given: `
				controller down
				0-0 self
				0-1 ->0-0 placed
				0-2 down`,
			want: `
				push 0-0 v=7`,
		},
		{
			name: "and when nobody can, everybody must answer",
			given: `
				controller down
				0-0 self
				0-1 self
				0-2 down`,
			want: `
				= PrimaryAvailable False ControllerUnavailable`,
		},
		{
			name: "it is not made master again while a failover may have been recorded by a kvrocks-controller that is away",
			given: `
				controller down
				outage 0 MasterDown 1s 0-1
				0-0 self
				0-1 ->0-0 placed`,
			want: `
				= PrimaryAvailable False ControllerUnavailable`,
		},
		{
			name: "a hung master that wakes before it was replaced goes on, and the outage ends",
			given: `
				outage 0 MasterDown 2s
				0-0 master
				0-1 ->0-0 placed
				watched`,
			want: `
				label 0-0 master
				attach 0-0
				= event MasterReturned
				= 0 outage none`,
		},
		{
			name: "an empty successor is not made master while others have data",
			given: `
				outage 0 MasterDown 1s 0-1
				0-0 self was
				0-1 self empty named
				0-2 ->0-0 placed`,
			want: `
				push 0-0 v=7 stranded`,
		},
	})
}
