package simulation

import (
	"time"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan"
)

// tilt puts a sentinel into TILT for a while: it goes on answering and observing, and decides nothing.
type tilt struct{ until time.Time }

func (t *tilt) active(now time.Time) bool { return now.Before(t.until) }

// orphan deletes a pod by force whose process goes on for a while, with the clients and replicas that are connected to it.
func (d *dataPlane) orphan(m string) {
	p := d.pods[m]
	if !p.exists || !p.running {
		return
	}
	p.forced, p.attached, p.role, p.deleting, p.due = true, false, "", false, d.now.Add(d.some(25))
	d.say("FAULT pod %s is deleted by force, its process goes on", m)
}

// observeOrphan completes what is seen of the process of a pod that is gone: it is known as long as the connection stands that
// the sidecar had with it as a master. ok is false when there is nothing to be seen.
func (m *memory) observeOrphan(name string, n *plan.Node, now time.Time) (ok bool) {
	if !m.masters[name] {
		return false
	}
	m.see(name, n, now, n.Role == v1alpha1.RoleMaster)
	n.Outlives = true
	return true
}
