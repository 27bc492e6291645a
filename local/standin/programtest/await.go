package programtest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Patience is how long a condition may take that has no deadline of its own; real programs are slow on a busy machine.
const Patience = 30 * time.Second

// AwaitEqual waits, as long as Patience, until get returns what is wanted.
func AwaitEqual[T comparable](t *testing.T, want T, get func() T, what string) {
	t.Helper()
	AwaitEqualWithin(t, want, Patience, get, what)
}

// AwaitEqualWithin is AwaitEqual for a condition with a deadline of its own.
func AwaitEqualWithin[T comparable](t *testing.T, want T, within time.Duration, get func() T, what string) {
	t.Helper()
	deadline := time.Now().Add(within)
	got := get()
	for ; got != want && time.Now().Before(deadline); got = get() {
		time.Sleep(10 * time.Millisecond)
	}
	require.Equal(t, want, got, "%s within %s", what, within)
}
