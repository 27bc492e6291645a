package reconcile

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/kvrocks/kvrocks-operator/api/slots"
	"github.com/kvrocks/kvrocks-operator/sidecar/conn"
	"github.com/kvrocks/kvrocks-operator/sidecar/kvrocks"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/migration"
)

// mostKeys is where a count is given up: it takes about a second per million.
const mostKeys = 1_000_000

// countTimeout bounds a count as a whole.
const countTimeout = time.Minute

// counter counts the keys of slots in the background, on a connection of its own: a pass must not wait for it. The zero
// value is ready.
type counter struct {
	mu     sync.Mutex
	slots  slots.Range        // that are being counted
	cancel context.CancelFunc // of the count under way; nil when there is none
	result *migration.SlotCount
}

// start begins a count on a node that has come to the given sequence, and drops the last result. The same count under way
// goes on.
func (c *counter) start(
	ctx context.Context, which slots.Range, sequence int64, dial func() conn.DataNode, finished func(keys int64, err error),
) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cancel != nil {
		if c.slots == which {
			return
		}
		c.cancel()
	}
	ctx, cancel := context.WithTimeout(ctx, countTimeout)
	c.slots, c.cancel, c.result = which, cancel, nil
	go func() {
		defer cancel()
		own := dial()
		defer func() { _ = own.Close() }()
		keys, err := own.CountKeys(ctx, which, mostKeys)
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			keys, err = kvrocks.TooMany, nil
		}
		if c.finish(ctx, migration.SlotCount{Slots: which, Keys: keys, Sequence: sequence}, err) {
			finished(keys, err)
		}
	}()
}

// finish keeps a result, unless another count has begun since.
func (c *counter) finish(ctx context.Context, result migration.SlotCount, err error) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.slots != result.Slots || errors.Is(ctx.Err(), context.Canceled) {
		return false
	}
	c.cancel = nil
	if err == nil {
		c.result = &result
	}
	return true
}

func (c *counter) last() *migration.SlotCount {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.result
}

// stop ends the count under way and drops the result.
func (c *counter) stop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cancel != nil {
		c.cancel()
	}
	c.cancel, c.result = nil, nil
}

func (p *applier) countKeys(ctx context.Context, n *node, which slots.Range) {
	password := n.session.Accepted(p.inst.credentials.Passwords())
	dial := func() conn.DataNode { return p.network.Node(n.addr, p.redisOptions(password)) }
	n.counter.start(ctx, which, n.seen.Sequence, dial, func(keys int64, err error) {
		p.log.Info("counted", "instance", p.key.String(), "pod", n.pod, "slots", which.String(), "keys", keys, "err", err)
		if err == nil {
			p.wake(p.key)
		}
	})
}
