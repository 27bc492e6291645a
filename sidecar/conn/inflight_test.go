package conn

import (
	"errors"
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kvrocks/kvrocks-operator/sidecar/kvrocks"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan"
)

func TestFlightGoesOnWithoutAnAnswerAndCollectsItLater(t *testing.T) {
	var f Inflight[int]
	release, late := make(chan struct{}), make(chan int, 1)
	asked := 0
	ask := func(patience time.Duration) (int, bool) {
		return f.Ask(patience, func() int { asked++; <-release; return 42 }, func(n int) { late <- n })
	}
	_, ok := ask(time.Millisecond)
	require.False(t, ok)
	_, ok = ask(time.Millisecond)
	require.False(t, ok)
	close(release)
	assert.Equal(t, 42, <-late, "the caller is told that the answer came after all")
	assert.Equal(t, 1, asked, "one question at a time")
	got, ok := ask(time.Minute)
	assert.True(t, ok)
	assert.Equal(t, 42, got)
	assert.Equal(t, 2, asked, "what came in between is old")
}

func TestFlightThatIsAnsweredInTimeTellsNobodyElse(t *testing.T) {
	var f Inflight[int]
	got, ok := f.Ask(time.Minute, func() int { return 1 }, func(int) { t.Error("late") })
	assert.True(t, ok)
	assert.Equal(t, 1, got)
}

func TestReach(t *testing.T) {
	dial := &net.OpError{Op: "dial", Err: errors.New("i/o timeout")}
	tests := map[string]struct {
		err  error
		want plan.Reach
	}{
		"an answer":              {nil, plan.Answered},
		"loading":                {&kvrocks.Error{Kind: kvrocks.ErrLoading}, plan.Loading},
		"wrong password":         {&kvrocks.Error{Kind: kvrocks.ErrWrongPassword}, plan.Refused},
		"no password":            {&kvrocks.Error{Kind: kvrocks.ErrNoAuth}, plan.Refused},
		"too many clients":       {&kvrocks.Error{Text: "ERR max number of clients reached"}, plan.Refused},
		"nothing listens":        {&kvrocks.Error{Kind: kvrocks.ErrRefused}, plan.Unreachable},
		"connection lost":        {&kvrocks.Error{Kind: kvrocks.ErrUnreachable}, plan.Unreachable},
		"silence":                {&kvrocks.Error{Kind: kvrocks.ErrTimeout}, plan.Unresponsive},
		"silence of the network": {fmt.Errorf("%w: %w", kvrocks.ErrTimeout, dial), plan.Unreachable},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) { assert.Equal(t, test.want, ReachOf(test.err)) })
	}
}
