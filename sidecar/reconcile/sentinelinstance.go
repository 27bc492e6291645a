package reconcile

import (
	"context"

	"k8s.io/apimachinery/pkg/types"

	"github.com/kvrocks/kvrocks-operator/sidecar/plan"
)

// observeSentinelInstance asks each sentinel for everything that it monitors.
func (p *pass) observeSentinelInstance(ctx context.Context) plan.SentinelInput {
	in := plan.SentinelInput{Now: p.now(), Topology: p.topology, Claimed: map[string]bool{}}
	// An instance that is being released is still listed: its own pass removes its monitors.
	for _, t := range p.cluster.monitoredBy(p.key) {
		for _, name := range masterNames(t) {
			in.Claimed[name] = true
		}
	}
	in.Views = p.views(ctx, p.key, nil)
	return in
}

// sentinelPasswords are those of a sentinel instance, shared by the passes of all that it monitors.
func (r *Reconciler) sentinelPasswords(ctx context.Context, owner types.NamespacedName) passwords {
	t, ok := r.cluster.topology(owner)
	if !ok {
		return passwords{}
	}
	r.mu.Lock()
	c := r.ofPool[owner]
	if c == nil {
		c = &credentials{}
		r.ofPool[owner] = c
	}
	r.mu.Unlock()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.refresh(ctx, r.secrets, t, r.now(), r.options.SecretTTL, false)
	return c.passwords
}
