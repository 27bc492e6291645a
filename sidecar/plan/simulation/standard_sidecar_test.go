package simulation

import (
	"errors"
	"fmt"
	"slices"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/action"
)

var errOwnReplicas = errors.New("ERR can't replicate your own replicas")

func (w *standardWorld) passes() int { return 3 }

func (w *standardWorld) crash() int { return w.crashNow(30, 4) }

func (w *standardWorld) decide() plan.Plan { return plan.Standard(w.input(w.observe, w.electing)) }

func (w *standardWorld) text(a action.Action) string { return fmt.Sprintf("%T%v", a, a) }

func (w *standardWorld) checkReport(st v1alpha1.KVRocksTopologyStatus) {
	w.checkAvailable(&st)
	w.checkRoom(&st)
}

func (w *standardWorld) apply(a action.Action) error {
	switch a := a.(type) {
	case action.Detach:
		w.pods[a.Pod].attached = false
	case action.Attach:
		w.checkAttach(a.Pod)
		w.attach(a.Pod)
	case action.Promote:
		w.checkPromote(a.Pod)
		n := w.nodes[a.Pod]
		if !w.up(a.Pod) {
			return errRefused
		}
		n.master, n.source, n.syncing = true, nil, false
	case action.Follow:
		if !w.up(a.Pod) {
			return errRefused
		}
		if a.Port == simPort && (w.rng.IntN(10) == 0 || slices.Contains(w.nodes[a.Pod].staleFeeds, a.Host)) {
			return errOwnReplicas
		}
		w.checkFollow(a)
		w.nodes[a.Pod].follow(a.Host, a.Port)
	case action.DropClients:
		if !w.up(a.Pod) {
			return errRefused
		}
	default:
		return w.dataPlane.apply(a)
	}
	return nil
}

// checkPromote: what is promoted holds every settled write, is not empty while another member has data, and no other
// attached node is master.
func (w *standardWorld) checkPromote(pod string) {
	n := w.nodes[pod]
	w.checkLoss(n)
	w.checkLagging(n)
	if id := w.lacks(n); id != 0 {
		w.violated("%s is promoted without write %d", pod, id)
	}
	w.checkSafe(n, "is promoted")
	for _, m := range w.shard().Members {
		o := w.nodes[m.Pod]
		if len(n.log) == 0 && len(o.log) > 0 {
			w.violated("%s is promoted empty while %s has data", pod, o.name)
		}
		if o != n && o.master && w.pods[m.Pod].attached && w.pods[m.Pod].running {
			w.violated("%s is promoted while %s is an attached master", pod, o.name)
		}
	}
	if out := w.topology.Status.Shards; len(out) > 0 && out[0].Outage != nil &&
		out[0].Outage.Cause == v1alpha1.CauseHandover && out[0].Outage.Target == pod {
		if old := w.nodes[out[0].Outage.Master]; old.master || !isPrefix(old.log, n.log) {
			w.violated("%s takes over from %s without all its writes", pod, old.name)
		}
	}
}

func (w *standardWorld) checkAttach(pod string) {
	n := w.nodes[pod]
	switch {
	case !n.master && n.host == "127.0.0.1":
		w.violated("%s is attached without a place", pod)
	case !n.master && !n.linkUp:
		w.violated("%s is attached with its link down", pod)
	}
	if !n.master {
		return
	}
	if id := w.lacks(n); id != 0 {
		w.violated("%s is attached as master without write %d", pod, id)
	}
	for _, name := range w.names {
		if o := w.nodes[name]; o != n && o.master && w.pods[name].attached && w.pods[name].running {
			w.violated("%s is attached as a second master beside %s", pod, name)
		}
	}
}

func (w *standardWorld) checkFollow(a action.Follow) {
	if a.Port != simPort {
		return
	}
	if n := w.byAddress(a.Host); n == nil || !n.master || n.name == a.Pod {
		w.violated("%s is to follow %s, which is no master", a.Pod, a.Host)
	}
}

// check holds after every complete pass.
func (w *standardWorld) check() {
	w.checkReads()
	masters, labelled := 0, 0
	for _, name := range w.names {
		p, n := w.pods[name], w.nodes[name]
		if !p.exists {
			continue
		}
		if p.role == v1alpha1.RoleMaster && !w.labelledAhead(name) && !w.readOnlyPredecessor(name) {
			labelled++
		}
		if p.attached && w.isMember(name) && w.up(name) && !w.late(n) && !n.master && n.host == "127.0.0.1" && n.port == simPort {
			w.violated("%s is attached and follows itself", name)
		}
		if p.attached && p.running && n.master {
			masters++
			if id := w.lacks(n); id != 0 {
				w.violated("%s is an attached master without write %d", name, id)
			}
		}
	}
	if masters > 1 || labelled > 1 {
		w.violated("%d attached masters, %d labelled ones", masters, labelled)
	}
}
