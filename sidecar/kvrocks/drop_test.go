package kvrocks_test

import (
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kvrocks/kvrocks-operator/sidecar/kvrocks/redistest"
)

// Clients of another address are dropped; replicas, the caller, and what runs in the pod are not.
func TestClientsAreDropped(t *testing.T) {
	t.Parallel()
	onEveryEngine(t, func(t *testing.T, engine redistest.Engine) {
		p, n, replica := startLinked(t, engine)
		ping := func(c net.Conn) error {
			require.NoError(t, c.SetDeadline(time.Now().Add(5*time.Second)))
			if _, err := c.Write([]byte("*1\r\n$4\r\nPING\r\n")); err != nil {
				return err
			}
			_, err := c.Read(make([]byte, 100)) // it refuses, for want of a password
			return err
		}
		dial := func(from string) net.Conn {
			d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
			c, err := d.DialContext(t.Context(), "tcp", p.Addr())
			require.NoError(t, err)
			t.Cleanup(func() { _ = c.Close() })
			require.NoError(t, ping(c))
			return c
		}
		inPod, client := dial("127.0.0.1"), dial("127.0.0.2")

		dropped, err := n.DropClients(t.Context())

		require.NoError(t, err)
		assert.Equal(t, 1, dropped)
		require.Error(t, ping(client))
		require.NoError(t, ping(inPod))
		assert.True(t, linked(observe(t, replica)))
	})
}
