package kvrocks

import (
	"context"
	"io"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// connected returns both ends of a TCP connection, the near one watched.
func connected(t *testing.T, lost func()) (near, far net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	near, err = watching(dialer(DefaultTimeout), lost)(context.Background(), "tcp", l.Addr().String())
	require.NoError(t, err)
	t.Cleanup(func() { _ = near.Close() })
	far, err = l.Accept()
	require.NoError(t, err)
	t.Cleanup(func() { _ = far.Close() })
	return near, far
}

func TestWatchedConnectionTellsThatTheOtherSideEndedIt(t *testing.T) {
	lost := make(chan struct{})
	near, far := connected(t, func() { close(lost) })
	require.NoError(t, far.Close())
	select {
	case <-lost:
	case <-time.After(5 * time.Second):
		t.Fatal("nobody was told")
	}
	_, err := near.Read(make([]byte, 1))
	assert.ErrorIs(t, err, io.EOF)
}

func TestWatchedConnectionIsSilentAboutItsOwnClose(t *testing.T) {
	ended := make(chan struct{})
	near, far := connected(t, func() { close(ended) })
	require.NoError(t, near.Close())
	_, err := far.Read(make([]byte, 1))
	require.ErrorIs(t, err, io.EOF)
	select {
	case <-ended:
		t.Fatal("our own close was reported as a loss")
	case <-time.After(50 * time.Millisecond): // there is nothing to wait for
	}
}

func TestWatchedConnectionKeepsDeadlinesAndBytes(t *testing.T) {
	near, far := connected(t, func() {})
	require.NoError(t, near.SetDeadline(time.Now().Add(10*time.Millisecond)))
	_, err := near.Read(make([]byte, 1))
	var timeout net.Error
	require.ErrorAs(t, err, &timeout)
	assert.True(t, timeout.Timeout())

	require.NoError(t, near.SetDeadline(time.Time{}))
	want := make([]byte, 3*readBuffer)
	for i := range want {
		want[i] = byte(i)
	}
	go func() { _, _ = far.Write(want) }()
	got := make([]byte, len(want))
	_, err = io.ReadFull(near, got)
	require.NoError(t, err)
	assert.Equal(t, want, got)
}

func TestUnwatchedAndFailedConnectionsAreLeftAlone(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	addr := l.Addr().String()
	require.NoError(t, l.Close())
	c, err := watching(dialer(DefaultTimeout), func() { t.Error("a connection that never was cannot be lost") })(
		context.Background(), "tcp", addr)
	require.NoError(t, err)
	assert.IsType(t, failedConn{}, c)
}
