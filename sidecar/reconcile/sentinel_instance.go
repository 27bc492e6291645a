package reconcile

import (
	"context"

	"k8s.io/apimachinery/pkg/types"

	"github.com/kvrocks/kvrocks-operator/sidecar/conn"
	"github.com/kvrocks/kvrocks-operator/sidecar/kvrocks"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/sentinelset"
)

// observeSentinelInstance asks each sentinel for everything that it monitors.
func (p *pass) observeSentinelInstance(ctx context.Context) sentinelset.Input {
	in := sentinelset.Input{Now: p.now(), Topology: p.topology, Claimed: map[string]bool{}}
	// An instance that is being released is still listed: its own pass removes its monitors.
	for _, t := range p.kubernetes.MonitoredBy(p.key) {
		for _, name := range masterNames(t) {
			in.Claimed[name] = true
		}
	}
	in.Views = p.views(ctx, p.key, nil)
	c := p.sentinelCredentials(p.key)
	in.Credentials.Err, in.Password = c.Err(), c.Passwords().Wanted != ""
	return in
}

// access tells how the sentinel stands to the wanted password; nil when none is wanted, or it does not say.
func (q question) access(ctx context.Context) *plan.SentinelAccess {
	wanted := q.sentinel.Wanted()
	if wanted == "" {
		return nil
	}
	a, err := conn.Ask(q.sentinel, func(c conn.Sentinel) (kvrocks.SentinelAccess, error) { return c.Access(ctx) })
	if err != nil {
		return nil
	}
	return &plan.SentinelAccess{
		Open: a.Open, Accepts: a.Accepts(wanted), AcceptsOthers: a.AcceptsOthers(wanted), Presents: a.Presents(wanted),
	}
}

// sentinelPasswords returns the passwords of a sentinel instance, shared by the passes of all that it monitors. When a sentinel
// has refused them they are read again.
func (r *Reconciler) sentinelPasswords(ctx context.Context, owner types.NamespacedName, refused bool) conn.Passwords {
	t, ok := r.kubernetes.Topology(owner)
	if !ok {
		return conn.Passwords{}
	}
	return r.sentinelCredentials(owner).Refresh(ctx, r.secrets, t, r.now(), r.options.SecretTTL, refused)
}

// sentinelCredentials returns what is known of the password of a sentinel instance.
func (r *Reconciler) sentinelCredentials(owner types.NamespacedName) *conn.Credentials {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.ofPool[owner]
	if c == nil {
		c = &conn.Credentials{}
		r.ofPool[owner] = c
	}
	return c
}
