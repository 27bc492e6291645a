package programtest

import (
	"errors"
	"math/rand/v2"
	"net"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

// FreePort returns a TCP port of this machine at which nothing listens, and that no other test gets until this one has ended, in
// this process or another.
func FreePort(t *testing.T) int {
	t.Helper()
	port, release, err := FindPort()
	require.NoError(t, err)
	t.Cleanup(release)
	return port
}

// FindPort is FreePort for what runs before the tests; the port is not given to another until release is called. Two programs that
// are to listen on TCP ports may start long after both ports were found, so the UDP port of the same number is held meanwhile, as a mark.
func FindPort() (port int, release func(), err error) {
	for range 1000 {
		// Below the ephemeral range, so that no outgoing connection takes it meanwhile.
		port := 20000 + rand.IntN(10000)
		mark, err := net.ListenPacket("udp", Local(port))
		if err != nil {
			continue
		}
		if listener, err := net.Listen("tcp", Local(port)); err == nil && listener.Close() == nil {
			return port, func() { _ = mark.Close() }, nil
		}
		_ = mark.Close()
	}
	return 0, nil, errors.New("no free port")
}

// Local is a port of this machine as an address.
func Local(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }
