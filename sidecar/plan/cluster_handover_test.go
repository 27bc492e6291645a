package plan_test

import "testing"

func TestHandingOverTheMasterOfAShard(t *testing.T) {
	runCluster(t, []scenario{
		{
			name: "the writes are stopped by a layout in which the master owns no slots",
			given: `
				0-0 master serving
				0-1 ->0-0 placed
				0-2 ->0-0 placed
				1-0 master serving
				handoff 0-0
				watched`,
			want: `
				push 0-0 v=7 stop force
				= intent true
				= event HandoverStarted
				= 0 outage Handover 0-0 seq=100 0-1
				= PrimaryAvailable False HandingOver
				= again 10ms`,
		},
		{
			name: "one at a time in the cluster",
			given: `
				0-0 master serving
				0-1 ->0-0 placed
				1-0 master serving
				1-1 ->1-0 placed
				handoff 0-0 1-0`,
			want: `
				push 0-0 v=7 stop force`,
		},
		{
			name: "it waits until kvrocks-controller reaches the target as well",
			given: `
				0-0 master serving
				0-1 ->0-0 placed ready-for=3s
				1-0 master serving
				handoff 0-0`,
			want: ``,
		},
		{
			name: "not while slots are on their way",
			given: `
				migrating 0 1
				0-0 master serving sending=1-0
				0-1 ->0-0 placed
				1-0 master serving receiving
				1-1 ->1-0 placed
				handoff 1-0`,
			want: ``,
		},
		{
			name: "not while some node does not know the record",
			given: `
				0-0 master serving
				0-1 ->0-0 placed
				1-0 master serving v=6
				handoff 0-0`,
			want: `
				push 1-0 v=7`,
		},
		{
			name: "the target is made master on record when it has everything",
			given: `
				outage 0 Handover 20ms 0-1
				0-0 master layout=stop seq=120 serving
				0-1 ->0-0 seq=120 placed
				1-0 master serving`,
			want: `
				failover 0-0 -> 0-1 at once
				= 0 outage Handover 0-0 seq=120 0-1
				= again 10ms`,
		},
		{
			name: "not before",
			given: `
				outage 0 Handover 20ms 0-1
				0-0 master layout=stop seq=120 serving
				0-1 ->0-0 seq=119 placed`,
			want: `
				= PrimaryAvailable: shard 0: orders-0-1 is catching up with orders-0-0`,
		},
		{
			name: "nor when the master is not known to be stopped",
			given: `
				outage 0 Handover 20ms 0-1
				0-0 master serving
				0-1 ->0-0 placed`,
			want: `
				push 0-0 v=7 stop force`,
		},
		{
			name: "a change of the record lets the master write again, so it is stopped again",
			given: `
				outage 0 Handover 20ms 0-1
				0-0 master v=6 layout=stop serving
				0-1 ->0-0 placed`,
			want: `
				push 0-0 v=7 stop force`,
		},
		{
			name: "a failover elsewhere goes first",
			given: `
				outage 1 Handover 20ms 1-1
				0-0 down serving for=5s
				0-1 ->0-0 placed
				1-0 master layout=stop serving
				1-1 ->1-0 placed
				watched
				odown 0`,
			want: `
				label 0-0
				detach 0-0
				failover 0-0 -> 0-1`,
		},
		{
			name: "the target is told that it is master before the old one is told anything",
			given: `
				outage 0 Handover 40ms 0-1
				0-0 master v=6 layout=stop serving was
				0-1 ->0-0 v=6 placed named
				0-2 ->0-0 v=6 placed
				1-0 master v=6 serving`,
			want: `
				push 0-1 v=7
				push 1-0 v=7
				push 0-2 v=7`,
		},
		{
			name: "when it is, the journal tells how long writes were stopped",
			given: `
				outage 0 Handover 60ms 0-1
				0-0 master v=6 layout=stop serving was
				0-1 master placed named
				0-2 ->0-0 placed`,
			want: `
				label 0-0
				detach 0-0
				label 0-1 master
				= 0 master 0-1
				= 0 outage none
				= failover Handover orders-0-0->orders-0-1 detect=0 promote=60 seq=100 lost=0`,
		},
		{
			name: "what is lost is not known when kvrocks-controller made the target master before all writes were seen on it",
			given: `
				outage 0 Handover 60ms 0-1 by-controller
				0-0 master v=6 layout=stop seq=95 serving was
				0-1 master seq=110 placed named`,
			want: `
				label 0-0
				detach 0-0
				label 0-1 master
				= failover Handover orders-0-0->orders-0-1 detect=0 promote=60 seq=90 lost=unknown`,
		},
		{
			name: "nor when the sidecar was away while it became master, and the old one does not answer",
			given: `
				outage 0 Handover 60ms 0-1
				0-0 down v=6 serving was
				0-1 master seq=110 placed named`,
			want: `
				label 0-0
				detach 0-0
				label 0-1 master
				= failover Handover orders-0-0->orders-0-1 detect=0 promote=60 seq=90 lost=unknown`,
		},
		{
			name: "nor when the target is on record and the old master was not seen stopped",
			given: `
				outage 0 Handover 2s 0-1
				0-0 down v=6 serving was for=2s
				0-1 ->0-0 seq=110 v=6 placed named`,
			want: `
				push 0-1 v=7
				= 0 outage Handover 0-0 seq=90 0-1 by-controller`,
		},
		{
			name: "it is nothing once they are",
			given: `
				outage 0 Handover 60ms 0-1 by-controller
				0-0 master v=6 layout=stop seq=95 serving was
				0-1 ->0-0 seq=95 v=6 placed named`,
			want: `
				push 0-1 v=7
				= 0 outage Handover 0-0 seq=90 0-1`,
		},
		{
			name: "a target that fails in time gives the old master its slots back",
			given: `
				outage 0 Handover 60ms 0-1
				0-0 master layout=stop serving
				0-1 down placed`,
			want: `
				push 0-0 v=7 force
				= intent true
				= 0 outage Handover 0-0 seq=90`,
		},
		{
			name: "and so does a kvrocks-controller that is away for too long",
			given: `
				controller down
				outage 0 Handover 5100ms 0-1
				0-0 master layout=stop serving
				0-1 ->0-0 placed`,
			want: `
				push 0-0 v=7 force`,
		},
		{
			name: "which is reported when it is seen to take writes",
			given: `
				outage 0 Handover 5200ms
				0-0 master layout=record serving
				0-1 ->0-0 placed`,
			want: `
				= event HandoverAborted
				= 0 outage none
				= failover Handover orders-0-0->orders-0-0 detect=0 promote=5200 seq=100 lost=0`,
		},
		{
			name: "an old master that dies on the way is replaced as any other",
			given: `
				outage 0 Handover 60ms 0-1
				0-0 down serving for=6s
				0-1 ->0-0 placed
				0-2 ->0-0 seq=99 placed`,
			want: `
				label 0-0
				detach 0-0
				failover 0-0 -> 0-1
				= 0 outage MasterDown 0-0 seq=100 0-1`,
		},
		{
			name: "an old master that answers late is waited for",
			given: `
				outage 0 Handover 400ms 0-1
				0-0 hung layout=stop serving for=300ms
				0-1 ->0-0 placed`,
			want: `
				= again 10ms
				= 0 outage Handover 0-0 seq=90 0-1`,
		},
		{
			name: "but not for ever",
			given: `
				outage 0 Handover 2s 0-1
				0-0 hung layout=stop serving for=1600ms
				0-1 ->0-0 placed`,
			want: `
				label 0-0
				detach 0-0
				= 0 outage MasterDown 0-0 seq=100`,
		},
		{
			name: "a target that answers late is waited for",
			given: `
				outage 0 Handover 400ms 0-1
				0-0 master layout=stop serving
				0-1 hung placed for=300ms`,
			want: `
				= again 10ms
				= 0 outage Handover 0-0 seq=90 0-1`,
		},
		{
			name: "also when it is on record and changes its role",
			given: `
				outage 0 Handover 400ms 0-1
				0-0 master v=6 layout=stop serving was
				0-1 hung placed named for=300ms`,
			want: `
				= again 10ms
				= 0 outage Handover 0-0 seq=90 0-1`,
		},
		{
			name: "a target on record that hangs is replaced, which is no cold start",
			given: `
				outage 0 Handover 2s 0-1
				0-0 master v=6 layout=stop serving was
				0-1 hung placed named for=1600ms`,
			want: `
				label 0-0
				detach 0-0
				= intent true
				= 0 outage MasterDown 0-0 seq=90 0-1`,
		},
		{
			name: "an old master that was told of a newer record is no restarted one; that record is read again",
			given: `
				outage 0 Handover 400ms 0-1
				0-0 ->0-1 v=8 serving
				0-1 ->0-0 placed`,
			want: `
				= again 10ms
				= 0 outage Handover 0-0 seq=90 0-1`,
		},
		{
			name: "an old master that restarts on the way is made master again",
			given: `
				outage 0 Handover 60ms 0-1
				0-0 self serving
				0-1 ->0-0 placed`,
			want: `
				label 0-0
				detach 0-0
				push 0-0 v=7
				= intent true`,
		},
		{
			name: "a record that names another master while the old one serves is followed without losing a write",
			given: `
				0-0 master v=6 seq=120 serving was
				0-1 ->0-0 v=6 seq=118 placed named
				0-2 ->0-0 placed`,
			want: `
				push 0-0 v=7 stop force
				= intent true
				= 0 outage Handover 0-0 seq=118 0-1 by-controller`,
		},
		{
			name: "the last write included",
			given: `
				outage 0 Handover 60ms 0-1
				0-0 master layout=stop seq=120 serving was
				0-1 ->0-0 v=6 seq=118 placed named`,
			want: `
				= PrimaryAvailable: shard 0: orders-0-1 is catching up with orders-0-0`,
		},
		{
			name: "a master that the record passed by is stopped again when it writes again",
			given: `
				outage 0 Handover 60ms 0-1
				0-0 master v=6 layout=record seq=120 serving was
				0-1 ->0-0 v=6 seq=118 placed named`,
			want: `
				push 0-0 v=7 stop force`,
		},
		{
			name: "a target that loses its data after it was recorded is replaced by the old master",
			given: `
				outage 0 Handover 60ms 0-1
				0-0 master v=6 layout=stop serving was
				0-1 self empty named`,
			want: `
				label 0-0
				detach 0-0
				push 0-0 v=7 stranded
				= intent true`,
		},
	})
}
