package kvrocks_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kvrocks/kvrocks-operator/sidecar/kvrocks"
	"github.com/kvrocks/kvrocks-operator/sidecar/kvrocks/redistest"
)

// A password is changed between two sentinels without a moment in which they could not connect to each other.
func TestThePasswordOfSentinelsIsChangedLive(t *testing.T) {
	t.Parallel()
	const next = kvrocks.Secret(`ne"w\pass`)
	ctx := t.Context()
	master, _ := start(t, redistest.Redis)
	var processes []*redistest.Process
	var conns []*kvrocks.Sentinel
	for range 2 {
		p := redistest.StartSentinel(t, redistest.Config{Password: password})
		s := newSentinel(t, p.Addr(), kvrocks.Options{Password: password})
		require.NoError(t, s.Monitor(ctx, "orders", "127.0.0.1", master.Port, 2))
		require.NoError(t, s.Set(ctx, "orders", patient))
		processes, conns = append(processes, p), append(conns, s)
	}
	acquainted := func() bool {
		for _, s := range conns {
			peers, err := s.Sentinels(ctx, "orders")
			if err != nil || len(peers) != 1 || peers[0].Flags.Disconnected || peers[0].Flags.SDown {
				return false
			}
		}
		return true
	}
	redistest.Await(t, "the sentinels to find each other", acquainted)
	access := func(s *kvrocks.Sentinel) kvrocks.SentinelAccess {
		a, err := s.Access(ctx)
		require.NoError(t, err)
		return a
	}
	// reconnect ends the connections between them, so that they have to log in again.
	reconnect := func(with kvrocks.Secret) {
		for i, p := range processes {
			_ = p.Do(t, "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
			s := newSentinel(t, p.Addr(), kvrocks.Options{Password: with})
			require.NoError(t, s.Ping(ctx))
			conns[i] = s
		}
		redistest.Await(t, "the sentinels to connect again", acquainted)
	}
	before := access(conns[0])
	assert.True(t, before.Accepts(password) && !before.Accepts(next) && !before.AcceptsOthers(password))
	assert.False(t, before.Open || before.Presents(password))

	for _, s := range conns {
		require.NoError(t, s.AcceptPassword(ctx, next))
	}
	reconnect(next)
	both := access(conns[0])
	assert.True(t, both.Accepts(password) && both.Accepts(next) && both.AcceptsOthers(next))

	for _, s := range conns {
		require.NoError(t, s.PresentPassword(ctx, next))
	}
	reconnect(next)
	assert.True(t, access(conns[0]).Presents(next))

	for _, s := range conns {
		require.NoError(t, s.AcceptOnlyPassword(ctx, next))
	}
	after := access(conns[1])
	assert.True(t, after.Accepts(next) && !after.AcceptsOthers(next))
	require.NoError(t, conns[0].Ping(ctx), "an open connection stays")
	require.ErrorIs(t, newSentinel(t, processes[0].Addr(), kvrocks.Options{Password: password}).Ping(ctx), kvrocks.ErrWrongPassword)
	for i, p := range processes {
		conns[i] = newSentinel(t, p.Addr(), kvrocks.Options{Password: next})
	}
	redistest.Await(t, "the sentinels to stay connected", acquainted)
}
