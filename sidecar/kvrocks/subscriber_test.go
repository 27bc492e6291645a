package kvrocks_test

import (
	"context"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kvrocks/kvrocks-operator/sidecar/kvrocks"
	"github.com/kvrocks/kvrocks-operator/sidecar/kvrocks/redistest"
)

// journal collects the events of one subscriber.
type journal struct {
	mu     sync.Mutex
	events []kvrocks.Event
}

func (j *journal) add(e kvrocks.Event) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.events = append(j.events, e)
}

func (j *journal) all() []kvrocks.Event {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Clone(j.events)
}

func (j *journal) count(name string) int {
	n := 0
	for _, e := range j.all() {
		if e.Name == name {
			n++
		}
	}
	return n
}

func (j *journal) await(t *testing.T, name string, count int) kvrocks.Event {
	t.Helper()
	redistest.Await(t, name, func() bool { return j.count(name) >= count })
	events := j.all()
	slices.Reverse(events)
	return events[slices.IndexFunc(events, func(e kvrocks.Event) bool { return e.Name == name })]
}

// subscribe runs a subscriber until the test ends and checks that it returns then.
func subscribe(t *testing.T, s kvrocks.Subscriber) *journal {
	t.Helper()
	j := &journal{}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx, j.add) }()
	t.Cleanup(func() {
		cancel()
		select {
		case err := <-done:
			assert.ErrorIs(t, err, context.Canceled)
		case <-time.After(5 * time.Second):
			t.Error("the subscriber did not end with its context")
		}
	})
	return j
}

func TestAFailoverArrivesAsEvents(t *testing.T) {
	t.Parallel()
	onEveryEngine(t, func(t *testing.T, engine redistest.Engine) {
		master, replica := pair(t, engine)
		p, s := startSentinel(t)
		ctx := t.Context()
		j := subscribe(t, kvrocks.Subscriber{Addr: p.Addr()})
		j.await(t, kvrocks.EventSubscribed, 1)
		require.NoError(t, s.Monitor(ctx, "orders", "127.0.0.1", master.Port, 1))
		require.NoError(t, s.Set(ctx, "orders", quick))
		assert.Equal(t, "orders", j.await(t, kvrocks.EventMonitor, 1).Master)
		redistest.Await(t, "a replica that can be promoted", func() bool {
			replicas, err := s.Replicas(ctx, "orders")
			return err == nil && len(replicas) == 1 && replicas[0].LinkUp
		})

		killed := time.Now()
		master.Kill(t)

		odown := j.await(t, kvrocks.EventODown, 1)
		assert.Equal(t, kvrocks.InstanceMaster, odown.InstanceType)
		assert.Equal(t, "orders", odown.Master)
		assert.Equal(t, kvrocks.Addr{Host: "127.0.0.1", Port: master.Port}, odown.Addr)
		assert.Equal(t, p.Addr(), odown.Sentinel)
		assert.Equal(t, "#quorum 1/1", odown.Detail)
		assert.True(t, odown.At.After(killed))

		changed := j.await(t, kvrocks.EventSwitchMaster, 1)
		assert.Equal(t, kvrocks.Addr{Host: "127.0.0.1", Port: master.Port}, changed.OldAddr)
		assert.Equal(t, kvrocks.Addr{Host: "127.0.0.1", Port: replica.Port}, changed.Addr)
		assert.Equal(t, changed.Addr, changed.MasterAddr)

		var order []string
		for _, e := range j.all() {
			order = append(order, e.Name)
		}
		wanted := []string{
			kvrocks.EventSDown, kvrocks.EventODown, kvrocks.EventTryFailover, kvrocks.EventElectedLeader,
			kvrocks.EventSelectedReplica, kvrocks.EventPromotedReplica, kvrocks.EventFailoverEnd, kvrocks.EventSwitchMaster,
		}
		// On a busy machine an instance can be found down twice; the first time counts.
		var first []string
		for _, name := range order {
			if slices.Contains(wanted, name) && !slices.Contains(first, name) {
				first = append(first, name)
			}
		}
		assert.Equal(t, wanted, first)

		got, err := s.Master(ctx, "orders")
		require.NoError(t, err)
		assert.Equal(t, replica.Port, got.Port)
		assert.Positive(t, got.ConfigEpoch)
		promoted := newNode(t, replica.Addr(), kvrocks.Options{Password: password})
		assert.Equal(t, kvrocks.RoleMaster, observe(t, promoted).Role)
		for _, e := range j.all() {
			assert.NotContains(t, e.Raw, password)
		}
	})
}

func TestAPlannedFailoverArrivesAsEvents(t *testing.T) {
	t.Parallel()
	onEveryEngine(t, func(t *testing.T, engine redistest.Engine) {
		master, replica := pair(t, engine)
		p, s := startSentinel(t)
		ctx := t.Context()
		j := subscribe(t, kvrocks.Subscriber{Addr: p.Addr()})
		j.await(t, kvrocks.EventSubscribed, 1)
		require.NoError(t, s.Monitor(ctx, "orders", "127.0.0.1", master.Port, 1))
		require.NoError(t, s.Set(ctx, "orders", patient))

		redistest.Await(t, "a failover to be accepted", func() bool { return s.Failover(ctx, "orders") == nil })
		err := s.Failover(ctx, "orders")
		require.ErrorIs(t, err, kvrocks.ErrFailoverInProgress)

		changed := j.await(t, kvrocks.EventSwitchMaster, 1)
		assert.Equal(t, replica.Port, changed.Addr.Port)
		assert.Equal(t, master.Port, changed.OldAddr.Port)
		assert.Zero(t, j.count(kvrocks.EventODown), "nobody was down")
	})
}

func TestASubscriptionIsRemadeAfterARestart(t *testing.T) {
	t.Parallel()
	master, _ := start(t, redistest.Redis)
	p, s := startSentinel(t)
	j := subscribe(t, kvrocks.Subscriber{Addr: p.Addr()})
	j.await(t, kvrocks.EventSubscribed, 1)

	p.Kill(t)
	j.await(t, kvrocks.EventLost, 1)
	p.Restart(t)

	j.await(t, kvrocks.EventSubscribed, 2)
	require.NoError(t, s.Monitor(t.Context(), "orders", "127.0.0.1", master.Port, 1))
	assert.Equal(t, "orders", j.await(t, kvrocks.EventMonitor, 1).Master)
	assert.Equal(t, 1, j.count(kvrocks.EventLost), "attempts in between are no news")
}

func TestASilentSentinelIsNoticed(t *testing.T) {
	t.Parallel()
	p, _ := startSentinel(t)
	j := subscribe(t, kvrocks.Subscriber{
		Addr: p.Addr(), PingEvery: 50 * time.Millisecond, Options: kvrocks.Options{Timeout: time.Second},
	})
	j.await(t, kvrocks.EventSubscribed, 1)

	p.Pause(t)
	lost := j.await(t, kvrocks.EventLost, 1)
	assert.Contains(t, lost.Raw, "timeout")
	p.Resume(t)

	j.await(t, kvrocks.EventSubscribed, 2)
}

func TestAQuietSentinelIsLeftAlone(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	pings := 0
	addr := fakeServer(t, func(args []string) string {
		switch strings.ToLower(args[0]) {
		case "hello":
			return helloOK
		case "psubscribe":
			return "*3\r\n$10\r\npsubscribe\r\n$2\r\n+*\r\n:1\r\n*3\r\n$10\r\npsubscribe\r\n$2\r\n-*\r\n:2\r\n"
		case "ping":
			mu.Lock()
			defer mu.Unlock()
			pings++
			return "*2\r\n$4\r\npong\r\n$0\r\n\r\n"
		}
		return "-ERR unexpected " + args[0] + "\r\n"
	})
	j := subscribe(t, kvrocks.Subscriber{Addr: addr, PingEvery: 20 * time.Millisecond})

	redistest.Await(t, "several pings", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return pings >= 5
	})
	assert.Equal(t, 1, j.count(kvrocks.EventSubscribed))
	assert.Zero(t, j.count(kvrocks.EventLost))
}

func TestSubscribersLeaveNothingBehind(t *testing.T) { // not parallel: it counts goroutines
	p := redistest.StartSentinel(t, redistest.Config{})
	q := redistest.StartSentinel(t, redistest.Config{})
	q.Pause(t)
	defer q.Resume(t)
	before := runtime.NumGoroutine()

	for _, addr := range []string{p.Addr(), q.Addr(), "127.0.0.1:1"} {
		ctx, cancel := context.WithCancel(t.Context())
		subscribed := make(chan struct{}, 1)
		done := make(chan error, 1)
		go func() {
			s := kvrocks.Subscriber{Addr: addr, Options: kvrocks.Options{Timeout: 200 * time.Millisecond}}
			done <- s.Run(ctx, func(e kvrocks.Event) {
				if e.Name == kvrocks.EventSubscribed {
					subscribed <- struct{}{}
				}
			})
		}()
		if addr == p.Addr() {
			<-subscribed
		}
		cancel()
		require.ErrorIs(t, <-done, context.Canceled)
	}

	redistest.Await(t, "every goroutine to end", func() bool { return runtime.NumGoroutine() <= before })
}
