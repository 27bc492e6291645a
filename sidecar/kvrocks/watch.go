package kvrocks

import (
	"context"
	"errors"
	"io"
	"net"
	"sync/atomic"
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
	closed atomic.Bool
}

func watch(c net.Conn, lost func()) *watchedConn {
	in, ahead := net.Pipe()
	w := &watchedConn{Conn: c, in: in}
	go func() {
		// The bare interfaces keep io.CopyBuffer from choosing a larger buffer of its own.
		_, _ = io.CopyBuffer(struct{ io.Writer }{ahead}, struct{ io.Reader }{c}, make([]byte, readBuffer))
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

func (w *watchedConn) SetReadDeadline(t time.Time) error { return w.in.SetReadDeadline(t) }

func (w *watchedConn) SetDeadline(t time.Time) error {
	return errors.Join(w.in.SetReadDeadline(t), w.Conn.SetWriteDeadline(t))
}
