package scenarios

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
)

// pulse tells what the machine itself takes away: it asks a node that nothing else uses, in a pod like those under test, again
// and again, and remembers when no answer came for some time.
type pulse struct {
	mu     sync.Mutex
	last   time.Time // of the last answer
	stalls []span
}

// stallAfter is what a node at peace never takes on a machine that has time for it.
const stallAfter = 100 * time.Millisecond

// pulse starts to measure.
func (s *scenario) pulse() *pulse {
	s.Helper()
	s.barePod("pulse")
	c := s.direct("pulse", "")
	ctx, cancel := context.WithCancel(s.ctx)
	p, done := &pulse{last: time.Now()}, make(chan struct{})
	go func() {
		defer close(done)
		p.run(ctx, c)
	}()
	s.Cleanup(func() {
		cancel()
		<-done
		s.forceDelete("pulse") // another part of the scenario may want one
	})
	return p
}

func (p *pulse) run(ctx context.Context, c *redis.Client) {
	for ; ctx.Err() == nil; time.Sleep(10 * time.Millisecond) {
		if c.Ping(ctx).Err() != nil {
			continue
		}
		p.mu.Lock()
		now := time.Now()
		if now.Sub(p.last) > stallAfter {
			p.stalls = append(p.stalls, span{p.last, now})
		}
		p.last = now
		p.mu.Unlock()
	}
}

// stalled is for how long there was no answer during a span.
func (p *pulse) stalled(during span) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := p.stalls
	if now := time.Now(); now.Sub(p.last) > stallAfter {
		all = append(slices.Clip(all), span{p.last, now})
	}
	var total time.Duration
	for _, s := range all {
		total += s.overlap(during)
	}
	return total
}

// within asserts that no gap in the writes was longer than a limit, but for what the machine took away in it.
func (p *pulse) within(t *testing.T, limit time.Duration, why string, gaps ...span) {
	t.Helper()
	for _, gap := range gaps {
		stalled := p.stalled(gap)
		t.Logf("gap %s, limit %s; the machine stood still for %s of it", gap, limit, stalled.Round(time.Millisecond))
		assert.LessOrEqual(t, gap.length()-stalled, limit, why)
	}
}
