package kvrocks_test

import (
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kvrocks/kvrocks-operator/sidecar/kvrocks"
	"github.com/kvrocks/kvrocks-operator/sidecar/kvrocks/redistest"
)

func TestObserveMaster(t *testing.T) {
	t.Parallel()
	onEveryEngine(t, func(t *testing.T, engine redistest.Engine) {
		p, n := start(t, engine)

		info := observe(t, n)

		assert.Equal(t, kvrocks.RoleMaster, info.Role)
		assert.Equal(t, p.Port, info.Port)
		assert.NotEmpty(t, info.Version)
		assert.Positive(t, info.ProcessID)
		assert.False(t, info.Loading)
		assert.Empty(t, info.MasterHost)
		assert.Empty(t, info.Replicas)
		assert.False(t, info.ReplicatesItself())
	})
}

func TestReplicaOfFollowsAndPromoteEndsIt(t *testing.T) {
	t.Parallel()
	onEveryEngine(t, func(t *testing.T, engine redistest.Engine) {
		master, masterNode := start(t, engine)
		replica, replicaNode := start(t, engine)
		ctx := t.Context()

		require.NoError(t, replicaNode.ReplicaOf(ctx, "127.0.0.1", master.Port))
		info := awaitInfo(t, replicaNode, "the link", linked)
		assert.Equal(t, kvrocks.RoleReplica, info.Role)
		assert.Equal(t, "127.0.0.1", info.MasterHost)
		assert.Equal(t, master.Port, info.MasterPort)
		assert.GreaterOrEqual(t, info.LastIO, time.Duration(0))

		master.Do(t, "SET", "k", "v")
		written := observe(t, masterNode).Sequence
		require.Positive(t, written)
		awaitInfo(t, replicaNode, "the write", func(i kvrocks.NodeInfo) bool { return i.Sequence >= written })
		assert.Equal(t, "v", replica.Do(t, "GET", "k"))

		listed := awaitInfo(t, masterNode, "the replica's acknowledgement", func(i kvrocks.NodeInfo) bool {
			return len(i.Replicas) == 1 && i.Replicas[0].Online && i.Replicas[0].Sequence >= written
		}).Replicas[0]
		assert.Equal(t, "127.0.0.1", listed.Host)
		assert.Equal(t, replica.Port, listed.Port)

		require.ErrorIs(t, replicaNode.WriteMarker(ctx, "marker"), kvrocks.ErrReadOnly)
		require.NoError(t, replicaNode.Promote(ctx))
		require.NoError(t, replicaNode.Promote(ctx), "promoting a master changes nothing")
		assert.Equal(t, kvrocks.RoleMaster, observe(t, replicaNode).Role)
		assert.NoError(t, replicaNode.WriteMarker(ctx, "marker"))
	})
}

func TestAReplicaNoticesThatItsMasterEnded(t *testing.T) {
	t.Parallel()
	onEveryEngine(t, func(t *testing.T, engine redistest.Engine) {
		master, _, replica := startLinked(t, engine)

		master.Kill(t)

		info := awaitInfo(t, replica, "the loss of the link", func(i kvrocks.NodeInfo) bool { return !i.LinkUp })
		assert.Equal(t, kvrocks.RoleReplica, info.Role)
		assert.Equal(t, master.Port, info.MasterPort)
	})
}

func TestAReplicaWhoseConnectionIsDroppedConnectsAgain(t *testing.T) {
	t.Parallel()
	onEveryEngine(t, func(t *testing.T, engine redistest.Engine) {
		_, masterNode, replica := startLinked(t, engine)

		dropped, err := masterNode.DropReplicas(t.Context())

		require.NoError(t, err)
		assert.Equal(t, 1, dropped)
		assert.Equal(t, kvrocks.RoleMaster, observe(t, masterNode).Role)
		awaitInfo(t, replica, "the link again", func(i kvrocks.NodeInfo) bool { return i.LinkUp })
		require.NoError(t, masterNode.WriteMarker(t.Context(), "marker"))
	})
}

// A replica that takes nothing, as one whose pod is gone without a word, holds up the thread that feeds it. Closing that connection would make
// the real program answer nothing.
func TestAFeedThatIsBlockedIsNotClosed(t *testing.T) {
	t.Parallel()
	onEveryEngine(t, func(t *testing.T, engine redistest.Engine) {
		master, masterNode := start(t, engine)
		replica, replicaNode := start(t, engine)
		require.NoError(t, replicaNode.ReplicaOf(t.Context(), "127.0.0.1", master.Port))
		awaitInfo(t, replicaNode, "the link", linked)
		replica.Pause(t)
		defer replica.Resume(t)
		big := strings.Repeat("x", 100_000)
		for i := range 160 { // more than the buffers of a connection hold
			master.Do(t, "SET", "big:"+strconv.Itoa(i), big)
		}

		_, err := masterNode.DropReplicas(t.Context())

		require.ErrorIs(t, err, kvrocks.ErrFeedBlocked)
		assert.Equal(t, kvrocks.RoleMaster, observe(t, masterNode).Role)
	})
}

func TestAParkedNodeReplicatesItself(t *testing.T) {
	t.Parallel()
	onEveryEngine(t, func(t *testing.T, engine redistest.Engine) {
		p, _ := start(t, engine)
		parked := "slaveof 127.0.0.1 " + strconv.Itoa(p.Port)
		p.Stop(t)
		p.AddLine(t, parked)
		p.Restart(t)

		n := newNode(t, p.Addr(), kvrocks.Options{Password: password})

		assert.True(t, observe(t, n).ReplicatesItself())
		require.ErrorIs(t, n.WriteMarker(t.Context(), "marker"), kvrocks.ErrReadOnly)
		require.NoError(t, n.Promote(t.Context()))
		assert.False(t, observe(t, n).ReplicatesItself())
	})
}

func TestARestartShowsInTheUptime(t *testing.T) {
	t.Parallel()
	onEveryEngine(t, func(t *testing.T, engine redistest.Engine) {
		p, n := start(t, engine)
		before := awaitInfo(t, n, "a second of uptime", func(i kvrocks.NodeInfo) bool { return i.Uptime > time.Second })

		p.Kill(t)
		_, err := n.Observe(t.Context())
		require.ErrorIs(t, err, kvrocks.ErrUnreachable)
		p.Restart(t)

		assert.Less(t, observe(t, n).Uptime, before.Uptime, "and the node is found again by the first command")
	})
}

func TestTheMarkerRaisesTheSequence(t *testing.T) {
	t.Parallel()
	onEveryEngine(t, func(t *testing.T, engine redistest.Engine) {
		master, masterNode := start(t, engine)
		_, replica := start(t, engine)
		// redis-server counts only while it has a replica.
		require.NoError(t, replica.ReplicaOf(t.Context(), "127.0.0.1", master.Port))
		awaitInfo(t, replica, "the link", func(i kvrocks.NodeInfo) bool { return i.LinkUp })
		before := observe(t, masterNode).Sequence

		require.NoError(t, masterNode.WriteMarker(t.Context(), "marker"))

		assert.Greater(t, observe(t, masterNode).Sequence, before)
	})
}

func TestSettings(t *testing.T) {
	t.Parallel()
	onEveryEngine(t, func(t *testing.T, engine redistest.Engine) {
		p, n := start(t, engine)
		ctx := t.Context()

		require.NoError(t, n.ConfigSet(ctx, "maxclients", "77"))
		got, err := n.ConfigGet(ctx, "maxclients")
		require.NoError(t, err)
		assert.Equal(t, map[string]string{"maxclients": "77"}, got)

		all, err := n.ConfigGet(ctx, "*")
		require.NoError(t, err)
		assert.Equal(t, "77", all["maxclients"])
		assert.Greater(t, len(all), 20)

		unknown, err := n.ConfigGet(ctx, "no-such-setting")
		require.NoError(t, err)
		assert.Empty(t, unknown)

		require.ErrorIs(t, n.ConfigSet(ctx, "no-such-setting", "1"), kvrocks.ErrNotAllowed)
		require.ErrorIs(t, n.ConfigSet(ctx, "daemonize", "yes"), kvrocks.ErrNotAllowed)

		require.NoError(t, n.ConfigRewrite(ctx))
		p.Stop(t)
		p.Restart(t)
		kept, err := n.ConfigGet(ctx, "maxclients")
		require.NoError(t, err)
		assert.Equal(t, "77", kept["maxclients"])
	})
}

func TestARedisThatLoadsIsObserved(t *testing.T) {
	t.Parallel()
	p, n := start(t, redistest.Redis)
	p.Do(t, "DEBUG", "POPULATE", "20000", "key", "100")
	p.Do(t, "SAVE")
	p.Kill(t)
	// Ten times longer than a test waits, looking at clients in between.
	p.AddLine(t, "key-load-delay 10000")
	p.AddLine(t, "loading-process-events-interval-bytes 1024")
	p.Launch(t)

	awaitInfo(t, n, "the loading node to answer", func(i kvrocks.NodeInfo) bool { return i.Loading })

	info := observe(t, n)
	assert.Equal(t, kvrocks.RoleUnknown, info.Role)
	assert.Equal(t, p.Port, info.Port)
	require.ErrorIs(t, n.Ping(t.Context()), kvrocks.ErrLoading)
}

func TestAnIdlePassIsOneCommandPerNode(t *testing.T) {
	t.Parallel()
	onEveryEngine(t, func(t *testing.T, engine redistest.Engine) {
		p, _ := start(t, engine)
		var ops []string
		n := newNode(t, p.Addr(), kvrocks.Options{
			Password:  password,
			OnCommand: func(op string, _ time.Duration, err error) { ops = append(ops, op); assert.NoError(t, err) },
		})
		observe(t, n)
		before := commandCalls(t, p)
		for range 10 {
			observe(t, n)
		}
		after := commandCalls(t, p)

		assert.Len(t, ops, 11)
		assert.Equal(t, "INFO", ops[0])
		delta := map[string]int{}
		for command, calls := range after {
			if d := calls - before[command]; d != 0 {
				delta[command] = d
			}
		}
		// The test's own redis-cli authenticates and asks once.
		assert.Equal(t, 10+1, delta["info"])
		assert.Equal(t, 1, delta["auth"])
		assert.Zero(t, delta["hello"])
		assert.Zero(t, delta["client|setinfo"]+delta["client"])
	})
}

var commandStat = regexp.MustCompile(`cmdstat_([a-z|]+):calls=(\d+)`)

// commandCalls counts what a server was asked, by command.
func commandCalls(t *testing.T, p *redistest.Process) map[string]int {
	t.Helper()
	calls := map[string]int{}
	for _, m := range commandStat.FindAllStringSubmatch(p.Do(t, "INFO", "commandstats"), -1) {
		n, err := strconv.Atoi(m[2])
		require.NoError(t, err)
		calls[m[1]] = n
	}
	require.NotEmpty(t, calls)
	return calls
}
