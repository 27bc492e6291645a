package kvrocks_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kvrocks/kvrocks-operator/sidecar/kvrocks"
	"github.com/kvrocks/kvrocks-operator/sidecar/kvrocks/redistest"
)

func TestPasswords(t *testing.T) {
	t.Parallel()
	onEveryEngine(t, func(t *testing.T, engine redistest.Engine) {
		p, n := start(t, engine)
		ctx := t.Context()
		none := newNode(t, p.Addr(), kvrocks.Options{})
		wrong := newNode(t, p.Addr(), kvrocks.Options{Password: "wr0ng-secret"})

		for range 2 { // a refusal does not spoil the next attempt
			require.ErrorIs(t, none.Ping(ctx), kvrocks.ErrNoAuth)
			err := wrong.Ping(ctx)
			require.ErrorIs(t, err, kvrocks.ErrWrongPassword)
			assert.NotContains(t, err.Error(), "wr0ng-secret")
			_, err = wrong.Observe(ctx)
			require.ErrorIs(t, err, kvrocks.ErrWrongPassword)
		}

		require.NoError(t, n.Ping(ctx))
		require.NoError(t, n.ConfigSet(ctx, "requirepass", "wr0ng-secret"))
		require.NoError(t, n.Ping(ctx), "an open connection survives the change")
		assert.NoError(t, wrong.Ping(ctx))
	})
}

func TestAHungNodeTimesOutAndIsFoundAgain(t *testing.T) {
	t.Parallel()
	onEveryEngine(t, func(t *testing.T, engine redistest.Engine) {
		p, _ := start(t, engine)
		known := newNode(t, p.Addr(), kvrocks.Options{Password: password, Timeout: 300 * time.Millisecond})
		fresh := newNode(t, p.Addr(), kvrocks.Options{Password: password, Timeout: 300 * time.Millisecond})
		redistest.Await(t, "the first answer", func() bool { return known.Ping(t.Context()) == nil })

		p.Pause(t)
		for name, n := range map[string]*kvrocks.Node{"open connection": known, "new connection": fresh} {
			began := time.Now()
			_, err := n.Observe(t.Context())
			require.ErrorIs(t, err, kvrocks.ErrTimeout, name)
			require.ErrorIs(t, err, kvrocks.ErrUnreachable, name)
			require.NotErrorIs(t, err, kvrocks.ErrRefused, name)
			assert.Less(t, time.Since(began), 2*time.Second, name)
		}
		p.Resume(t)

		redistest.Await(t, "an answer after the pause", func() bool { return known.Ping(t.Context()) == nil })
	})
}

func TestNobodyListens(t *testing.T) {
	t.Parallel()
	p, n := start(t, redistest.Redis)
	p.Kill(t)

	for range 3 { // each attempt dials
		_, err := n.Observe(t.Context())
		require.ErrorIs(t, err, kvrocks.ErrRefused)
		require.ErrorIs(t, err, kvrocks.ErrUnreachable)
		require.NotErrorIs(t, err, kvrocks.ErrTimeout)
	}

	p.Restart(t)
	assert.NoError(t, n.Ping(t.Context()), "found again by the first attempt")
}

func TestALossIsToldOfAndTheNextCommandDialsAgain(t *testing.T) {
	t.Parallel()
	onEveryEngine(t, func(t *testing.T, engine redistest.Engine) {
		p := redistest.Start(t, engine, redistest.Config{})
		lost := make(chan struct{}, 8)
		n := newNode(t, p.Addr(), kvrocks.Options{OnLost: func() { lost <- struct{}{} }})
		for range 2 {
			require.NoError(t, n.Ping(t.Context()))
			p.Kill(t)
			select {
			case <-lost:
			case <-time.After(5 * time.Second):
				t.Fatal("nobody was told")
			}
			_, err := n.Observe(t.Context())
			require.ErrorIs(t, err, kvrocks.ErrRefused)
			p.Restart(t)
		}
		require.NoError(t, n.Ping(t.Context()))
		assert.Empty(t, lost, "one loss is told once")
	})
}

func TestAContextThatEndsBlamesNobody(t *testing.T) {
	t.Parallel()
	p, n := start(t, redistest.Redis)
	require.NoError(t, n.Ping(t.Context()))

	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	err := n.Ping(canceled)
	require.ErrorIs(t, err, context.Canceled)
	require.NotErrorIs(t, err, kvrocks.ErrUnreachable)

	p.Pause(t)
	short, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	err = n.Ping(short)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.NotErrorIs(t, err, kvrocks.ErrUnreachable)
	p.Resume(t)

	assert.NoError(t, n.Ping(t.Context()))
}
