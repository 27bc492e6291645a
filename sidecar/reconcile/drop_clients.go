package reconcile

import (
	"context"
	"time"

	"github.com/kvrocks/kvrocks-operator/sidecar/conn"
)

// dropEvery is how often clients are dropped that a former master still gets.
const dropEvery = 25 * time.Millisecond

// dropper drops the clients of a former master for a while, in the background: the API server may take longer to take the node out of
// its Services than clients should wait. The zero value drops nothing. It belongs to the passes of its instance.
type dropper struct{ cancel context.CancelFunc }

// start drops the clients at once and returns what came of that; then it goes on until the time is over or stop is called.
func (d *dropper) start(ctx context.Context, last time.Duration, drop func(context.Context) error) error {
	d.stop()
	err := drop(ctx)
	ctx, d.cancel = context.WithTimeout(ctx, last)
	go func() {
		ticker := time.NewTicker(dropEvery)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
				_ = drop(ctx) // a process that is gone has no clients
			}
		}
	}()
	return err
}

// stop ends it: the node is to have clients.
func (d *dropper) stop() {
	if d.cancel != nil {
		d.cancel()
		d.cancel = nil
	}
}

func (p *applier) dropClients(ctx context.Context, n *node, last time.Duration) error {
	pw := p.inst.credentials.Passwords()
	return n.dropper.start(ctx, last, func(ctx context.Context) error {
		return n.session.Do(pw, func(c conn.DataNode) error {
			_, err := c.DropClients(ctx)
			return err
		})
	})
}

// keepClients ends what dropClients began.
func (p *applier) keepClients(pod string) {
	if n := p.inst.nodes[pod]; n != nil {
		n.dropper.stop()
	}
}
