package kvrocks_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kvrocks/kvrocks-operator/sidecar/kvrocks"
	"github.com/kvrocks/kvrocks-operator/sidecar/kvrocks/redistest"
)

func newSentinel(t *testing.T, addr string, o kvrocks.Options) *kvrocks.Sentinel {
	t.Helper()
	if o.Timeout == 0 {
		o.Timeout = 5 * time.Second
	}
	s := kvrocks.NewSentinel(addr, o)
	t.Cleanup(func() { assert.NoError(t, s.Close()) })
	return s
}

func startSentinel(t *testing.T) (*redistest.Process, *kvrocks.Sentinel) {
	t.Helper()
	p := redistest.StartSentinel(t, redistest.Config{})
	return p, newSentinel(t, p.Addr(), kvrocks.Options{})
}

// quick are settings under which a failover takes about a second.
var quick = kvrocks.Settings{
	DownAfter: 500 * time.Millisecond, FailoverTimeout: 5 * time.Second, ParallelSyncs: 1, AuthPass: password,
}

// patient are settings under which a busy machine is not taken for a dead node.
var patient = kvrocks.Settings{
	DownAfter: time.Minute, FailoverTimeout: 5 * time.Second, ParallelSyncs: 1, AuthPass: password,
}

// pair runs a master and its replica, linked.
func pair(t *testing.T, engine redistest.Engine) (master, replica *redistest.Process) {
	t.Helper()
	master, masterNode := start(t, engine)
	replica, replicaNode := start(t, engine)
	require.NoError(t, replicaNode.ReplicaOf(t.Context(), "127.0.0.1", master.Port))
	awaitInfo(t, replicaNode, "the link", linked)
	awaitInfo(t, masterNode, "the replica to be listed", func(i kvrocks.NodeInfo) bool { return len(i.Replicas) == 1 })
	return master, replica
}

func TestMonitorSetAndRemove(t *testing.T) {
	t.Parallel()
	master, replica := pair(t, redistest.Redis)
	_, s := startSentinel(t)
	ctx := t.Context()
	require.NoError(t, s.Ping(ctx))

	masters, err := s.Masters(ctx)
	require.NoError(t, err)
	assert.Empty(t, masters)

	require.NoError(t, s.Monitor(ctx, "orders", "127.0.0.1", master.Port, 2))
	settings := patient
	settings.Quorum = 1
	require.NoError(t, s.Set(ctx, "orders", settings))
	require.NoError(t, s.Set(ctx, "orders", kvrocks.Settings{}), "nothing to set")

	got, err := s.Master(ctx, "orders")
	require.NoError(t, err)
	assert.Equal(t, "orders", got.Name)
	assert.Equal(t, "127.0.0.1", got.Host)
	assert.Equal(t, master.Port, got.Port)
	assert.Equal(t, 1, got.Quorum)
	assert.Equal(t, patient.DownAfter, got.DownAfter)
	assert.Equal(t, patient.FailoverTimeout, got.FailoverTimeout)
	assert.Equal(t, patient.ParallelSyncs, got.ParallelSyncs)
	assert.Zero(t, got.NumOtherSentinels)
	assert.Zero(t, got.ConfigEpoch)

	redistest.Await(t, "the sentinel to learn of the replica", func() bool {
		replicas, err := s.Replicas(ctx, "orders")
		require.NoError(t, err)
		return len(replicas) == 1 && replicas[0].LinkUp && replicas[0].RoleReported == kvrocks.RoleReplica
	})
	replicas, err := s.Replicas(ctx, "orders")
	require.NoError(t, err)
	assert.Equal(t, replica.Port, replicas[0].Port)
	assert.Equal(t, "127.0.0.1", replicas[0].Host)
	assert.Equal(t, master.Port, replicas[0].MasterPort)
	assert.Equal(t, kvrocks.Flags{}, replicas[0].Flags)
	assert.NotEmpty(t, replicas[0].RunID)

	masters, err = s.Masters(ctx)
	require.NoError(t, err)
	require.Len(t, masters, 1)
	assert.Equal(t, 1, masters[0].NumReplicas)
	assert.Equal(t, kvrocks.RoleMaster, masters[0].RoleReported)
	assert.Equal(t, kvrocks.Flags{}, masters[0].Flags)

	host, port, err := s.MasterAddr(ctx, "orders")
	require.NoError(t, err)
	assert.Equal(t, "127.0.0.1", host)
	assert.Equal(t, master.Port, port)
	require.NoError(t, s.CheckQuorum(ctx, "orders"))

	require.ErrorIs(t, s.Monitor(ctx, "orders", "127.0.0.1", master.Port, 1), kvrocks.ErrDuplicateMaster)
	require.ErrorIs(t, s.Monitor(ctx, "other", "no host", 1, 1), kvrocks.ErrUnresolvable)
	require.NoError(t, s.Remove(ctx, "orders"))
	require.ErrorIs(t, s.Remove(ctx, "orders"), kvrocks.ErrNoSuchMaster)
}

func TestEveryCommandSaysThatTheMasterIsUnknown(t *testing.T) {
	t.Parallel()
	_, s := startSentinel(t)
	ctx := t.Context()

	_, err := s.Master(ctx, "nobody")
	require.ErrorIs(t, err, kvrocks.ErrNoSuchMaster)
	_, err = s.Sentinels(ctx, "nobody")
	require.ErrorIs(t, err, kvrocks.ErrNoSuchMaster)
	_, err = s.Replicas(ctx, "nobody")
	require.ErrorIs(t, err, kvrocks.ErrNoSuchMaster)
	_, _, err = s.MasterAddr(ctx, "nobody")
	require.ErrorIs(t, err, kvrocks.ErrNoSuchMaster)
	require.ErrorIs(t, s.Set(ctx, "nobody", quick), kvrocks.ErrNoSuchMaster)
	require.ErrorIs(t, s.CheckQuorum(ctx, "nobody"), kvrocks.ErrNoSuchMaster)
	require.ErrorIs(t, s.Failover(ctx, "nobody"), kvrocks.ErrNoSuchMaster)
}

func TestSentinelsKnowEachOtherAndTheirGhosts(t *testing.T) {
	t.Parallel()
	master, _ := pair(t, redistest.Redis)
	one, s := startSentinel(t)
	two, peer := startSentinel(t)
	ctx := t.Context()
	for _, each := range []*kvrocks.Sentinel{s, peer} {
		require.NoError(t, each.Monitor(ctx, "orders", "127.0.0.1", master.Port, 2))
		require.NoError(t, each.Set(ctx, "orders", quick))
	}
	var peers []kvrocks.Peer
	redistest.Await(t, "discovery", func() bool {
		var err error
		peers, err = s.Sentinels(ctx, "orders")
		require.NoError(t, err)
		return len(peers) == 1 && !peers[0].Flags.Disconnected
	})
	require.NoError(t, s.CheckQuorum(ctx, "orders"))
	id, err := peer.MyID(ctx)
	require.NoError(t, err)
	assert.Equal(t, id, peers[0].RunID)
	assert.Equal(t, two.Port, peers[0].Port)
	assert.Equal(t, kvrocks.Flags{}, peers[0].Flags)
	assert.NotEqual(t, one.Port, two.Port)

	two.Kill(t)
	redistest.Await(t, "the ghost to be flagged", func() bool {
		peers, err := s.Sentinels(ctx, "orders")
		require.NoError(t, err)
		return len(peers) == 1 && peers[0].Flags.SDown && peers[0].Flags.Disconnected
	})
	require.ErrorIs(t, s.CheckQuorum(ctx, "orders"), kvrocks.ErrNoQuorum)
	got, err := s.Master(ctx, "orders")
	require.NoError(t, err)
	assert.Equal(t, 1, got.NumOtherSentinels, "a ghost counts")
}

func TestFailoverWithoutAReplica(t *testing.T) {
	t.Parallel()
	master, _ := start(t, redistest.Redis)
	_, s := startSentinel(t)
	require.NoError(t, s.Monitor(t.Context(), "orders", "127.0.0.1", master.Port, 1))

	assert.ErrorIs(t, s.Failover(t.Context(), "orders"), kvrocks.ErrNoGoodReplica)
}

func TestSentinelPasswordAndHungSentinel(t *testing.T) {
	t.Parallel()
	p := redistest.StartSentinel(t, redistest.Config{Password: password})
	ctx := t.Context()

	_, err := newSentinel(t, p.Addr(), kvrocks.Options{}).Masters(ctx)
	require.ErrorIs(t, err, kvrocks.ErrNoAuth)
	_, err = newSentinel(t, p.Addr(), kvrocks.Options{Password: "another"}).Masters(ctx)
	require.ErrorIs(t, err, kvrocks.ErrWrongPassword)
	s := newSentinel(t, p.Addr(), kvrocks.Options{Password: password, Timeout: time.Second})
	_, err = s.Masters(ctx)
	require.NoError(t, err)

	p.Pause(t)
	_, err = s.Masters(ctx)
	require.ErrorIs(t, err, kvrocks.ErrTimeout)
	p.Resume(t)
	p.Kill(t)
	_, err = s.Masters(ctx)
	assert.ErrorIs(t, err, kvrocks.ErrUnreachable)
}

func TestTheConnectionsOfOneSentinelAreDroppedAndMadeAnew(t *testing.T) {
	t.Parallel()
	onEveryEngine(t, func(t *testing.T, engine redistest.Engine) {
		p, n := start(t, engine)
		ctx := t.Context()
		_, s := startSentinel(t)
		_, other := startSentinel(t)
		for _, sentinel := range []*kvrocks.Sentinel{s, other} {
			require.NoError(t, sentinel.Monitor(ctx, "orders", "127.0.0.1", p.Port, 2))
			require.NoError(t, sentinel.Set(ctx, "orders", patient))
		}
		id, err := s.MyID(ctx)
		require.NoError(t, err)
		links := func(id string) (ids []string) {
			for line := range strings.Lines(p.Do(t, "CLIENT", "LIST")) {
				if strings.Contains(line, " name=sentinel-"+id[:8]+"-") {
					ids = append(ids, strings.Fields(line)[0])
				}
			}
			return ids
		}
		otherID, err := other.MyID(ctx)
		require.NoError(t, err)
		redistest.Await(t, "the connections of both sentinels", func() bool { return len(links(id)) == 2 && len(links(otherID)) == 2 })
		before, untouched := links(id), links(otherID)

		dropped, err := n.DropSentinel(ctx, id)

		require.NoError(t, err)
		assert.Equal(t, 2, dropped, "one for commands, one for messages")
		redistest.Await(t, "new connections", func() bool {
			now := links(id)
			return len(now) == 2 && !slices.Contains(now, before[0]) && !slices.Contains(now, before[1])
		})
		assert.ElementsMatch(t, untouched, links(otherID))
		stats, err := s.Stats(ctx)
		require.NoError(t, err)
		assert.Positive(t, stats.CPU)
		assert.False(t, stats.Tilt)
	})
}
