package scenarios

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestAPulseCountsOnlyWhatFallsIntoTheTimeAskedFor(t *testing.T) {
	now := time.Now()
	ago := func(d time.Duration) time.Time { return now.Add(-d) }
	p := &pulse{last: now, stalls: []stall{
		{ago(10 * time.Second), ago(9 * time.Second)},
		{ago(6 * time.Second), ago(4 * time.Second)},
		{ago(3 * time.Second), ago(2500 * time.Millisecond)},
	}}
	assert.Equal(t, 1500*time.Millisecond, p.stalled(ago(5*time.Second)))
	assert.Equal(t, 3500*time.Millisecond, p.stalled(ago(time.Minute)))
	assert.Zero(t, p.stalled(ago(time.Second)))

	p.last = ago(2 * time.Second)
	assert.GreaterOrEqual(t, p.stalled(ago(time.Second)), time.Second, "a stall that is not over yet")
}
