package plan_test

import "testing"

func TestFailoverBySentinel(t *testing.T) {
	run(t, []scenario{
		{
			name: "a silent master is no outage until the quorum says so",
			given: `
				record orders-0
				orders-0 down serving for=4s
				orders-1 ->orders-0 placed
				orders-2 ->orders-0 placed
				watch-0 ->orders-0
				watch-1 ->orders-0
				watch-2 ->orders-0`,
			want: `
				= PrimaryAvailable False MasterDown
				= outage none`,
		},
		{
			name: "+odown fences the master and is put on record first",
			given: `
				record orders-0
				orders-0 down serving for=5s
				orders-1 ->orders-0 seq=95 placed
				orders-2 ->orders-0 seq=93 placed
				watch-0 ->orders-0 odown
				watch-1 ->orders-0
				watch-2 ->orders-0`,
			want: `
				label orders-0
				detach orders-0
				= intent true
				= event MasterDown
				= outage MasterDown orders-0 seq=95
				= PrimaryAvailable False SentinelElecting`,
		},
		{
			name: "a replica that the sentinels promote on demand is left to them while they do it",
			given: `
				record orders-0
				orders-0 master seq=95 serving
				orders-1 master seq=95 attached label=replica
				orders-2 ->orders-0 seq=95 placed
				watch-0 ->orders-0 electing
				watch-1 ->orders-0
				watch-2 ->orders-0`,
			want: ``,
		},
		{
			name: "a failover among sentinels that take another address for the master's fences a silent master too",
			given: `
				record orders-0
				orders-0 hung serving for=1s
				orders-1 ->orders-0 placed
				orders-2 ->orders-0 placed
				watch-0 ->orders-1 odown electing
				watch-1 ->orders-1 odown
				watch-2 ->orders-0`,
			want: `
				label orders-0
				detach orders-0
				= intent true`,
		},
		{
			name: "the sidecar waits for the election",
			given: `
				record orders-0
				outage MasterDown 2s
				orders-0 hung for=7s
				orders-1 ->orders-0 placed
				watch-0 ->orders-0 odown electing
				watch-1 ->orders-0 odown
				watch-2 ->orders-0 odown`,
			want: `
				= PrimaryAvailable False SentinelElecting`,
		},
		{
			name: "the elected master gets the label, and the journal says what it took",
			given: `
				record orders-0
				outage MasterDown 3s
				orders-0 down for=8s
				orders-1 master seq=96 attached label=replica
				orders-2 ->orders-0 seq=90 attached label=replica
				watch-0 ->orders-0 electing
				watch-1 ->orders-1
				watch-2 ->orders-1`,
			want: `
				label orders-1 master
				= master orders-1
				= outage none
				= event MasterReplaced
				= failover MasterDown orders-0->orders-1 detect=0 promote=3000 seq=90 lost=unknown`,
		},
		{
			name: "what a replica still gets from a fenced master is no loss",
			given: `
				record orders-0
				outage MasterDown 1s
				orders-0 hung for=1s
				orders-1 ->orders-0 seq=570 attached label=replica
				orders-2 ->orders-0 seq=560 attached label=replica
				watch-0 ->orders-0 odown electing
				watch-1 ->orders-0 odown
				watch-2 ->orders-0 odown`,
			want: `
				= outage MasterDown orders-0 seq=570
				= PrimaryAvailable False SentinelElecting`,
		},
		{
			name: "what a replica gets from the elected master is new",
			given: `
				record orders-0
				outage MasterDown 1s
				orders-0 down for=3s
				orders-1 down for=1s attached label=replica
				orders-2 ->orders-1 seq=130 attached label=replica
				watch-0 ->orders-0 odown electing
				watch-1 ->orders-0 odown
				watch-2 ->orders-0 odown`,
			want: `
				= outage MasterDown orders-0 seq=90
				= PrimaryAvailable False SentinelElecting`,
		},
		{
			name: "an election that this process did not see is followed all the same, the old master first",
			given: `
				record orders-0
				orders-0 master serving
				orders-1 master attached label=replica
				watch-0 ->orders-1
				watch-1 ->orders-1
				watch-2 ->orders-0`,
			want: `
				label orders-0
				detach orders-0
				label orders-1 master
				= master orders-1`,
		},
		{
			name: "what the old master had alone is measured before it is pointed at its successor",
			given: `
				record orders-1
				failover orders-0 orders-1
				orders-0 self seq=107
				orders-1 master serving`,
			want: `
				follow orders-0 ->orders-1
				= intent true
				= event WritesLost
				= failover MasterDown orders-0->orders-1 detect=0 promote=0 seq=90 lost=17`,
		},
		{
			name: "a loss that can no longer be measured is marked",
			given: `
				record orders-1
				failover orders-0 orders-1
				orders-0 self empty
				orders-1 master serving`,
			want: `
				follow orders-0 ->orders-1
				= failover MasterDown orders-0->orders-1 detect=0 promote=0 seq=90 lost=-1`,
		},
		{
			name: "a hung master that wakes while most sentinels have not heard yet that it was replaced is not put back",
			given: `
				record orders-0
				failover orders-1 orders-0
				orders-0 master serving
				orders-1 master
				watch-0 ->orders-0
				watch-1 ->orders-1
				watch-2 ->orders-1`,
			want: `
				remonitor watch-1 ->orders-0 quorum=2
				remonitor watch-2 ->orders-0 quorum=2
				follow orders-1 ->orders-0
				drop orders-1
				= master orders-0`,
		},
		{
			name: "a hung master that wakes after it was replaced follows at once",
			given: `
				record orders-1
				orders-0 master seq=120
				orders-1 master serving`,
			want: `
				follow orders-0 ->orders-1
				drop orders-0`,
		},
		{
			name: "a hung master that wakes before it was replaced waits for the election",
			given: `
				record orders-0
				outage MasterDown 1s
				orders-0 master
				orders-1 ->orders-0 placed
				watch-0 ->orders-0 odown electing
				watch-1 ->orders-0 odown
				watch-2 ->orders-0 odown`,
			want: `
				= PrimaryAvailable False SentinelElecting`,
		},
		{
			name: "a master that is back serves again when the election came to nothing",
			given: `
				record orders-0
				outage MasterDown 16s
				orders-0 master
				orders-1 ->orders-0 placed
				watch-0 ->orders-0 odown
				watch-1 ->orders-0 odown
				watch-2 ->orders-0 odown`,
			want: `
				label orders-0 master
				attach orders-0
				= outage none
				= event MasterReturned`,
		},
		{
			name: "a master that the sentinels begin to replace is fenced though it answers",
			given: `
				record orders-0
				orders-0 master serving
				orders-1 ->orders-0 placed
				watch-0 ->orders-0 odown electing
				watch-1 ->orders-0 odown
				watch-2 ->orders-0 odown`,
			want: `
				label orders-0
				detach orders-0
				= intent true`,
		},
		{
			name: "sentinels with an old password are given the new one, and their verdict is not believed",
			given: `
				record orders-0
				orders-0 master serving
				orders-1 ->orders-0 placed
				watch-0 ->orders-0 odown electing stale-auth
				watch-1 ->orders-0 odown stale-auth
				watch-2 ->orders-0 odown stale-auth`,
			want: `
				tune watch-0 quorum=2
				tune watch-1 quorum=2
				tune watch-2 quorum=2
				= PrimaryAvailable True MasterServing`,
		},
		{
			name: "a loading master is waited for",
			given: `
				record orders-0
				orders-0 loading attached for=60s
				orders-1 ->orders-0 placed`,
			want: `
				= PrimaryAvailable False MasterDown
				= PrimaryAvailable: orders-0 cannot serve yet (it is loading its database)`,
		},
		{
			name: "one sentinel's word suffices when the member it names is attached and master",
			given: `
				record orders-0
				outage MasterDown 1s
				orders-0 down
				orders-1 master attached label=replica
				watch-0 ->orders-1
				watch-1 ->orders-0 odown
				watch-2 ->orders-0 odown`,
			want: `
				label orders-1 master
				= master orders-1`,
		},
		{
			name: "the word of the sentinels alone, without the node's own, makes nobody master",
			given: `
				record orders-0
				orders-0 self seq=100
				orders-1 hung attached label=replica
				watch-0 ->orders-1
				watch-1 ->orders-1
				watch-2 ->orders-1`,
			want: `
				= master orders-0
				= PrimaryAvailable False SentinelElecting`,
		},
		{
			name: "a member that a vanished sentinel promoted is cut off",
			given: `
				record orders-0
				outage MasterDown 4s
				orders-0 down
				orders-1 master attached label=replica
				orders-2 ->orders-0 placed
				watch-0 ->orders-0 odown
				watch-1 ->orders-0 odown
				watch-2 nothing`,
			want: `
				label orders-1
				detach orders-1`,
		},
		{
			name: "when no election can succeed the sentinels are made to forget before anyone is promoted",
			given: `
				record orders-0
				outage MasterDown 46s
				orders-0 down for=60s
				orders-1 ->orders-0 placed
				orders-2 ->orders-0 placed
				watch-0 ->orders-0 odown
				watch-1 ->orders-0 odown
				watch-2 ->orders-0 odown`,
			want: `
				unmonitor watch-0
				unmonitor watch-1
				unmonitor watch-2
				= event SentinelOverruled`,
		},
		{
			name: "sentinels that cannot be asked might elect, so nobody else is promoted",
			given: `
				record orders-0
				outage MasterDown 60s
				orders-0 down for=70s
				orders-1 ->orders-0 placed
				watch-0 ->orders-0 odown
				watch-1 down
				watch-2 down`,
			want: `
				= SentinelAgreed False QuorumLost
				= PrimaryAvailable False SentinelElecting`,
		},
	})
}

func TestFailoverWithoutSentinel(t *testing.T) {
	run(t, []scenario{
		{
			name: "a master is given down-after to answer",
			given: `
				record orders-0
				orders-0 hung serving for=4s
				orders-1 ->orders-0 placed
				orders-2 ->orders-0 placed`,
			want: `
				= PrimaryAvailable False MasterDown`,
		},
		{
			name: "then it is fenced and the replica with the most data promoted, on record first",
			given: `
				record orders-0
				orders-0 hung serving for=6s
				orders-1 ->orders-0 seq=90 placed
				orders-2 ->orders-0 seq=95 placed`,
			want: `
				label orders-0
				detach orders-0
				promote orders-2
				= intent true
				= outage MasterDown orders-0 seq=95 orders-2`,
		},
		{
			name: "the promoted replica takes over when it answers as master",
			given: `
				record orders-0
				outage MasterDown 1s orders-2
				orders-0 hung for=6s
				orders-1 ->orders-0 seq=90 placed
				orders-2 master seq=95 attached label=replica`,
			want: `
				label orders-2 master
				= master orders-2
				= failover MasterDown orders-0->orders-2 detect=0 promote=1000 seq=90 lost=unknown`,
		},
		{
			name: "a sidecar that reaches no majority promotes nobody",
			given: `
				record orders-0
				orders-0 down serving for=60s
				orders-1 down attached label=replica for=60s insync
				orders-2 ->orders-0 placed`,
			want: `
				label orders-0
				detach orders-0
				= PrimaryAvailable False WaitingForMembers`,
		},
		{
			name: "an instance that was emptied fails over as any other",
			given: `
				record orders-0
				outage MasterDown 60s
				orders-0 down for=60s
				orders-1 self insync seq=90
				orders-2 self insync seq=89`,
			want: `
				promote orders-1`,
		},
		{
			name: "members that were never written to are not promoted while another is missing",
			given: `
				record orders-0
				outage MasterDown 60s
				orders-0 down for=60s
				orders-1 self insync empty
				orders-2 self insync empty`,
			want: `
				= PrimaryAvailable False WaitingForMembers`,
		},
		{
			name: "a member that is not in sync does not succeed while another is missing",
			given: `
				record orders-0
				outage MasterDown 60s
				orders-0 down for=60s
				orders-1 self seq=50
				orders-2 self seq=40`,
			want: `
				= PrimaryAvailable False WaitingForMembers`,
		},
		{
			name: "a member in sync that came back with less than it had is not in sync any more",
			given: `
				record orders-0
				outage MasterDown 60s
				orders-0 down for=60s
				orders-1 self seq=50 insync had=100
				orders-2 self seq=40`,
			want: `
				= PrimaryAvailable False WaitingForMembers`,
		},
		{
			name: "a member in sync that restarted succeeds",
			given: `
				record orders-0
				outage MasterDown 60s
				orders-0 down for=60s
				orders-1 self seq=100 insync
				orders-2 self seq=40`,
			want: `
				promote orders-1`,
		},
		{
			name: "when everybody is known the most data wins",
			given: `
				record orders-0
				orders-0 self empty
				orders-1 self seq=50
				orders-2 self seq=40`,
			want: `
				promote orders-1
				= outage ColdStart orders-0 seq=0 orders-1`,
		},
		{
			name: "of two the second takes over when Kubernetes says that the master is gone",
			given: `
				record orders-0
				orders-0 down serving stopped for=6s
				orders-1 ->orders-0 placed`,
			want: `
				label orders-0
				detach orders-0
				promote orders-1`,
		},
		{
			name: "of two the second does not take over from a master that only does not answer",
			given: `
				record orders-0
				orders-0 hung serving for=60s
				orders-1 ->orders-0 placed`,
			want: `
				label orders-0
				detach orders-0
				= PrimaryAvailable False WaitingForMembers`,
		},
		{
			name: "a named sentinel that does not exist leaves the decision to the sidecar",
			given: `
				no-such-sentinel
				record orders-0
				orders-0 down serving for=6s
				orders-1 ->orders-0 placed
				orders-2 ->orders-0 placed`,
			want: `
				label orders-0
				detach orders-0
				promote orders-1
				= SentinelAgreed False SentinelNotFound`,
		},
		{
			name: "sentinels that do not monitor the instance leave the decision to the sidecar",
			given: `
				record orders-0
				orders-0 down serving for=6s
				orders-1 ->orders-0 placed
				orders-2 ->orders-0 placed
				watch-0 nothing
				watch-1 nothing
				watch-2 ->orders-0`,
			want: `
				label orders-0
				detach orders-0
				promote orders-1`,
		},
		{
			name: "a chosen successor that falls silent is cut off and another chosen",
			given: `
				record orders-0
				outage MasterDown 3s orders-1
				orders-0 down for=9s
				orders-1 hung attached label=replica insync
				orders-2 ->orders-0 placed
				orders-3 ->orders-0 placed
				orders-4 ->orders-0 placed`,
			want: `
				label orders-1
				detach orders-1
				promote orders-2
				= outage MasterDown orders-0 seq=100 orders-2`,
		},
	})
}

func TestMasterThatRestarted(t *testing.T) {
	run(t, []scenario{
		{
			name: "it loses its stale gate and is promoted again with all its data",
			given: `
				record orders-0
				orders-0 self seq=100 serving
				orders-1 ->orders-0 seq=100 placed
				watch-0 ->orders-0
				watch-1 ->orders-0
				watch-2 ->orders-0`,
			want: `
				label orders-0
				detach orders-0
				promote orders-0`,
		},
		{
			name: "it is attached when it answers as master",
			given: `
				record orders-0
				orders-0 master seq=100
				orders-1 ->orders-0 seq=100 placed
				watch-0 ->orders-0
				watch-1 ->orders-0
				watch-2 ->orders-0`,
			want: `
				label orders-0 master
				attach orders-0`,
		},
		{
			name: "it is not promoted while the sentinels replace it",
			given: `
				record orders-0
				orders-0 self seq=100
				orders-1 ->orders-0 seq=100 placed
				watch-0 ->orders-0 odown electing
				watch-1 ->orders-0 odown
				watch-2 ->orders-0 odown`,
			want: `
				= outage MasterDown orders-0 seq=100
				= PrimaryAvailable False SentinelElecting`,
		},
		{
			name: "an election hinders nothing when no sentinel can reach anybody",
			given: `
				record orders-0
				orders-0 self seq=100
				orders-1 self seq=100
				orders-2 nopod
				watch-0 ->orders-0 odown electing
				watch-1 ->orders-0 odown
				watch-2 ->orders-0 odown`,
			want: `
				promote orders-0`,
		},
		{
			name: "it is not promoted while a replica has more than it has left",
			given: `
				record orders-0
				orders-0 self seq=80
				orders-1 ->orders-0 seq=100 placed
				watch-0 ->orders-0
				watch-1 ->orders-0
				watch-2 ->orders-0`,
			want: `
				= PrimaryAvailable False MasterDown`,
		},
		{
			name: "after an outage it is promoted only when nobody silent can have been",
			given: `
				record orders-0
				outage MasterDown 20s
				orders-0 self seq=100
				orders-1 hung attached label=replica insync
				watch-0 nothing
				watch-1 nothing
				watch-2 nothing`,
			want: `
				label orders-1
				detach orders-1
				promote orders-0`,
		},
		{
			name: "it is not promoted empty while a replica has data",
			given: `
				record orders-0
				orders-0 self empty
				orders-1 ->orders-0 seq=100 placed
				watch-0 ->orders-0
				watch-1 ->orders-0
				watch-2 ->orders-0`,
			want: `
				= PrimaryAvailable False MasterDown`,
		},
		{
			name: "it is not promoted empty while a member is unknown",
			given: `
				record orders-0
				orders-0 self empty
				orders-1 nopod`,
			want: `
				= PrimaryAvailable False WaitingForMembers
				= PrimaryAvailable: no successor for orders-0 yet: waiting for orders-1 (no pod)`,
		},
		{
			name: "a lone master that is empty is promoted, there is nothing else",
			given: `
				record orders-0
				orders-0 self empty`,
			want: `
				promote orders-0`,
		},
	})
}
