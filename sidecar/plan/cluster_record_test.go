package plan_test

import "testing"

func TestALostRecord(t *testing.T) {
	runCluster(t, []scenario{
		{
			name: "is made anew from a master that has it",
			given: `
				controller lost
				0-0 master serving
				0-1 ->0-0 placed
				1-0 master serving`,
			want: `
				import 0-0
				= event RecordRestored
				= PrimaryAvailable True MasterServing
				= layout 7`,
		},
		{
			name: "the newest layout that a node has is the right one",
			given: `
				controller lost
				reported 6
				0-0 master layout=record serving
				1-0 master v=6 serving`,
			want: `
				push 1-0 v=7
				import 0-0
				= layout 7`,
		},
		{
			name: "a master that has restarted as well is told the layout that was reported, when everybody answers",
			given: `
				controller lost
				0-0 self
				0-1 self
				1-0 self
				1-1 down`,
			want: `
				push 0-0 v=7
				= PrimaryAvailable: shard 0: orders-0-0 is being made master, as the record says; shard 1: no record says who is master: waiting for orders-1-1 (it does not answer)
				= PrimaryAvailable False Promoting`,
		},
		{
			name: "a member that may never come back is not waited for when the majority answers",
			given: `
				controller lost
				0-0 self
				0-1 self
				0-2 nopod`,
			want: `
				push 0-0 v=7`,
		},
		{
			name: "unless the master has come back with less than it had",
			given: `
				controller lost
				0-0 self seq=90 had=95
				0-1 self seq=80
				0-2 nopod`,
			want: `
				= PrimaryAvailable False WaitingForMembers`,
		},
		{
			name: "and is attached before the record is made from it",
			given: `
				controller lost
				0-0 master
				0-1 self
				1-0 self
				1-1 self`,
			want: `
				label 0-0 master
				attach 0-0
				push 1-0 v=7
				push 0-1 v=7`,
		},
		{
			name: "where no master has its data, a replica with data has the record and is not promoted",
			given: `
				controller lost
				outage 0 ColdStart 3s
				0-0 self empty
				0-1 self`,
			want: `
				push 0-1 v=7`,
		},
		{
			name: "is never made from a master that was told to stop",
			given: `
				controller lost
				outage 0 Handover 1s 0-1
				0-0 master layout=stop serving
				0-1 ->0-0 placed`,
			want: `
				import 0-1`,
		},
		{
			name: "nor when the planned move has become an outage since, because that master was silent for a while",
			given: `
				controller lost
				outage 0 MasterDown 1s
				0-0 master layout=stop
				0-1 ->0-0 placed`,
			want: `
				push 0-0 v=7 force
				label 0-0 master
				attach 0-0
				import 0-1
				= layout 7
				= 0 outage none`,
		},
		{
			name: "nor from one that may have been told so",
			given: `
				controller lost
				outage 0 Handover 1s 0-1
				0-0 master serving
				0-1 ->0-0 placed`,
			want: `
				push 0-0 v=7 stop force
				import 0-1`,
		},
		{
			name: "is not made up: the layout that the nodes have must be read first",
			given: `
				controller none
				0-0 self
				1-0 master v=3`,
			want: `
				= PrimaryAvailable False Rebuilding`,
		},
	})
}

func TestAnOldRecord(t *testing.T) {
	runCluster(t, []scenario{
		{
			name: "may be one that was read too early",
			given: `
				reported 7
				0-0 master v=8 layout=record serving
				1-0 master v=8 serving`,
			want: `
				= layout 8
				= again 250ms`,
		},
		{
			name: "and is made anew when it is still old in the next pass",
			given: `
				reported 8
				0-0 master v=8 layout=record serving
				1-0 master v=8 serving`,
			want: `
				delete
				import 0-0
				= event RecordRestored`,
		},
		{
			name: "nothing is changed in it meanwhile",
			given: `
				reported 7
				0-0 master v=8 layout=record serving
				0-1 self outside`,
			want: ``,
		},
		{
			name: "of another instance is dropped",
			given: `
				controller none
				alien
				0-0 self empty
				0-1 self empty`,
			want: `
				delete
				= event RecordDropped`,
		},
	})
}

func TestAnOldPasswordOnRecord(t *testing.T) {
	runCluster(t, []scenario{
		{
			name: "the nodes take the new one first",
			given: `
				stale-password
				0-0 master serving stale-password
				0-1 ->0-0 placed stale-password`,
			want: `
				password 0-1
				password 0-0
				= CredentialsApplied False Applying
				= epoch 0`,
		},
		{
			name: "then the record is made anew, and kvrocks-controller is to be replaced",
			given: `
				stale-password
				0-0 master serving
				0-1 ->0-0 placed`,
			want: `
				delete
				import 0-0
				= intent true
				= epoch 1
				= CredentialsApplied False Applying`,
		},
		{
			name: "but not while a master is being replaced",
			given: `
				stale-password
				outage 0 Handover 10ms 0-1
				0-0 master layout=stop serving
				0-1 ->0-0 seq=90 placed`,
			want: `
				= epoch 0`,
		},
	})
}

func TestReleasingACluster(t *testing.T) {
	runCluster(t, []scenario{
		{
			name: "the sentinels and kvrocks-controller forget it",
			given: `
				release
				0-0 master serving
				1-0 master serving
				watched`,
			want: `
				unmonitor watch-0 orders.0
				unmonitor watch-1 orders.0
				unmonitor watch-2 orders.0
				unmonitor watch-0 orders.1
				unmonitor watch-1 orders.1
				unmonitor watch-2 orders.1
				delete
				= released false
				= SentinelAgreed Unknown Releasing`,
		},
		{
			name: "then it is released",
			given: `
				release
				controller lost
				0-0 master serving`,
			want: `
				set 0-0 map[replica-announce-ip:127.0.0.1]
				= released true`,
		},
		{
			name: "a kvrocks-controller that does not answer is waited for",
			given: `
				release
				releasing 5s
				controller down
				0-0 master serving`,
			want: `
				= released false`,
		},
		{
			name: "but not for long",
			given: `
				release
				releasing 21s
				controller down
				0-0 master serving`,
			want: `
				set 0-0 map[replica-announce-ip:127.0.0.1]
				= released true`,
		},
	})
}

func TestAControllerThatIsAway(t *testing.T) {
	const serving = `
		reported 7
		0-0 master serving
		0-1 ->0-0 placed
		`
	runCluster(t, []scenario{
		{
			name:  "is given a moment",
			given: "controller down 19s" + serving,
			want:  "= SlotsAssigned True AllAssigned",
		},
		{
			name:  "is reported, because nothing can be changed without it",
			given: "controller down 20s" + serving,
			want: `
				= SlotsAssigned False ControllerUnavailable
				= SlotsAssigned: no master can be replaced and no slot moved, because kvrocks-controller does not answer: connection refused
				= PrimaryAvailable True MasterServing`,
		},
		{
			name: "is not replaced while another leader may still be elected",
			given: `
				controller down 29s
				leader-gone 29s` + serving,
			want: "= epoch 0",
		},
		{
			name: "is replaced when it sends to a leader that is gone",
			given: `
				controller down 30s
				leader-gone 30s` + serving,
			want: `
				= epoch 1
				= intent true
				= event ControllerReplaced`,
		},
		{
			name: "is given time to start after that",
			given: `
				controller down 40s
				leader-gone -80s` + serving,
			want: "= epoch 0",
		},
	})
}
