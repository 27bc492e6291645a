package scenarios

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

// slotRange is the slots from first to last, both included.
type slotRange struct{ first, last int }

func (r slotRange) String() string { return fmt.Sprintf("%d-%d", r.first, r.last) }

func (r slotRange) has(slot int) bool { return slot >= r.first && slot <= r.last }

// numbers are those whose keys w:0, w:1, w:2 … fall into the slots.
func (r slotRange) numbers(yield func(int) bool) {
	for n := range naturals {
		if r.has(slotOf(fmt.Sprintf("w:%d", n))) && !yield(n) {
			return
		}
	}
}

// thirds are the slots of the three shards of a new cluster, as kvrocks-controller splits them.
var thirds = []slotRange{{0, 5460}, {5461, 10921}, {10922, 16383}}

// clusterClient is a connection to a whole cluster through the addresses of all its pods.
func (s *scenario) clusterClient(name string) *redis.ClusterClient {
	s.Helper()
	return s.clientOf(s.entries(name))
}

// entries are the announced addresses of all nodes of a cluster, with ports.
func (s *scenario) entries(name string) []string {
	s.Helper()
	var addresses []string
	for _, address := range s.addresses(name) {
		addresses = append(addresses, fmt.Sprintf("%s:%d", address, v1alpha1.DefaultPort))
	}
	return addresses
}

// clientOf is a connection to a whole cluster. It notices a change of the layout as soon as it is asked to reload it;
// beyond that it retries little on its own.
func (s *scenario) clientOf(addresses []string) *redis.ClusterClient {
	s.Helper()
	c := redis.NewClusterClient(&redis.ClusterOptions{
		Addrs: addresses, Password: s.password, Protocol: 2, DisableIdentity: true, DisableRoutingPolicies: true,
		MaxRedirects: 4, MaxRetries: -1, DialerRetries: 1, PoolSize: 4,
		DialTimeout: impatient, ReadTimeout: impatient, WriteTimeout: impatient,
	})
	s.Cleanup(func() { _ = c.Close() })
	return c
}

// clusterWriter writes w:0, w:1, w:2 … into a cluster, in lanes: each lane has its own client, and writes the numbers
// whose keys fall into its slots one after another, so that a lane whose shard is away does not hold up the others. A
// number that was refused, or whose fate is not known, is written again until it is acknowledged. With each write a
// reader asks for a random one of the acknowledged keys of the lane, and whatever is not there is a loss.
type clusterWriter struct {
	lanes []*lane
	stop  context.CancelFunc
	done  sync.WaitGroup
}

type lane struct {
	progress
	slots slotRange

	unread []string // keys that a reader was told did not exist, although they had been acknowledged; under the lock of progress
}

// lanePause lets a lane write about 200 times a second.
const lanePause = 4 * time.Millisecond

// writeCluster starts a writer with a lane for each range of slots.
func (s *scenario) writeCluster(name string, lanes ...slotRange) *clusterWriter {
	s.Helper()
	return s.writeTo(s.entries(name), lanes...)
}

func (s *scenario) writeTo(addresses []string, lanes ...slotRange) *clusterWriter {
	s.Helper()
	ctx, cancel := context.WithCancel(s.ctx)
	w := &clusterWriter{stop: cancel}
	var all []*progress
	for _, slots := range lanes {
		l := &lane{slots: slots}
		w.lanes, all = append(w.lanes, l), append(all, &l.progress)
		writes, reads := s.clientOf(addresses), s.clientOf(addresses)
		w.done.Go(func() {
			l.keepWriting(ctx, slots.numbers, lanePause, func(ctx context.Context, n int) error {
				err := writes.Set(ctx, fmt.Sprintf("w:%d", n), n, 0).Err()
				if err != nil {
					writes.ReloadState(ctx)
				}
				return err
			})
		})
		w.done.Go(func() { l.read(ctx, reads) })
	}
	s.Cleanup(func() { cancel(); w.done.Wait() })
	s.begun(all...)
	return w
}

func (l *lane) read(ctx context.Context, c *redis.ClusterClient) {
	for ; ctx.Err() == nil; time.Sleep(10 * time.Millisecond) {
		acks := l.acked()
		if len(acks) == 0 {
			continue
		}
		key := fmt.Sprintf("w:%d", acks[rand.IntN(len(acks))].number)
		switch err := c.Get(ctx, key).Err(); {
		case errors.Is(err, redis.Nil):
			l.mu.Lock()
			l.unread = append(l.unread, key)
			l.mu.Unlock()
		case err != nil:
			l.refuse(ctx, err.Error())
			c.ReloadState(ctx)
		}
	}
}

// finish stops the writer and returns all that was acknowledged, oldest first within each lane.
func (w *clusterWriter) finish() []ack {
	w.stop()
	w.done.Wait()
	var all []ack
	for _, l := range w.lanes {
		all = append(all, l.acks...)
	}
	return all
}

// gaps are the longest gaps of the lanes since a moment.
func (w *clusterWriter) gaps(since time.Time) []span {
	var gaps []span
	for _, l := range w.lanes {
		gaps = append(gaps, l.longestGap(since))
	}
	return gaps
}

// unread are the keys that were acknowledged and then not there for a reader.
func (w *clusterWriter) unread() []string {
	var keys []string
	for _, l := range w.lanes {
		l.mu.Lock()
		keys = append(keys, l.unread...)
		l.mu.Unlock()
	}
	return keys
}

// lost reads all acknowledged writes back and returns those that are not there.
func (s *scenario) lost(name string, acks []ack) []ack {
	s.Helper()
	c := s.clusterClient(name)
	var lost []ack
	for batch := range slices.Chunk(acks, 500) {
		keys := make([]string, len(batch))
		for i, a := range batch {
			keys[i] = fmt.Sprintf("w:%d", a.number)
		}
		for i, value := range s.readBack(c, keys) {
			if value != fmt.Sprint(batch[i].number) {
				lost = append(lost, batch[i])
			}
		}
	}
	return lost
}

// nothingLost ends a writer and checks that every acknowledged write is there, and was there for the readers all along.
func (s *scenario) nothingLost(t *testing.T, name string, w *clusterWriter) {
	t.Helper()
	acks := w.finish()
	require.NotEmpty(t, acks)
	lost := s.lost(name, acks)
	t.Logf("%d acknowledged, %d lost", len(acks), len(lost))
	assert.Empty(t, lost, "no acknowledged write may be lost")
	assert.Empty(t, w.unread(), "no acknowledged write may have been away for a reader")
	for _, l := range w.lanes {
		t.Logf("errors of the lane %s: %v", l.slots, l.seen())
	}
}
