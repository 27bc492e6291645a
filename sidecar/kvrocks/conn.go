package kvrocks

import (
	"cmp"
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

// DefaultRoleTimeout bounds ReplicaOf and Promote when Options names no other. kvrocks
// ends its old replication first and answers no client meanwhile, and that waits out a sleep
// of up to ten seconds if the old master refused the password or was loading.
const DefaultRoleTimeout = 15 * time.Second

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
	// RoleTimeout is Timeout for ReplicaOf and Promote. Default DefaultRoleTimeout.
	RoleTimeout time.Duration
	// OnCommand, when set, is called after each operation with its name ("INFO", "CONFIG
	// SET"), how long it took and its outcome (nil or an *Error). It is for metrics and
	// must not block.
	OnCommand func(op string, took time.Duration, err error)
	// OnLost, when set, is called when the other side ends an open connection, at once and
	// from a goroutine of its own. A process that is killed shows here within milliseconds;
	// one that hangs or whose host is gone does not. The next command dials again.
	OnLost func()
}

func (o Options) timeout() time.Duration {
	if o.Timeout > 0 {
		return o.Timeout
	}
	return DefaultTimeout
}

func (o Options) roleTimeout() time.Duration {
	if o.RoleTimeout > 0 {
		return o.RoleTimeout
	}
	return DefaultRoleTimeout
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
		Dialer:   watching(dialer(timeout), o.OnLost),

		Protocol:         2,    // protocol 3 would add a handshake for push notifications
		DisableIdentity:  true, // no CLIENT SETINFO
		MaxRetries:       -1,
		DialerRetries:    1,
		PoolSize:         1,
		PipelinePoolSize: -1, // or a pipeline would open a second connection
		ConnMaxIdleTime:  -1,

		DialTimeout: timeout,
		// Each operation brings a context with its own timeout; these are the upper bound.
		ReadTimeout:           max(timeout, o.roleTimeout()),
		WriteTimeout:          max(timeout, o.roleTimeout()),
		PoolTimeout:           max(timeout, o.roleTimeout()),
		ContextTimeoutEnabled: true,

		ReadBufferSize:  readBuffer,
		WriteBufferSize: writeBuffer,
	}
}

// operation is one exchange with the server.
type operation struct {
	name string
	// timeout is the connection's unless set.
	timeout time.Duration
	// secret is an argument, besides the password, that must not show in an error.
	secret string
}

// run performs an operation within its timeout and reports its outcome.
func (c *conn) run(ctx context.Context, op operation, f func(context.Context) error) error {
	start := time.Now()
	err := c.attempt(ctx, op, f)
	c.onCommand(op.name, time.Since(start), err)
	return err
}

func (c *conn) attempt(ctx context.Context, op operation, f func(context.Context) error) error {
	if err := contextEnded(ctx); err != nil {
		return c.failed(ctx, op, err)
	}
	bounded, cancel := context.WithTimeout(ctx, cmp.Or(op.timeout, c.timeout))
	defer cancel()
	if err := f(bounded); err != nil {
		return c.failed(ctx, op, err)
	}
	return nil
}

func (c *conn) failed(ctx context.Context, op operation, err error) error {
	return newError(ctx, op.name, c.addr, err, func(reply string) string {
		return masker(op.secret)(c.mask(reply))
	})
}

// do sends one command whose reply says no more than that it worked.
func (c *conn) do(ctx context.Context, op operation, args ...any) error {
	return c.run(ctx, op, func(ctx context.Context) error {
		return c.client.Do(ctx, args...).Err()
	})
}

func (c *conn) ping(ctx context.Context) error {
	return c.do(ctx, operation{name: "PING"}, "PING")
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
			return failedConn{err: err}, nil //nolint:nilerr // the connection returns it
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
