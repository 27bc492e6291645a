package plan_test

import "testing"

func TestReplacingPods(t *testing.T) {
	run(t, []scenario{
		{
			name: "the replicas first, from the highest down, out of the Services before they are deleted",
			given: `
				record orders-2
				orders-0 ->orders-2 insync placed old
				orders-1 ->orders-2 insync placed old
				orders-2 master serving old`,
			want: `
				label orders-1
				detach orders-1
				replace orders-1
				= event PodReplaced
				= outage none`,
		},
		{
			name: "the pod that has come in its place is another",
			given: `
				record orders-0
				orders-0 master serving
				orders-1 ->orders-0 insync placed new
				orders-2 ->orders-0 insync placed`,
			want: ``,
		},
		{
			name: "one at a time: not while another one is going",
			given: `
				record orders-0
				orders-0 master serving old
				orders-1 ->orders-0 insync placed old
				orders-2 ->orders-0 insync up deleting old`,
			want: ``,
		},
		{
			name: "nor while it is not there",
			given: `
				record orders-0
				orders-0 master serving old
				orders-1 ->orders-0 insync placed old
				orders-2 nopod`,
			want: ``,
		},
		{
			name: "nor while it has not caught up",
			given: `
				record orders-0
				orders-0 master serving old
				orders-1 ->orders-0 insync placed old
				orders-2 ->orders-0 syncing new`,
			want: ``,
		},
		{
			name: "nor while a replica that serves is not linked",
			given: `
				record orders-0
				orders-0 master serving old
				orders-1 ->orders-0 insync placed old
				orders-2 ->orders-0 attached label=replica`,
			want: ``,
		},
		{
			name: "a replica that is not linked itself does not wait for that",
			given: `
				record orders-0
				orders-0 master serving old
				orders-1 ->orders-0 insync attached label=replica old
				orders-2 ->orders-0 insync placed`,
			want: `
				label orders-1
				detach orders-1
				replace orders-1`,
		},
		{
			name: "what does not serve goes first",
			given: `
				record orders-0
				orders-0 master serving old
				orders-1 down stopped old
				orders-2 ->orders-0 insync placed old`,
			want: `
				replace orders-1`,
		},
		{
			name: "a template that does not start stops at the first pod",
			given: `
				record orders-0
				orders-0 master serving old
				orders-1 ->orders-0 insync placed old
				orders-2 down stopped new`,
			want: ``,
		},
		{
			name: "and does not hold up its own repair",
			given: `
				record orders-0
				orders-0 master serving old
				orders-1 ->orders-0 insync placed old
				orders-2 down stopped old`,
			want: `
				replace orders-2`,
		},
		{
			name: "the master is last: it hands over to a pod that stays",
			given: `
				record orders-2
				orders-0 ->orders-2 insync placed new
				orders-1 ->orders-2 insync placed new
				orders-2 master serving old`,
			want: `
				= event HandoverStarted
				= outage Handover orders-2 seq=100 orders-0`,
		},
		{
			name: "not while one of the others does not serve",
			given: `
				record orders-2
				orders-0 ->orders-2 insync placed new
				orders-1 ->orders-2 syncing new
				orders-2 master serving old`,
			want: `
				= outage none`,
		},
		{
			name: "the former master is replaced when the others follow its successor",
			given: `
				record orders-0
				orders-0 master serving new
				orders-1 ->orders-0 insync placed new
				orders-2 ->orders-0 up old`,
			want: `
				replace orders-2`,
		},
		{
			name: "not before",
			given: `
				record orders-0
				orders-0 master serving new
				orders-1 ->orders-0 attached label=replica new
				orders-2 ->orders-0 up old`,
			want: ``,
		},
		{
			name: "a single pod is simply replaced",
			given: `
				record orders-0
				orders-0 master serving old`,
			want: `
				label orders-0
				detach orders-0
				replace orders-0`,
		},
		{
			name: "even when it never served",
			given: `
				orders-0 down stopped old`,
			want: `
				replace orders-0`,
		},
		{
			name: "a master that is to leave waits for a pod with the present template",
			given: `
				replicas 2
				record orders-2
				handoff orders-2
				orders-0 ->orders-2 insync placed old
				orders-1 ->orders-2 insync placed old
				orders-2 master serving`,
			want: `
				label orders-1
				detach orders-1
				replace orders-1
				= outage none
				= scaleTo 3`,
		},
		{
			name: "and hands over to it",
			given: `
				replicas 2
				record orders-2
				handoff orders-2
				orders-0 ->orders-2 insync placed old
				orders-1 ->orders-2 insync placed new
				orders-2 master serving`,
			want: `
				= outage Handover orders-2 seq=100 orders-1`,
		},
		{
			name: "a master whose pod is going takes the successor that there is",
			given: `
				record orders-2
				orders-0 ->orders-2 insync placed old
				orders-1 ->orders-2 insync placed old
				orders-2 master serving deleting`,
			want: `
				= outage Handover orders-2 seq=100 orders-0`,
		},
		{
			name: "nothing is replaced in an outage",
			given: `
				record orders-0
				outage MasterDown 5s
				orders-0 down for=5s attached old
				orders-1 ->orders-0 insync attached label=replica old
				orders-2 down stopped old
				watch-0 ->orders-0 odown
				watch-1 ->orders-0 odown
				watch-2 ->orders-0 odown`,
			want: `
				detach orders-0`,
		},
		{
			name: "a master that cannot start is replaced as well when no member can succeed it",
			given: `
				record orders-0
				outage MasterDown 31s
				orders-0 down stopped for=31s old
				orders-1 self seq=50 had=100 new
				orders-2 self seq=50 had=100 new`,
			want: `
				replace orders-0`,
		},
		{
			name: "unless it lasts, and the pod does not run anyway",
			given: `
				record orders-0
				outage MasterDown 31s
				orders-0 down stopped for=31s old
				orders-1 down stopped for=31s old
				orders-2 self seq=50 had=100`,
			want: `
				replace orders-1`,
		},
	})
}
