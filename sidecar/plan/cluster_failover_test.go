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
				0-0 hung serving was for=5s
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
			name: "also when the old master hangs and may wake at any time",
			given: `
				0-0 hung v=6 serving was
				0-1 ->0-0 v=6 placed named`,
			want: `
				label 0-0
				detach 0-0
				push 0-1 v=7`,
		},
		{
			name: "but not when neither was in sync and another has more, before the new one takes writes",
			given: `
				0-0 down serving was v=6 for=6s
				0-1 ->0-0 seq=95 had=95 v=6 attached label=replica named
				0-2 ->0-0 seq=99 had=99 v=6 attached label=replica`,
			want: `
				label 0-0
				detach 0-0
				label 0-1
				detach 0-1
				failover 0-1 -> 0-2
				push 0-2 v=7
				= event ElectionOverruled`,
		},
		{
			name: "also when it answers as master already, and no client reaches it",
			given: `
				0-0 down serving was v=6 for=6s
				0-1 master seq=95 had=95 named
				0-2 ->0-0 seq=99 had=99 v=6 attached label=replica`,
			want: `
				label 0-0
				detach 0-0
				failover 0-1 -> 0-2
				push 0-2 v=7
				= event ElectionOverruled`,
		},
		{
			name: "nor while another that may have more has not told its volume yet; clients do not reach it meanwhile",
			given: `
				0-0 down serving was v=6 for=6s
				0-1 ->0-0 seq=95 had=95 v=6 attached label=replica named
				0-2 self seq=99 had=99 v=6 stopped`,
			want: `
				label 0-0
				detach 0-0
				label 0-1
				detach 0-1
				= PrimaryAvailable False WaitingForMembers`,
		},
		{
			name: "or the new one is silent as well",
			given: `
				0-0 hung serving was
				0-1 hung attached label=replica named
				0-2 ->0-1 placed`,
			want: `
				label 0-0
				detach 0-0
				= PrimaryAvailable False MasterDown`,
		},
		{
			name: "one that it may have made master in between is fenced while it hangs",
			given: `
				0-0 self was v=-1
				0-1 hung attached label=replica
				0-2 ->0-1 v=6 attached label=replica named`,
			want: `
				label 0-1
				detach 0-1
				push 0-2 v=7`,
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
