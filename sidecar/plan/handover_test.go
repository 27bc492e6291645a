package plan_test

import "testing"

func TestHandover(t *testing.T) {
	const watched = `
		watch-0 ->orders-0
		watch-1 ->orders-0
		watch-2 ->orders-0`
	const forgotten = `
		watch-0 nothing
		watch-1 nothing
		watch-2 nothing`
	run(t, []scenario{
		{
			name: "it begins on record, and the sentinels forget the master first",
			given: `
				record orders-0
				handoff orders-0
				orders-0 master seq=100 serving
				orders-1 ->orders-0 seq=100 placed
				orders-2 ->orders-0 seq=100 placed` + watched,
			want: `
				unmonitor watch-0
				unmonitor watch-1
				unmonitor watch-2
				= intent true
				= event HandoverStarted
				= outage Handover orders-0 seq=100 orders-1
				= PrimaryAvailable True MasterServing`,
		},
		{
			name: "the target is the lowest",
			given: `
				record orders-1
				handoff orders-1
				orders-0 ->orders-1 placed
				orders-1 master serving
				orders-2 ->orders-1 placed
				orders-3 ->orders-1 placed`,
			want: `
				= outage Handover orders-1 seq=100 orders-0`,
		},
		{
			name: "also from the highest",
			given: `
				record orders-2
				handoff orders-2
				orders-0 ->orders-2 placed
				orders-1 ->orders-2 placed
				orders-2 master serving`,
			want: `
				= outage Handover orders-2 seq=100 orders-0`,
		},
		{
			name: "it waits for a healthy target",
			given: `
				record orders-0
				handoff orders-0 orders-2
				orders-0 master serving
				orders-1 ->orders-0 attached label=replica
				orders-2 ->orders-0 placed priority=0`,
			want: `
				= outage none`,
		},
		{
			name: "it waits until every kube-proxy leads clients to the target",
			given: `
				record orders-0
				handoff orders-0
				orders-0 master serving
				orders-1 ->orders-0 placed ready-for=2s`,
			want: `
				= outage none`,
		},
		{
			name: "it waits until the target is ready",
			given: `
				record orders-0
				handoff orders-0
				orders-0 master serving
				orders-1 ->orders-0 placed unready`,
			want: `
				= outage none`,
		},
		{
			name: "it does not wait for a time that another clock says is yet to come",
			given: `
				record orders-0
				handoff orders-0
				orders-0 master serving
				orders-1 ->orders-0 placed ready-for=-1m`,
			want: `
				= outage Handover orders-0 seq=100 orders-1`,
		},
		{
			name: "it waits until the target is almost there",
			given: `
				record orders-0
				handoff orders-0
				orders-0 master seq=90000 serving
				orders-1 ->orders-0 seq=80000 placed`,
			want: `
				= outage none`,
		},
		{
			name: "it waits while so many sentinels are silent that they might elect",
			given: `
				record orders-0
				handoff orders-0
				orders-0 master serving
				orders-1 ->orders-0 placed
				watch-0 ->orders-0
				watch-1 down
				watch-2 down`,
			want: `
				= outage none`,
		},
		{
			name: "a master whose pod is being deleted hands over",
			given: `
				record orders-0
				orders-0 master serving deleting
				orders-1 ->orders-0 placed`,
			want: `
				= outage Handover orders-0 seq=100 orders-1`,
		},
		{
			name: "clients begin to be led to the target while writes go on",
			given: `
				record orders-0
				outage Handover 500ms orders-1
				handoff orders-0
				orders-0 master serving
				orders-1 ->orders-0 placed` + forgotten,
			want: `
				label orders-1 master
				= again 10ms
				= outage Handover orders-0 seq=90 orders-1
				= PrimaryAvailable True MasterServing`,
		},
		{
			name: "writes are stopped when no sentinel watches, and the time is on record; the master keeps its label",
			given: `
				record orders-0
				outage Handover 500ms orders-1
				handoff orders-0
				orders-0 master serving
				orders-1 ->orders-0 placed label=master` + forgotten,
			want: `
				stop orders-0
				= intent true
				= again 10ms
				= PrimaryAvailable False HandingOver`,
		},
		{
			name: "writes go on while a sentinel still watches",
			given: `
				record orders-0
				outage Handover 500ms orders-1
				handoff orders-0
				orders-0 master serving
				orders-1 ->orders-0 placed` + watched,
			want: `
				unmonitor watch-0
				unmonitor watch-1
				unmonitor watch-2
				= PrimaryAvailable True MasterServing`,
		},
		{
			name: "the target is not promoted before it has every write",
			given: `
				record orders-0
				outage Handover 100ms orders-1
				handoff orders-0
				orders-0 dead seq=100 attached
				orders-1 ->orders-0 seq=99 placed`,
			want: `
				= again 10ms`,
		},
		{
			name: "the target is promoted when it has every write; the old master leaves the Services when it is in them, and the sentinels know it at once",
			given: `
				record orders-0
				outage Handover 100ms orders-1
				handoff orders-0
				orders-0 dead seq=100 attached label=master priority=0
				orders-1 ->orders-0 seq=100 placed` + forgotten,
			want: `
				promote orders-1
				label orders-1 master
				drop orders-0
				monitor watch-0 ->orders-1 quorum=2
				monitor watch-1 ->orders-1 quorum=2
				monitor watch-2 ->orders-1 quorum=2
				label orders-0
				detach orders-0
				= again 10ms`,
		},
		{
			name: "a target that falls behind before the writes stop is a replica again",
			given: `
				record orders-0
				outage Handover 500ms orders-1
				handoff orders-0
				orders-0 master seq=9000 serving
				orders-1 ->orders-0 seq=100 placed label=master` + forgotten,
			want: `
				label orders-1 replica
				monitor watch-0 ->orders-0 quorum=2
				monitor watch-1 ->orders-0 quorum=2
				monitor watch-2 ->orders-0 quorum=2
				= outage none
				= PrimaryAvailable True MasterServing`,
		},
		{
			name: "so it is when the master dies on the way, and then the sidecar decides as for any dead master",
			given: `
				record orders-0
				outage Handover 500ms orders-1
				handoff orders-0
				orders-0 nopod
				orders-1 ->orders-0 placed insync label=master
				orders-2 ->orders-0 placed insync` + forgotten,
			want: `
				label orders-1 replica
				promote orders-1`,
		},
		{
			name: "a target that was given up is cut off before another is promoted",
			given: `
				record orders-0
				outage Handover 100ms orders-2
				handoff orders-0
				orders-0 dead seq=100 priority=0
				orders-1 hung attached label=replica
				orders-2 ->orders-0 seq=100 placed`,
			want: `
				label orders-1
				detach orders-1
				promote orders-2
				label orders-2 master
				drop orders-0`,
		},
		{
			name: "the pause ends when the target is promoted, not when that is seen",
			given: `
				record orders-0
				outage Handover 900ms orders-1
				promoted 800ms
				handoff orders-0
				orders-0 dead seq=100 priority=0
				orders-1 master seq=101 attached label=master`,
			want: `
				= master orders-1
				= failover Handover orders-0->orders-1 detect=0 promote=100 seq=101 lost=0`,
		},
		{
			name: "the target gets the label when it answers as master, and the pause is journaled",
			given: `
				record orders-0
				outage Handover 120ms orders-1
				handoff orders-0
				orders-0 dead seq=100 priority=0
				orders-1 master seq=101 attached label=replica`,
			want: `
				label orders-1 master
				= outage none
				= master orders-1
				= failover Handover orders-0->orders-1 detect=0 promote=120 seq=101 lost=0`,
		},
		{
			name: "then the others follow, the sentinels watch the new one, and the old one, which may refuse, follows last",
			given: `
				record orders-1
				handoff orders-0
				orders-0 dead seq=100 priority=0
				orders-1 master seq=101 serving
				orders-2 ->orders-0 seq=100 placed` + forgotten,
			want: `
				follow orders-2 ->orders-1
				monitor watch-0 ->orders-1 quorum=2
				monitor watch-1 ->orders-1 quorum=2
				monitor watch-2 ->orders-1 quorum=2
				follow orders-0 ->orders-1
				drop orders-0`,
		},
		{
			name: "a target that does not catch up in time is given up, and the old master promoted again",
			given: `
				record orders-0
				outage Handover 2s orders-1
				handoff orders-0
				orders-0 dead seq=100 priority=0
				orders-1 ->orders-0 seq=60 attached label=replica`,
			want: `
				promote orders-0
				= intent true
				= outage Handover orders-0 seq=90`,
		},
		{
			name: "a target that falls silent is cut off, because it may have been promoted",
			given: `
				record orders-0
				outage Handover 1600ms orders-1
				handoff orders-0
				orders-0 dead seq=100 priority=0
				orders-1 hung attached label=replica for=1400ms`,
			want: `
				label orders-1
				detach orders-1
				promote orders-0`,
		},
		{
			name: "the old master serves again after an abort, which is journaled",
			given: `
				record orders-0
				outage Handover 2s
				handoff orders-0
				orders-0 master seq=100 attached
				orders-1 ->orders-0 seq=60 attached label=replica`,
			want: `
				label orders-0 master
				= outage none
				= event HandoverAborted
				= failover Handover orders-0->orders-0 detect=0 promote=2000 seq=100 lost=0`,
		},
		{
			name: "a master that restarts in the middle hands over all the same",
			given: `
				record orders-0
				outage Handover 100ms orders-1
				handoff orders-0
				orders-0 self seq=100 attached priority=0
				orders-1 ->orders-0 seq=100 placed`,
			want: `
				detach orders-0
				promote orders-1
				label orders-1 master
				drop orders-0`,
		},
		{
			name: "when the sidecar crashes after that, the label goes over before the old one loses it",
			given: `
				record orders-0
				outage Handover 120ms orders-1
				handoff orders-0
				orders-0 dead seq=100 priority=0 attached label=master
				orders-1 master seq=101 attached label=replica`,
			want: `
				label orders-1 master
				label orders-0
				detach orders-0
				= outage none
				= master orders-1`,
		},
		{
			name: "a former master whose pod is going is fed all the same",
			given: `
				record orders-1
				orders-0 dead seq=100 deleting
				orders-1 master seq=101 serving
				orders-2 ->orders-1 insync placed`,
			want: `
				follow orders-0 ->orders-1
				drop orders-0`,
		},
		{
			name: "a replica whose pod is going leaves the Services",
			given: `
				record orders-1
				orders-0 ->orders-1 insync placed deleting
				orders-1 master seq=101 serving`,
			want: `
				label orders-0
				detach orders-0`,
		},
		{
			name: "a master that answers late before its writes are stopped is waited for",
			given: `
				record orders-0
				outage Handover 500ms orders-1
				handoff orders-0
				orders-0 hung serving for=300ms
				orders-1 ->orders-0 placed` + forgotten,
			want: `
				= again 10ms
				= outage Handover orders-0 seq=90 orders-1`,
		},
		{
			name: "and one that answers late after that",
			given: `
				record orders-0
				outage Handover 500ms orders-1
				handoff orders-0
				orders-0 hung attached label=master for=300ms
				orders-1 ->orders-0 placed label=master` + forgotten,
			want: `
				= again 10ms
				= outage Handover orders-0 seq=90 orders-1`,
		},
		{
			name: "unless its successor serves already",
			given: `
				record orders-0
				outage Handover 500ms orders-1
				handoff orders-0
				orders-0 hung attached label=master for=300ms
				orders-1 master placed label=master` + forgotten,
			want: `
				label orders-0
				detach orders-0
				= master orders-1
				= outage none`,
		},
		{
			name: "but not for ever",
			given: `
				record orders-0
				outage Handover 2s orders-1
				handoff orders-0
				orders-0 hung attached for=1600ms
				orders-1 ->orders-0 placed insync
				orders-2 ->orders-0 placed insync` + forgotten,
			want: `
				detach orders-0
				= intent true
				= outage MasterDown orders-0 seq=90`,
		},
		{
			name: "a target that answers late is waited for, for as long as the writes may be stopped",
			given: `
				record orders-0
				outage Handover 500ms orders-1
				handoff orders-0
				orders-0 dead seq=100 attached label=master priority=0
				orders-1 hung attached label=master for=300ms` + forgotten,
			want: `
				= again 10ms
				= outage Handover orders-0 seq=90 orders-1`,
		},
		{
			name: "a master that dies in the middle is an outage, which the sidecar decides",
			given: `
				record orders-0
				outage Handover 100ms orders-1
				handoff orders-0
				orders-0 down attached
				orders-1 ->orders-0 placed
				orders-2 ->orders-0 placed`,
			want: `
				detach orders-0
				= intent true
				= outage MasterDown orders-0 seq=90`,
		},
	})
}

func TestLeaving(t *testing.T) {
	run(t, []scenario{
		{
			name: "a leaving replica is first kept from being elected",
			given: `
				replicas 2
				record orders-0
				handoff orders-2
				orders-0 master serving
				orders-1 ->orders-0 placed
				orders-2 ->orders-0 placed`,
			want: `
				set orders-2 map[slave-priority:0]
				= scaleTo 3`,
		},
		{
			name: "then it may leave",
			given: `
				replicas 2
				record orders-0
				handoff orders-2
				orders-0 master serving
				orders-1 ->orders-0 placed
				orders-2 ->orders-0 placed priority=0`,
			want: `
				= node orders-2 role= link=up attached=true
				= scaleTo 2`,
		},
		{
			name: "nobody leaves while a replica that stays is not linked",
			given: `
				replicas 2
				record orders-0
				handoff orders-2
				orders-0 master serving
				orders-1 ->orders-0 attached label=replica
				orders-2 ->orders-0 placed priority=0`,
			want: `
				= scaleTo 3`,
		},
		{
			name: "nobody leaves while the master is one of them",
			given: `
				replicas 1
				record orders-2
				handoff orders-1 orders-2
				orders-0 ->orders-2 placed
				orders-1 ->orders-2 placed priority=0
				orders-2 master serving`,
			want: `
				= scaleTo 3
				= outage Handover orders-2 seq=100 orders-0`,
		},
		{
			name: "nor while the master cannot hand over yet",
			given: `
				replicas 1
				record orders-1
				handoff orders-1
				orders-0 ->orders-1 syncing
				orders-1 master serving`,
			want: `
				= scaleTo 2
				= outage none`,
		},
		{
			name: "a pod that no longer leaves may be elected again",
			given: `
				record orders-0
				orders-0 master serving
				orders-1 ->orders-0 placed priority=0`,
			want: `
				set orders-1 map[slave-priority:100]
				= scaleTo 2`,
		},
	})
}
