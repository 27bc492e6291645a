package plan_test

import "testing"

// A death that Kubernetes reports does not wait for the sentinels.
func TestKnownDeath(t *testing.T) {
	const watched = `
		watch-0 ->orders-0
		watch-1 ->orders-0
		watch-2 ->orders-0`
	run(t, []scenario{
		{
			name: "the master's pod is gone: it is fenced, the sentinels forget it",
			given: `
				record orders-0
				orders-0 nopod
				orders-1 ->orders-0 seq=98 placed
				orders-2 ->orders-0 seq=99 placed` + watched,
			want: `
				unmonitor watch-0
				unmonitor watch-1
				unmonitor watch-2
				= intent true
				= event SentinelOverruled
				= outage MasterDown orders-0 seq=99
				= PrimaryAvailable False WaitingForMembers`,
		},
		{
			name: "and of the replicas that answer the one with the highest sequence is promoted",
			given: `
				record orders-0
				outage MasterDown 0s
				orders-0 nopod
				orders-1 ->orders-0 seq=98 placed
				orders-2 ->orders-0 seq=99 placed
				watch-0 nothing
				watch-1 nothing
				watch-2 nothing`,
			want: `
				promote orders-2
				= intent true
				= outage MasterDown orders-0 seq=99 orders-2`,
		},
		{
			name: "its new pod has no address yet",
			given: `
				record orders-0
				orders-0 down no-address for=100ms
				orders-1 ->orders-0 placed
				orders-2 ->orders-0 placed` + watched,
			want: `
				unmonitor watch-0
				unmonitor watch-1
				unmonitor watch-2
				= outage MasterDown orders-0 seq=100`,
		},
		{
			name: "a container that has ended in its pod is given a moment to come back with all its data",
			given: `
				record orders-0
				orders-0 down serving stopped for=1400ms
				orders-1 ->orders-0 placed
				orders-2 ->orders-0 placed` + watched,
			want: `
				= outage none
				= PrimaryAvailable False MasterDown`,
		},
		{
			name: "when it does not, it is replaced",
			given: `
				record orders-0
				orders-0 down serving stopped for=1500ms
				orders-1 ->orders-0 placed
				orders-2 ->orders-0 placed` + watched,
			want: `
				label orders-0
				detach orders-0
				unmonitor watch-0
				unmonitor watch-1
				unmonitor watch-2
				= outage MasterDown orders-0 seq=100`,
		},
		{
			name: "Kubernetes waits before it starts it again",
			given: `
				record orders-0
				orders-0 down serving backing-off for=100ms
				orders-1 ->orders-0 placed
				orders-2 ->orders-0 placed` + watched,
			want: `
				label orders-0
				detach orders-0
				unmonitor watch-0
				unmonitor watch-1
				unmonitor watch-2`,
		},
		{
			name: "a pod that is being deleted, and nothing listens any more",
			given: `
				record orders-0
				orders-0 down serving deleting for=100ms
				orders-1 ->orders-0 placed
				orders-2 ->orders-0 placed` + watched,
			want: `
				label orders-0
				detach orders-0
				unmonitor watch-0
				unmonitor watch-1
				unmonitor watch-2`,
		},
		{
			name: "one that is only slow to answer while its pod is deleted is not known to have ended",
			given: `
				record orders-0
				orders-0 hung serving deleting for=300ms
				orders-1 ->orders-0 placed
				orders-2 ->orders-0 placed` + watched,
			want: `
				= outage none`,
		},
		{
			name: "sentinels that have begun an election are waited for",
			given: `
				record orders-0
				orders-0 nopod
				orders-1 ->orders-0 placed
				orders-2 ->orders-0 placed
				watch-0 ->orders-0 odown electing
				watch-1 ->orders-0 odown
				watch-2 ->orders-0 odown`,
			want: `
				= PrimaryAvailable False SentinelElecting`,
		},
		{
			name: "a sentinel that does not answer cannot elect without the others",
			given: `
				record orders-0
				orders-0 nopod
				orders-1 ->orders-0 placed
				orders-2 ->orders-0 placed
				watch-0 ->orders-0
				watch-1 down
				watch-2 ->orders-0`,
			want: `
				unmonitor watch-0
				unmonitor watch-2`,
		},
		{
			name: "two that do not answer can",
			given: `
				record orders-0
				orders-0 nopod
				orders-1 ->orders-0 placed
				orders-2 ->orders-0 placed
				watch-0 ->orders-0
				watch-1 down
				watch-2 down`,
			want: `
				= PrimaryAvailable False SentinelElecting`,
		},
		{
			name: "when its replicas have been started as well, all are waited for",
			given: `
				record orders-0
				orders-0 nopod
				orders-1 self seq=90 insync
				orders-2 self seq=90 insync` + watched,
			want: `
				= outage none
				= PrimaryAvailable False MasterDown`,
		},
		{
			name: "without sentinels as well",
			given: `
				record orders-0
				outage MasterDown 0s
				orders-0 down no-address for=100ms
				orders-1 ->orders-0 seq=99 placed
				orders-2 ->orders-0 seq=98 placed`,
			want: `
				promote orders-1`,
		},
		{
			name: "a process that outlives its pod hands over, so that nothing that it still takes is lost",
			given: `
				record orders-0
				orders-0 master outlives seq=100
				orders-1 ->orders-0 seq=98 placed
				orders-2 ->orders-0 seq=100 placed` + watched,
			want: `
				unmonitor watch-0
				unmonitor watch-1
				unmonitor watch-2
				= event HandoverStarted
				= outage Handover orders-0 seq=98 orders-1`,
		},
		{
			name: "the volume that it had stays on record, so that the pod that comes after it is known by it",
			given: `
				record orders-0
				orders-0 master outlives seq=100 insync had=100 had-volume=a
				orders-1 ->orders-0 seq=98 placed volume=b had-volume=b`,
			want: `
				= volume of orders-0 a
				= volume of orders-1 b
				= outage Handover orders-0 seq=98 orders-1`,
		},
		{
			name: "its writes are stopped like any master's",
			given: `
				record orders-0
				outage Handover 0s orders-2
				orders-0 master outlives seq=101
				orders-1 ->orders-0 seq=98 placed
				orders-2 ->orders-0 seq=100 placed
				watch-0 nothing
				watch-1 nothing
				watch-2 nothing`,
			want: `
				stop orders-0`,
		},
		{
			name: "when it ends on the way the one with the highest sequence succeeds at once",
			given: `
				record orders-0
				outage Handover 0s orders-2
				orders-0 nopod
				orders-1 ->orders-0 seq=101 placed
				orders-2 ->orders-0 seq=100 placed
				watch-0 nothing
				watch-1 nothing
				watch-2 nothing`,
			want: `
				promote orders-1`,
		},
	})
}

func TestKnownDeathOfTheMasterOfAShard(t *testing.T) {
	runCluster(t, []scenario{
		{
			name: "its pod is gone",
			given: `
				0-0 nopod
				0-1 ->0-0 seq=99 placed
				0-2 ->0-0 placed
				watched`,
			want: `
				failover 0-0 -> 0-2
				= 0 outage MasterDown 0-0 seq=100 0-2`,
		},
		{
			name: "one of two is known to be gone",
			given: `
				0-0 down no-address for=100ms
				0-1 ->0-0 seq=99 placed
				watched`,
			want: `
				failover 0-0 -> 0-1`,
		},
		{
			name: "its container is given a moment",
			given: `
				0-0 down serving stopped for=1400ms
				0-1 ->0-0 placed
				0-2 ->0-0 placed
				watched`,
			want: `
				= 0 outage none`,
		},
		{
			name: "a process that outlives its pod hands over",
			given: `
				0-0 master outlives
				0-1 ->0-0 seq=99 placed
				0-2 ->0-0 placed
				watched`,
			want: `
				push 0-0 v=7 stop force
				= 0 outage Handover 0-0 seq=99 0-1`,
		},
	})
}

// Sentinels that answer and call no master down do not hold up an instance for ever.
func TestSentinelsThatDoNotCallADeadMasterDown(t *testing.T) {
	run(t, []scenario{
		{
			name: "in TILT they are named, and waited for with patience",
			given: `
				record orders-0
				orders-0 hung serving for=9s
				orders-1 ->orders-0 placed
				orders-2 ->orders-0 placed
				watch-0 ->orders-0 tilt
				watch-1 ->orders-0 tilt
				watch-2 ->orders-0`,
			want: `
				= SentinelAgreed False SentinelTilt
				= SentinelAgreed: watch-0, watch-1 in TILT: it had no processor for seconds, or its clock jumped, and calls no master down for 30 s
				= outage none
				= PrimaryAvailable False MasterDown`,
		},
		{
			name: "then the master is fenced and they are made to forget it",
			given: `
				record orders-0
				orders-0 hung serving for=10s
				orders-1 ->orders-0 placed heard=9s
				orders-2 ->orders-0 placed heard=9s
				watch-0 ->orders-0 tilt
				watch-1 ->orders-0 tilt
				watch-2 ->orders-0`,
			want: `
				label orders-0
				detach orders-0
				unmonitor watch-0
				unmonitor watch-1
				unmonitor watch-2
				= event SentinelOverruled
				= outage MasterDown orders-0 seq=100`,
		},
		{
			name: "one that does not answer at that moment cannot elect alone",
			given: `
				record orders-0
				orders-0 hung serving for=10s
				orders-1 ->orders-0 placed heard=9s
				orders-2 ->orders-0 placed heard=9s
				watch-0 ->orders-0 tilt
				watch-1 down
				watch-2 ->orders-0`,
			want: `
				label orders-0
				detach orders-0
				unmonitor watch-0
				unmonitor watch-2`,
		},
		{
			name: "two that do not answer may be electing",
			given: `
				record orders-0
				orders-0 hung serving for=20s
				orders-1 ->orders-0 placed heard=9s
				orders-2 ->orders-0 placed heard=9s
				watch-0 down
				watch-1 down
				watch-2 ->orders-0`,
			want: `
				label orders-0
				detach orders-0
				= PrimaryAvailable False SentinelElecting`,
		},
		{
			name: "sentinels that are not in TILT and say nothing are named too",
			given: `
				record orders-0
				orders-0 hung serving for=8s
				orders-1 ->orders-0 placed
				orders-2 ->orders-0 placed
				watch-0 ->orders-0
				watch-1 ->orders-0
				watch-2 ->orders-0`,
			want: `
				= SentinelAgreed False MasterNotCalledDown`,
		},
		{
			name: "a master that its replicas hear from is only out of the sidecar's reach",
			given: `
				record orders-0
				orders-0 hung serving for=60s
				orders-1 ->orders-0 attached label=replica heard=1s
				orders-2 ->orders-0 placed
				watch-0 ->orders-0
				watch-1 ->orders-0
				watch-2 ->orders-0`,
			want: `
				= outage none`,
		},
		{
			name: "a sidecar that reaches no majority is the one that is cut off",
			given: `
				record orders-0
				orders-0 hung serving for=60s
				orders-1 ->orders-0 placed heard=9s
				orders-2 down for=60s
				watch-0 ->orders-0
				watch-1 ->orders-0
				watch-2 ->orders-0`,
			want: `
				= outage none`,
		},
		{
			name: "a failover that a sentinel in TILT was at does not go on",
			given: `
				record orders-0
				outage MasterDown 6s
				orders-0 hung for=12s
				orders-1 ->orders-0 placed
				orders-2 ->orders-0 placed
				watch-0 ->orders-0 odown electing tilt
				watch-1 ->orders-0 tilt
				watch-2 ->orders-0 odown`,
			want: `
				unmonitor watch-0
				unmonitor watch-1
				unmonitor watch-2`,
		},
		{
			name: "one that is at it for ever is overruled as well",
			given: `
				record orders-0
				outage MasterDown 66s
				orders-0 hung for=70s
				orders-1 ->orders-0 placed
				orders-2 ->orders-0 placed
				watch-0 ->orders-0 odown electing
				watch-1 ->orders-0 odown
				watch-2 ->orders-0 odown`,
			want: `
				unmonitor watch-0
				unmonitor watch-1
				unmonitor watch-2`,
		},
		{
			name: "a sentinel in TILT is named while all is well",
			given: `
				record orders-0
				orders-0 master serving
				orders-1 ->orders-0 placed
				watch-0 ->orders-0
				watch-1 ->orders-0 tilt
				watch-2 ->orders-0`,
			want: `
				= SentinelAgreed False SentinelTilt
				= SentinelAgreed: watch-1 in TILT: it had no processor for seconds, or its clock jumped, and calls no master down for 30 s`,
		},
	})
	runCluster(t, []scenario{
		{
			name: "the master of a shard that is not called down is replaced after the same time",
			given: `
				0-0 hung serving for=10s
				0-1 ->0-0 placed heard=9s
				0-2 ->0-0 placed heard=9s
				watched`,
			want: `
				label 0-0
				detach 0-0
				failover 0-0 -> 0-1`,
		},
		{
			name: "and not before",
			given: `
				0-0 hung serving for=9s
				0-1 ->0-0 placed heard=9s
				0-2 ->0-0 placed heard=9s
				watched`,
			want: `
				= 0 outage none`,
		},
	})
}
