package programtest

import (
	"errors"
	"math/rand/v2"
	"net"
	"strconv"
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

// FreePort is a port of this machine at which nothing listens now.
func FreePort(t *testing.T) int {
	t.Helper()
	port, err := FindPort()
	require.NoError(t, err)
	return port
}

// FindPort is FreePort for what runs before the tests.
func FindPort() (int, error) {
	for range 100 {
		// Below the ephemeral range, so that no outgoing connection takes it meanwhile.
		port := 20000 + rand.IntN(10000)
		if ln, err := net.Listen("tcp", Local(port)); err == nil {
			return port, ln.Close()
		}
	}
	return 0, errors.New("no free port")
}

// Local is a port of this machine as an address.
func Local(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }
