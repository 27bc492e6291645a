package scenarios

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// progress is how a client gets on that writes numbered keys: what was acknowledged when, and with what it was refused.
type progress struct {
	mu     sync.Mutex
	acks   []ack
	errors []string // distinct ones, in the order in which they were first seen
	ended  bool     // no more writes will come
}

// ack is an acknowledged write.
type ack struct {
	number int
	at     time.Time
}

// naturals are all numbers from 0.
func naturals(yield func(int) bool) {
	for n := 0; yield(n); n++ {
	}
}

// keepWriting writes the numbers one after another until the context ends, with a pause between two writes. What was refused, or
// whose fate is not known, is written again until it is acknowledged.
func (p *progress) keepWriting(ctx context.Context, numbers iter.Seq[int], pause time.Duration, write func(ctx context.Context, n int) error) {
	defer p.end()
	for n := range numbers {
		for acknowledged := false; !acknowledged; time.Sleep(pause) {
			if ctx.Err() != nil {
				return
			}
			if err := write(ctx, n); err != nil {
				p.refuse(ctx, err.Error())
				time.Sleep(time.Millisecond) // a refused connection fails at once; do not spin
				continue
			}
			p.acknowledge(n)
			acknowledged = true
		}
	}
}

func (p *progress) acknowledge(number int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.acks = append(p.acks, ack{number, time.Now()})
}

// refuse notes an error, unless the context has ended, which is the end of the test.
func (p *progress) refuse(ctx context.Context, text string) {
	if ctx.Err() != nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	text, _, _ = strings.Cut(text, ", id")
	if len(p.errors) < 20 && !slices.Contains(p.errors, text) {
		p.errors = append(p.errors, text)
	}
}

func (p *progress) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ended = true
}

// acked are the acknowledged writes so far. They are only ever appended to.
func (p *progress) acked() []ack {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.acks
}

// count is how many writes were acknowledged so far.
func (p *progress) count() int { return len(p.acked()) }

func (p *progress) seen() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.errors)
}

// longestGap is the longest time without an acknowledged write since a moment.
func (p *progress) longestGap(since time.Time) span {
	p.mu.Lock()
	defer p.mu.Unlock()
	moments := func(yield func(time.Time) bool) {
		for _, a := range p.acks {
			if !yield(a.at) {
				return
			}
		}
	}
	return longestGap(moments, since, !p.ended)
}

// wrote returns an error unless a write was acknowledged after a moment.
func (p *progress) wrote(after time.Time) error {
	if acks := p.acked(); len(acks) == 0 || !acks[len(acks)-1].at.After(after) {
		return fmt.Errorf("none since %s, errors: %v", after.Format("15:04:05.000"), p.seen())
	}
	return nil
}

// begun waits until the first writes of clients are acknowledged.
func (s *scenario) begun(clients ...*progress) {
	s.Helper()
	s.eventually("the first writes", 30*time.Second, func() error {
		for i, p := range clients {
			if n := p.count(); n < 10 {
				return fmt.Errorf("%d writes of client %d so far, errors: %v", n, i, p.seen())
			}
		}
		return nil
	})
}

// resumed waits until a write of a client is acknowledged after a moment.
func (s *scenario) resumed(w interface{ wrote(after time.Time) error }, after time.Time, within time.Duration) {
	s.Helper()
	s.eventually("writes are taken again", within, func() error { return w.wrote(after) })
}

func TestProgressKeepsTheOrderAndWhatWasRefused(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var p progress
	began, asked := time.Now(), []int{}
	p.keepWriting(ctx, thirds[1].numbers, time.Millisecond, func(_ context.Context, n int) error {
		asked = append(asked, n)
		switch len(asked) {
		case 2, 3:
			return fmt.Errorf("refused, id %d", len(asked))
		case 6:
			cancel()
			return errors.New("the end of the test")
		}
		return nil
	})
	require.Len(t, asked, 6)
	assert.Equal(t, []int{asked[1], asked[1]}, asked[2:4], "what was refused is written again")
	require.Equal(t, 3, p.count())
	for i, number := range []int{asked[0], asked[1], asked[4]} {
		assert.Equal(t, number, p.acked()[i].number)
		assert.True(t, thirds[1].has(slotOf(fmt.Sprintf("w:%d", number))))
	}
	assert.Equal(t, []string{"refused"}, p.seen())
	require.NoError(t, p.wrote(began))
	require.ErrorContains(t, p.wrote(time.Now()), "refused")
	assert.Positive(t, p.longestGap(began).length())
	assert.Zero(t, p.longestGap(time.Now()).length(), "no more writes were to come")
}
