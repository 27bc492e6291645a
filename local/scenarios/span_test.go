package scenarios

import (
	"iter"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// span is the time from one moment to another.
type span struct{ from, to time.Time }

func (s span) length() time.Duration { return s.to.Sub(s.from) }

func (s span) String() string { return s.length().Round(time.Millisecond).String() }

// overlap is how much of it lies in the other.
func (s span) overlap(o span) time.Duration {
	from, to := s.from, s.to
	if o.from.After(from) {
		from = o.from
	}
	if o.to.Before(to) {
		to = o.to
	}
	return max(0, to.Sub(from))
}

// longestGap is the longest time between two of the moments, which are in order, since the given one; and until now, while
// more are to come.
func longestGap(moments iter.Seq[time.Time], since time.Time, more bool) span {
	longest, last := span{since, since}, since
	note := func(at time.Time) {
		if gap := (span{last, at}); gap.length() > longest.length() {
			longest = gap
		}
		last = at
	}
	for at := range moments {
		if at.After(since) {
			note(at)
		}
	}
	if more {
		note(time.Now())
	}
	return longest
}

func TestTheLongestGapAndWhatTheMachineTookOfIt(t *testing.T) {
	now := time.Now()
	ago := func(seconds float64) time.Time { return now.Add(-time.Duration(seconds * float64(time.Second))) }
	moments := func(yield func(time.Time) bool) {
		for _, seconds := range []float64{20, 10, 9, 6, 5.5} {
			if !yield(ago(seconds)) {
				return
			}
		}
	}
	assert.Equal(t, span{ago(9), ago(6)}, longestGap(moments, ago(9.5), false))
	assert.Equal(t, span{ago(19), ago(10)}, longestGap(moments, ago(19), false))
	assert.GreaterOrEqual(t, longestGap(moments, ago(9.5), true).length(), 5500*time.Millisecond, "none since then")

	p := &pulse{last: now, stalls: []span{{ago(10), ago(8.5)}, {ago(8), ago(7)}, {ago(6.5), ago(4)}, {ago(3), ago(2)}}}
	assert.Equal(t, 2*time.Second, p.stalled(span{ago(9), ago(6)}))
	assert.Zero(t, p.stalled(span{ago(2), now}))
	p.last = ago(1)
	assert.InDelta(t, 1, p.stalled(span{ago(1), now}).Seconds(), 0.5, "a stall that is not over yet")
}
