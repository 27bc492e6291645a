package quorum_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/quorum"
)

type addresses []string

func (a addresses) HaveAddress(address string) bool { return slices.Contains(a, address) }

// proved is the master that the sentinels of these tests are to watch.
func proved() quorum.Master {
	return quorum.Master{
		Name: "orders", Pod: "orders-0", Proved: true, Address: master, Port: 6379,
		Failover: v1alpha1.Failover{DownAfterMilliseconds: 5000, FailoverTimeoutMilliseconds: 20000, ParallelSyncs: 1},
		Replicas: []string{"listed"},
		Members:  addresses{master, replica},
	}
}

// right is a sentinel that has everything as wanted, among three, changed as the case needs.
func right(pod string, change ...func(*quorum.Opinion)) quorum.Opinion {
	o := watching(pod, master)
	o.Master.Port, o.Master.Quorum, o.Master.DownAfterMilliseconds = 6379, 2, 5000
	o.Master.FailoverTimeoutMilliseconds, o.Master.ParallelSyncs = 20000, 1
	for _, peer := range []string{"w-0", "w-1", "w-2"} {
		if peer != pod {
			o.Master.Peers = append(o.Master.Peers, "ip-"+peer)
		}
	}
	o.Master.Replicas = []string{replica, "listed"}
	for _, f := range change {
		f(&o)
	}
	return o
}

func TestAgreement(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		first    func(*quorum.Opinion) // what is otherwise with the first of three sentinels
		master   func(*quorum.Master)
		reason   string
		message  string
		opinions []quorum.Opinion // instead of three
	}{
		{name: "all is well", reason: "Agreed", message: "every sentinel monitors orders-0"},
		{name: "one does not answer", first: silent, reason: "SentinelUnreachable", message: "2 of 3 sentinels answer"},
		{
			name: "too few answer", opinions: []quorum.Opinion{right("w-0"), right("w-1", silent), right("w-2", silent)},
			reason: "QuorumLost", message: "1 of 3 sentinels answer; an election needs 2",
		},
		{
			name: "one pod is missing", opinions: []quorum.Opinion{right("w-0"), right("w-1")},
			reason: "SentinelUnreachable", message: "2 of 3 sentinels answer",
		},
		{
			name: "one stands still", first: tilted, reason: "SentinelTilt",
			message: "w-0 in TILT: it had no processor for seconds, or its clock jumped, and calls no master down for 30 s",
		},
		{
			name: "so many stand still that none can be elected", opinions: []quorum.Opinion{right("w-0", tilted), right("w-1", tilted), right("w-2")},
			master: func(m *quorum.Master) { m.Replaced = true }, reason: "SentinelTilt",
			message: "w-0, w-1 in TILT: it had no processor for seconds, or its clock jumped, and calls no master down for 30 s",
		},
		{
			name: "a master that they should have called down", master: func(m *quorum.Master) { m.Uncalled, m.Replaced = true, true },
			reason:  "MasterNotCalledDown",
			message: "orders-0 has been silent for longer than downAfterMilliseconds, and the sentinels do not call it down",
		},
		{
			name: "a planned move", master: func(m *quorum.Master) { m.Replaced = true },
			reason: "FailoverInProgress", message: "the master is being replaced",
		},
		{name: "an election", first: failingOver, reason: "FailoverInProgress", message: "the master is being replaced"},
		{name: "one has forgotten", first: forgot, reason: "MonitorMissing", message: "w-0 does not monitor orders"},
		{
			name: "no master is proved", master: func(m *quorum.Master) { *m = quorum.Master{Name: m.Name} },
			reason: "MonitorWrong", message: "there is no master to agree on",
		},
		{
			name: "another address", first: func(o *quorum.Opinion) { o.Master.Address = other },
			reason: "MonitorWrong", message: "w-0 takes 10.0.0.3 for the master",
		},
		{
			name: "another port", first: func(o *quorum.Opinion) { o.Master.Port = 1 },
			reason: "MonitorWrong", message: "w-0 takes 10.0.0.1 for the master",
		},
		{
			name: "another quorum", first: func(o *quorum.Opinion) { o.Master.Quorum = 1 },
			reason: "MonitorWrong", message: "w-0 has other settings",
		},
		{
			name: "another setting", first: func(o *quorum.Opinion) { o.Master.ParallelSyncs = 5 },
			reason: "MonitorWrong", message: "w-0 has other settings",
		},
		{
			name: "a ghost among the peers", first: func(o *quorum.Opinion) { o.Master.Peers = append(o.Master.Peers, "ip-w-9") },
			reason: "MonitorWrong", message: "w-0 still knows sentinel ip-w-9",
		},
		{
			name: "a ghost among the replicas", first: func(o *quorum.Opinion) { o.Master.Replicas = append(o.Master.Replicas, other) },
			reason: "MonitorWrong", message: "w-0 still knows replica 10.0.0.3",
		},
		{
			name: "the master as its own replica", first: func(o *quorum.Opinion) { o.Master.Replicas = []string{master} },
			reason: "MonitorWrong", message: "w-0 still knows replica 10.0.0.1, which is the master",
		},
		{
			name: "a peer that it has not found", first: func(o *quorum.Opinion) { o.Master.Peers = o.Master.Peers[:1] },
			reason: "PeersUnknown", message: "w-0 has not found every other sentinel yet",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			opinions := c.opinions
			if opinions == nil {
				opinions = []quorum.Opinion{right("w-0"), right("w-1"), right("w-2")}
			}
			if c.first != nil {
				c.first(&opinions[0])
			}
			m := proved()
			if c.master != nil {
				c.master(&m)
			}
			v := quorum.New(3, opinions, master, nil)
			reason, message, ok := v.Agreement(&m)
			assert.Equal(t, c.reason, reason)
			assert.Equal(t, c.message, message)
			assert.Equal(t, c.reason == "Agreed", ok)
		})
	}
}

func TestAgreementWithoutSentinels(t *testing.T) {
	t.Parallel()
	m := proved()
	none := quorum.Absent(false, 0)
	reason, _, ok := none.Agreement(&m)
	assert.Equal(t, "NotMonitored", reason)
	assert.True(t, ok, "no sentinel can disagree")
	missing := quorum.Absent(true, 3)
	reason, _, ok = missing.Agreement(&m)
	assert.Equal(t, "SentinelNotFound", reason)
	assert.False(t, ok)
}

func TestHealth(t *testing.T) {
	t.Parallel()
	for want, opinions := range map[string][]quorum.Opinion{
		"Agreed":              {right("w-0"), right("w-1", forgot), right("w-2", failingOver)},
		"SentinelUnreachable": {right("w-0"), right("w-1", silent), right("w-2", tilted)},
		"QuorumLost":          {right("w-0", silent), right("w-1", silent), right("w-2", tilted)},
		"SentinelTilt":        {right("w-0"), right("w-1"), right("w-2", tilted)},
	} {
		v := quorum.New(3, opinions, master, nil)
		reason, _ := v.Health()
		assert.Equal(t, want, reason)
	}
}

// TestWhatIsStaleIsForgottenByOneAtATime holds that a sentinel forgets only while the others can do without it.
func TestWhatIsStaleIsForgottenByOneAtATime(t *testing.T) {
	t.Parallel()
	m := proved()
	ghost := func(o *quorum.Opinion) { o.Master.Replicas = append(o.Master.Replicas, other) }
	v := quorum.New(3, []quorum.Opinion{right("w-0"), right("w-1", ghost), right("w-2", ghost)}, master, nil)
	stale := v.WithStaleEntries(&m)
	require.NotNil(t, stale)
	assert.Equal(t, "w-1", stale.Pod)
	assert.True(t, v.OthersConverged(stale, &m))

	v = quorum.New(3, []quorum.Opinion{right("w-0", forgot), right("w-1", ghost), right("w-2")}, master, nil)
	require.NotNil(t, v.WithStaleEntries(&m))
	assert.False(t, v.OthersConverged(&v.Opinions[1], &m), "w-0 watches nothing")

	v = quorum.New(3, []quorum.Opinion{right("w-0", silent), right("w-1", ghost), right("w-2")}, master, nil)
	assert.Nil(t, v.WithStaleEntries(&m), "the rest would be no quorum")
	v = quorum.New(3, []quorum.Opinion{right("w-0"), right("w-1"), right("w-2")}, master, nil)
	assert.Nil(t, v.WithStaleEntries(&m))
}
