package plan_test

import "testing"

func TestSentinelRepair(t *testing.T) {
	const healthy = `
		record orders-0
		orders-0 master serving
		orders-1 ->orders-0 placed`
	run(t, []scenario{
		{
			name: "a fresh instance is registered with every sentinel at once",
			given: healthy + `
				watch-0 nothing
				watch-1 nothing
				watch-2 nothing
				watch-3 nothing
				watch-4 nothing`,
			want: `
				monitor watch-0 ->orders-0 quorum=3
				monitor watch-1 ->orders-0 quorum=3
				monitor watch-2 ->orders-0 quorum=3
				monitor watch-3 ->orders-0 quorum=3
				monitor watch-4 ->orders-0 quorum=3
				= SentinelAgreed False MonitorMissing`,
		},
		{
			name: "a master that is not attached yet is not registered: no sentinel could reach it",
			given: `
				record orders-0
				orders-0 master
				watch-0 nothing
				watch-1 nothing
				watch-2 nothing`,
			want: `
				label orders-0 master
				attach orders-0`,
		},
		{
			name: "a replaced sentinel is given its monitor, and only then is its ghost removed",
			given: healthy + `
				watch-0 ->orders-0 ghost-peer
				watch-1 ->orders-0 ghost-peer
				watch-3 nothing`,
			want: `
				monitor watch-3 ->orders-0 quorum=2`,
		},
		{
			name: "the connections of a sentinel that spins are renewed",
			given: healthy + `
				watch-0 ->orders-0
				watch-1 ->orders-0 spinning
				watch-2 ->orders-0`,
			want: `
				renew watch-1 [orders-0 orders-1]
				= event SentinelSpinning
				= SentinelAgreed True Agreed`,
		},
		{
			name: "while a node is away, a sentinel would only begin to spin again",
			given: `
				record orders-0
				orders-0 master serving
				orders-1 down
				watch-0 ->orders-0 spinning
				watch-1 ->orders-0 spinning
				watch-2 ->orders-0 spinning`,
		},
		{
			name: "an election is not disturbed by renewed connections",
			given: healthy + `
				watch-0 ->orders-0 electing
				watch-1 ->orders-0 spinning
				watch-2 ->orders-0`,
		},
		{
			name: "ghosts are removed from one sentinel at a time",
			given: healthy + `
				watch-0 ->orders-0 ghost-peer
				watch-1 ->orders-0 ghost-peer
				watch-2 ->orders-0`,
			want: `
				remonitor watch-0 ->orders-0 quorum=2
				= SentinelAgreed False MonitorWrong`,
		},
		{
			name: "the next one waits until the last one has found the others again",
			given: healthy + `
				watch-0 ->orders-0 alone
				watch-1 ->orders-0 ghost-peer
				watch-2 ->orders-0`,
			want: `
				= SentinelAgreed False PeersUnknown`,
		},
		{
			name: "ghosts stay while a sentinel is away",
			given: healthy + `
				watch-0 ->orders-0 ghost-peer
				watch-1 ->orders-0
				watch-2 down`,
			want: `
				= SentinelAgreed False SentinelUnreachable`,
		},
		{
			name: "an address that is no member any more is a ghost replica",
			given: healthy + `
				watch-0 ->orders-0
				watch-1 ->orders-0 ghost-replica
				watch-2 ->orders-0`,
			want: `
				remonitor watch-1 ->orders-0 quorum=2
				= SentinelAgreed: watch-1 still knows replica 10.96.9.9`,
		},
		{
			name: "a replica that vanished and is still listed by the master would only be found again",
			given: `
				record orders-0
				orders-0 master serving lists=10.96.9.9
				orders-1 ->orders-0 placed
				watch-0 ->orders-0
				watch-1 ->orders-0 ghost-replica
				watch-2 ->orders-0`,
			want: `
				= SentinelAgreed True Agreed`,
		},
		{
			name: "a master that is listed as its own replica is a ghost too",
			given: healthy + `
				watch-0 ->orders-0 self-replica
				watch-1 ->orders-0
				watch-2 ->orders-0`,
			want: `
				remonitor watch-0 ->orders-0 quorum=2`,
		},
		{
			name: "sentinels with a wrong master are set right all at once, or they would spoil each other",
			given: healthy + `
				watch-0 ->orders-1
				watch-1 ->orders-1
				watch-2 ->orders-0`,
			want: `
				remonitor watch-0 ->orders-0 quorum=2
				remonitor watch-1 ->orders-0 quorum=2`,
		},
		{
			name: "a wrong quorum is tuned",
			given: healthy + `
				watch-0 ->orders-0 quorum=1
				watch-1 ->orders-0
				watch-2 ->orders-0`,
			want: `
				tune watch-0 quorum=2
				= SentinelAgreed False MonitorWrong`,
		},
		{
			name: "nothing is repaired during a failover",
			given: healthy + `
				watch-0 ->orders-0 electing
				watch-1 ->orders-0 ghost-peer
				watch-2 nothing`,
			want: `
				= SentinelAgreed False FailoverInProgress`,
		},
		{
			name: "nothing is repaired without the quorum",
			given: healthy + `
				watch-0 nothing
				watch-1 down
				watch-2 down`,
			want: `
				= SentinelAgreed False QuorumLost
				= PrimaryAvailable True MasterServing`,
		},
		{
			name:  "an instance whose sentinel does not exist works and says so",
			given: "no-such-sentinel" + healthy,
			want: `
				= SentinelAgreed False SentinelNotFound
				= PrimaryAvailable True MasterServing
				= ReplicationHealthy True ReplicasLinked`,
		},
	})
}

func TestRelease(t *testing.T) {
	run(t, []scenario{
		{
			name: "the monitors are removed and nothing else is touched",
			given: `
				release
				record orders-0
				orders-0 master serving
				orders-1 self placed
				watch-0 ->orders-0
				watch-1 ->orders-0
				watch-2 nothing`,
			want: `
				unmonitor watch-0
				unmonitor watch-1
				= released false
				= SentinelAgreed Unknown Releasing`,
		},
		{
			name: "it is released when no sentinel knows it",
			given: `
				release
				record orders-0
				orders-0 nopod
				watch-0 nothing
				watch-1 nothing
				watch-2 nothing`,
			want: `
				= released true`,
		},
		{
			name: "a sentinel that does not answer holds it up",
			given: `
				release
				record orders-0
				orders-0 master serving
				watch-0 nothing
				watch-1 nothing
				watch-2 down`,
			want: `
				= released false`,
		},
		{
			name: "but not for more than a minute",
			given: `
				release
				releasing 61s
				record orders-0
				orders-0 master serving
				watch-0 nothing
				watch-1 nothing
				watch-2 down`,
			want: `
				set orders-0 map[replica-announce-ip:127.0.0.1]
				= released true
				= event ReleasedUnseen`,
		},
		{
			name: "a sentinel instance that does not exist holds nothing up",
			given: `
				release
				no-such-sentinel
				record orders-0
				orders-0 master serving`,
			want: `
				set orders-0 map[replica-announce-ip:127.0.0.1]
				= released true`,
		},
	})
}
