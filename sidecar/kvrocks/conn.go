package kvrocks

import (
	"context"
	"net"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// DefaultTimeout bounds one operation when Options names no timeout. A healthy node in
// the same cluster answers within milliseconds; a second is long enough for a busy one
// and short enough that a hung node does not hold up a pass.
const DefaultTimeout = time.Second

// Buffers of one connection, in bytes. An INFO reply is about 6 KB and is read straight
// into its own memory; the defaults of go-redis (32 KiB each way) would cost 600
// connections 38 MB.
const (
	readBuffer  = 4 << 10
	writeBuffer = 1 << 10
)

// Options are how to reach a data node or a sentinel. The zero value is usable.
type Options struct {
	// Password authenticates the connection; empty means none is sent. A server checks it
	// once per connection, so a connection that is open survives a change of password.
	Password Secret
	// Timeout bounds one operation as a whole, including dialling and authentication when
	// the connection is new. Default DefaultTimeout.
	Timeout time.Duration
	// OnCommand, when set, is called after each operation with its name ("INFO", "CONFIG
	// SET"), how long it took and its outcome (nil or an *Error). It is for metrics and
	// must not block.
	OnCommand func(op string, took time.Duration, err error)
}

func (o Options) timeout() time.Duration {
	if o.Timeout > 0 {
		return o.Timeout
	}
	return DefaultTimeout
}

// conn is one connection to one server.
type conn struct {
	addr      string
	timeout   time.Duration
	client    *redis.Client
	mask      func(string) string
	onCommand func(op string, took time.Duration, err error)
}

func newConn(addr string, o Options) *conn {
	c := &conn{
		addr:      addr,
		timeout:   o.timeout(),
		client:    redis.NewClient(clientOptions(addr, o)),
		mask:      masker(string(o.Password)),
		onCommand: o.OnCommand,
	}
	if c.onCommand == nil {
		c.onCommand = func(string, time.Duration, error) {}
	}
	return c
}

// clientOptions turns everything off that sends more than it was asked to.
func clientOptions(addr string, o Options) *redis.Options {
	timeout := o.timeout()
	return &redis.Options{
		Addr:     addr,
		Password: string(o.Password),
		Dialer:   dialer(timeout),

		Protocol:         2,    // protocol 3 would add a handshake for push notifications
		DisableIdentity:  true, // no CLIENT SETINFO
		MaxRetries:       -1,
		DialerRetries:    1,
		PoolSize:         1,
		PipelinePoolSize: -1, // or a pipeline would open a second connection
		ConnMaxIdleTime:  -1,

		DialTimeout:           timeout,
		ReadTimeout:           timeout,
		WriteTimeout:          timeout,
		PoolTimeout:           timeout,
		ContextTimeoutEnabled: true,

		ReadBufferSize:  readBuffer,
		WriteBufferSize: writeBuffer,
	}
}

// run performs one operation under the connection's timeout and reports its outcome.
// secrets are arguments, besides the password, that must not show in an error.
func (c *conn) run(ctx context.Context, op string, secrets []string, f func(context.Context) error) error {
	start := time.Now()
	err := c.attempt(ctx, op, secrets, f)
	c.onCommand(op, time.Since(start), err)
	return err
}

func (c *conn) attempt(ctx context.Context, op string, secrets []string, f func(context.Context) error) error {
	mask := func(s string) string { return masker(secrets...)(c.mask(s)) }
	if err := contextEnded(ctx); err != nil {
		return newError(ctx, op, c.addr, err, mask)
	}
	bounded, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	if err := f(bounded); err != nil {
		return newError(ctx, op, c.addr, err, mask)
	}
	return nil
}

// do sends one command; the reply is in the shape of protocol 2.
func (c *conn) do(ctx context.Context, op string, secrets []string, args ...any) (any, error) {
	var reply any
	err := c.run(ctx, op, secrets, func(ctx context.Context) (err error) {
		reply, err = c.client.Do(ctx, args...).Result()
		return err
	})
	return reply, err
}

func (c *conn) ping(ctx context.Context) error {
	_, err := c.do(ctx, "PING", nil, "PING")
	return err
}

func (c *conn) close() error { return c.client.Close() }

// contextEnded is ctx.Err, except that it also sees a deadline which has passed while
// the context's own timer has not fired yet: a socket with the same deadline can fail
// first, and that failure must not be blamed on the server.
func contextEnded(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if deadline, ok := ctx.Deadline(); ok && !time.Now().Before(deadline) {
		return context.DeadlineExceeded
	}
	return nil
}

// masker replaces the secrets in a text.
func masker(secrets ...string) func(string) string {
	var pairs []string
	for _, s := range secrets {
		if s != "" {
			pairs = append(pairs, s, masked)
		}
	}
	return strings.NewReplacer(pairs...).Replace
}

// dialer opens a connection within the timeout, or returns one on which everything fails
// with the error of dialling. go-redis would answer a failed dial with its own policy:
// print to standard error, dial again in the background every second, and until that
// succeeds repeat the old error without trying. Here one operation is one attempt, and
// its error is of now.
func dialer(timeout time.Duration) func(ctx context.Context, network, addr string) (net.Conn, error) {
	d := net.Dialer{Timeout: timeout}
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := d.DialContext(ctx, network, addr)
		if err != nil {
			return failedConn{err: err}, nil
		}
		return c, nil
	}
}

// failedConn is a connection that could not be opened.
type failedConn struct{ err error }

func (c failedConn) Read([]byte) (int, error)       { return 0, c.err }
func (c failedConn) Write([]byte) (int, error)      { return 0, c.err }
func (failedConn) Close() error                     { return nil }
func (failedConn) LocalAddr() net.Addr              { return &net.TCPAddr{} }
func (failedConn) RemoteAddr() net.Addr             { return &net.TCPAddr{} }
func (failedConn) SetDeadline(time.Time) error      { return nil }
func (failedConn) SetReadDeadline(time.Time) error  { return nil }
func (failedConn) SetWriteDeadline(time.Time) error { return nil }
