package kvrocks

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net"
	"time"

	"github.com/redis/go-redis/v9"
)

// DefaultPingEvery is how long a subscription may be silent before the sentinel is asked
// whether it is still there. A dead connection is noticed after this plus the timeout.
const DefaultPingEvery = 3 * time.Second

// The pause before a broken subscription is remade doubles from the first to the second
// and begins again from the shortest once a subscription stood.
const (
	minBackoff = 100 * time.Millisecond
	maxBackoff = 3 * time.Second
)

// Subscriber listens to the events of one sentinel.
type Subscriber struct {
	// Addr is the sentinel, host:port.
	Addr string
	// Options are as for NewSentinel; OnCommand is not used.
	Options Options
	// PingEvery is the longest silence. Default DefaultPingEvery.
	PingEvery time.Duration
	// Log gets one line when the subscription breaks and one when it stands again, at
	// debug level. Default: none.
	Log *slog.Logger
}

// Run subscribes to all events and calls handle for each, in order and from this
// goroutine, until ctx ends; then it returns the context's error. A subscription that
// breaks is remade for as long as it takes, with EventLost and EventSubscribed handed to
// handle around the gap. Everything it started has ended when it returns.
func (s Subscriber) Run(ctx context.Context, handle func(Event)) error {
	backoff := minBackoff
	for {
		stood, err := s.listen(ctx, handle)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if stood {
			backoff = minBackoff
			handle(Event{Name: EventLost, Sentinel: s.Addr, At: time.Now(), Raw: err.Error()})
		}
		s.log().Debug("sentinel subscription broken", "sentinel", s.Addr, "retryIn", backoff, "err", err)
		if err := sleep(ctx, backoff/2+rand.N(backoff/2)); err != nil {
			return err
		}
		backoff = min(2*backoff, maxBackoff)
	}
}

// listen makes one subscription and delivers until it breaks. stood tells whether the
// sentinel confirmed it.
func (s Subscriber) listen(ctx context.Context, handle func(Event)) (stood bool, err error) {
	options := s.Options
	options.RoleTimeout = options.timeout() // nothing here may take longer
	client := redis.NewClient(clientOptions(s.Addr, options))
	defer func() { _ = client.Close() }()
	sub := client.PSubscribe(ctx)
	defer func() { _ = sub.Close() }()
	// A read does not see its context end, but it sees the connection being closed.
	stop := context.AfterFunc(ctx, func() { _ = sub.Close() })
	defer stop()

	// Patterns and not a list of names: they also match what later sentinels invent.
	if err := s.subscribe(ctx, sub, "+*", "-*"); err != nil {
		return false, s.failed(ctx, "PSUBSCRIBE", err)
	}
	// The first answer is due within the timeout; later, silence is answered by one ping,
	// whose answer is due within the timeout again.
	wait, pinged := s.Options.timeout(), true
	for {
		message, err := sub.ReceiveTimeout(ctx, wait)
		switch {
		case err == nil:
			stood = s.deliver(message, stood, handle) || stood
			wait, pinged = s.pingEvery(), false
		case !isTimeout(err) || pinged:
			return stood, s.failed(ctx, "PSUBSCRIBE", err)
		default:
			if err := sub.Ping(ctx); err != nil {
				return stood, s.failed(ctx, "PING", err)
			}
			wait, pinged = s.Options.timeout(), true
		}
	}
}

// subscribe dials, authenticates and sends the command, within the timeout.
func (s Subscriber) subscribe(ctx context.Context, sub *redis.PubSub, patterns ...string) error {
	ctx, cancel := context.WithTimeout(ctx, s.Options.timeout())
	defer cancel()
	return sub.PSubscribe(ctx, patterns...)
}

// deliver hands one message on and tells whether it confirmed the subscription.
func (s Subscriber) deliver(message any, stood bool, handle func(Event)) bool {
	switch m := message.(type) {
	case *redis.Subscription:
		// One confirmation per pattern; the last one completes the subscription.
		if m.Count < 2 || stood {
			return false
		}
		s.log().Debug("sentinel subscription stands", "sentinel", s.Addr)
		handle(Event{Name: EventSubscribed, Sentinel: s.Addr, At: time.Now()})
		return true
	case *redis.Message:
		e := ParseEvent(m.Channel, m.Payload)
		e.Sentinel, e.At = s.Addr, time.Now()
		handle(e)
	}
	return false
}

func (s Subscriber) failed(ctx context.Context, op string, err error) error {
	return newError(ctx, op, s.Addr, err, masker(string(s.Options.Password)))
}

func (s Subscriber) pingEvery() time.Duration {
	if s.PingEvery > 0 {
		return s.PingEvery
	}
	return DefaultPingEvery
}

func (s Subscriber) log() *slog.Logger {
	if s.Log != nil {
		return s.Log
	}
	return slog.New(slog.DiscardHandler)
}

func isTimeout(err error) bool {
	var netErr net.Error
	return errors.As(err, &netErr) && netErr.Timeout()
}

// sleep waits, or returns the context's error when that ends first.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
