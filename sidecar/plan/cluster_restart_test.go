package plan_test

import "testing"

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
			name: "one that lost its layout takes no traffic until it has it again",
			given: `
				0-0 master v=-1 serving
				0-1 ->0-0 placed`,
			want: `
				label 0-0
				detach 0-0
				push 0-0 v=7`,
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
				= 0 outage MasterDown 0-0 seq=100 0-2`,
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
			name: "empty, while a pod that is not on record yet holds data, it waits until that has joined",
			given: `
				0-0 self empty
				0-1 self outside`,
			want: `
				add 10.96.0.1:6379 to 0-0
				= PrimaryAvailable False WaitingForMembers`,
		},
		{
			name: "behind, it waits while the one with more data is made reachable for kvrocks-controller",
			given: `
				0-0 self seq=80 had=100
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
				0-0 self seq=80 had=100
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
				0-0 self seq=80 had=100
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
			name: "a successor on record is not made master while it is empty and another has data",
			given: `
				outage 0 MasterDown 1s 0-1
				0-0 self seq=90 was
				0-1 ->0-0 empty v=6 attached label=replica named
				0-2 ->0-0 placed`,
			want: `
				label 0-1
				detach 0-1
				failover 0-1 -> 0-2`,
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
