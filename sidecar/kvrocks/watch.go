package kvrocks

import (
	"context"
	"errors"
	"io"
	"net"
	"sync/atomic"
	"syscall"
	"time"
)

type dialFunc func(ctx context.Context, network, addr string) (net.Conn, error)

// watching makes connections that call lost as soon as the other side ends them. A pooled
// connection of go-redis is read only while an answer is due, so that a killed process
// would not be noticed before the next command.
func watching(dial dialFunc, lost func()) dialFunc {
	if lost == nil {
		return dial
	}
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := dial(ctx, network, addr)
		if _, failed := c.(failedConn); failed || err != nil {
			return c, err
		}
		return watch(c, lost), nil
	}
}

// watchedConn reads ahead from the connection through a pipe, which brings deadlines of
// its own.
type watchedConn struct {
	net.Conn

	in     net.Conn
	closed atomic.Bool // by this side
	ended  atomic.Bool // by either
}

func watch(c net.Conn, lost func()) *watchedConn {
	in, ahead := net.Pipe()
	w := &watchedConn{Conn: c, in: in}
	go func() {
		// The bare interfaces keep io.CopyBuffer from choosing a larger buffer of its own.
		_, _ = io.CopyBuffer(struct{ io.Writer }{ahead}, struct{ io.Reader }{c}, make([]byte, readBuffer))
		w.ended.Store(true)
		_ = ahead.Close() // the reader sees the end
		if !w.closed.Load() {
			lost()
		}
	}()
	return w
}

func (w *watchedConn) Read(b []byte) (int, error) { return w.in.Read(b) }

func (w *watchedConn) Close() error {
	w.closed.Store(true)
	return errors.Join(w.Conn.Close(), w.in.Close())
}

// SyscallConn answers go-redis, which peeks at the socket of an idle connection before it
// is used again. Without an answer it takes the connection for alive, and the first
// command after a restart of the server fails on the old one. The real socket cannot be
// peeked at: the goroutine that reads ahead holds its read lock.
func (w *watchedConn) SyscallConn() (syscall.RawConn, error) {
	if w.ended.Load() {
		return nil, io.EOF
	}
	return openSocket{}, nil
}

// openSocket is an open socket on which nothing waits to be read.
type openSocket struct{}

func (openSocket) Control(func(uintptr)) error    { return nil }
func (openSocket) Read(func(uintptr) bool) error  { return nil }
func (openSocket) Write(func(uintptr) bool) error { return nil }

func (w *watchedConn) SetReadDeadline(t time.Time) error { return w.in.SetReadDeadline(t) }

func (w *watchedConn) SetDeadline(t time.Time) error {
	return errors.Join(w.in.SetReadDeadline(t), w.SetWriteDeadline(t))
}
