package simulation

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/action"
)

// simSidecar runs passes against a world, and checks each action against the safety rules as it is applied.
type simSidecar struct {
	w *world
	memory
}

var errOwnReplicas = errors.New("ERR can't replicate your own replicas")

func newSidecar(w *world) *simSidecar {
	s := &simSidecar{w: w, memory: memory{maxLag: w.maxLag()}}
	s.forget()
	return s
}

// input is what the sidecar observes.
func (s *simSidecar) input() plan.Input {
	w := s.w
	_, hooked := w.operator.(*hooked)
	w.readSettings = hooked && w.rng.IntN(3) == 0
	in := w.input()
	in.Sentinels = w.observeSentinels()
	for _, name := range w.names {
		p := w.pods[name]
		if !p.exists {
			delete(s.lastMaster, name)
			delete(s.downSince, name)
			continue
		}
		n := w.observe(name)
		if p.forced {
			if s.observeOrphan(name, &n, w.now) {
				in.Nodes[name] = n
			}
			continue
		}
		s.masters[name] = n.Reach == plan.Answered && n.Role == v1alpha1.RoleMaster
		s.see(name, &n, w.now, true) // Here every answer counts, also a replica's.
		in.Pods[name], in.Nodes[name] = p.observe(w.now), n
	}
	return in
}

func (s *simSidecar) step() plan.Plan {
	s.w.advance()
	if s.w.rng.IntN(10) == 0 || s.w.now.Before(s.w.sidecarAway) {
		return unfinished()
	}
	return s.w.act(s, 3)
}

func (s *simSidecar) crash() int { return s.w.crashNow(30, 4) }

func (s *simSidecar) decide() plan.Plan { return plan.Standard(s.input()) }

func (s *simSidecar) text(a action.Action) string { return fmt.Sprintf("%T%v", a, a) }

func (s *simSidecar) checkReport(st v1alpha1.KVRocksTopologyStatus) {
	s.w.checkAvailable(&st)
	s.w.checkRoom(&st)
}

func (s *simSidecar) apply(a action.Action) error {
	w := s.w
	switch a := a.(type) {
	case action.Detach:
		w.pods[a.Pod].attached = false
	case action.Attach:
		s.checkAttach(a.Pod)
		w.attach(a.Pod)
	case action.DeletePod:
		return w.replacePod(a)
	case action.Label:
		w.checkLabel(a)
		w.pods[a.Pod].role = a.Role
	case action.Monitor:
		return w.monitor(a)
	case action.Unmonitor:
		w.sentinels[a.Sentinel].monitor = nil
	case action.Tune:
		m := w.sentinels[a.Sentinel].monitor
		m.quorum, m.settings = a.Quorum, a.Failover
	default:
		return s.applyToNode(a)
	}
	return nil
}

func (s *simSidecar) applyToNode(a action.Action) error {
	w := s.w
	switch a := a.(type) {
	case action.Promote:
		s.checkPromote(a.Pod)
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
		s.checkFollow(a)
		w.nodes[a.Pod].follow(a.Host, a.Port)
	case action.Configure:
		if n := w.nodes[a.Pod]; w.up(a.Pod) && n.settings != nil {
			maps.Copy(n.settings, a.Settings)
		}
		if v, ok := a.Settings["slave-priority"]; ok {
			w.nodes[a.Pod].priority = map[string]int32{"0": 0, "100": 100}[v]
		}
	case action.DropClients:
		if !w.up(a.Pod) {
			return errRefused
		}
	case action.WriteMarker:
		w.put(w.nodes[a.Pod])
	default:
		return fmt.Errorf("unexpected action %T", a)
	}
	return nil
}

// checkPromote: what is promoted holds every settled write, is not empty while another member has data, and no other
// attached node is master.
func (s *simSidecar) checkPromote(pod string) {
	w := s.w
	n := w.nodes[pod]
	w.checkLoss(n)
	w.checkLagging(n)
	if id := w.lacks(n); id != 0 {
		s.w.violated("%s is promoted without write %d", pod, id)
	}
	w.checkSafe(n, "is promoted")
	for _, m := range w.shard().Members {
		o := w.nodes[m.Pod]
		if len(n.log) == 0 && len(o.log) > 0 {
			s.w.violated("%s is promoted empty while %s has data", pod, o.name)
		}
		if o != n && o.master && w.pods[m.Pod].attached && w.pods[m.Pod].running {
			s.w.violated("%s is promoted while %s is an attached master", pod, o.name)
		}
	}
	if out := w.topology.Status.Shards; len(out) > 0 && out[0].Outage != nil &&
		out[0].Outage.Cause == v1alpha1.CauseHandover && out[0].Outage.Target == pod {
		if old := w.nodes[out[0].Outage.Master]; old.master || !isPrefix(old.log, n.log) {
			s.w.violated("%s takes over from %s without all its writes", pod, old.name)
		}
	}
}

func (s *simSidecar) checkAttach(pod string) {
	w := s.w
	n := w.nodes[pod]
	switch {
	case !n.master && n.host == "127.0.0.1":
		s.w.violated("%s is attached without a place", pod)
	case !n.master && !n.linkUp:
		s.w.violated("%s is attached with its link down", pod)
	}
	if !n.master {
		return
	}
	if id := w.lacks(n); id != 0 {
		s.w.violated("%s is attached as master without write %d", pod, id)
	}
	for _, name := range w.names {
		if o := w.nodes[name]; o != n && o.master && w.pods[name].attached && w.pods[name].running {
			s.w.violated("%s is attached as a second master beside %s", pod, name)
		}
	}
}

func (s *simSidecar) checkFollow(a action.Follow) {
	if a.Port != simPort {
		return
	}
	if n := s.w.byAddress(a.Host); n == nil || !n.master || n.name == a.Pod {
		s.w.violated("%s is to follow %s, which is no master", a.Pod, a.Host)
	}
}

// check holds after every complete pass.
func (s *simSidecar) check() {
	w := s.w
	w.checkReads(&s.memory)
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
			s.w.violated("%s is attached and follows itself", name)
		}
		if p.attached && p.running && n.master {
			masters++
			if id := w.lacks(n); id != 0 {
				s.w.violated("%s is an attached master without write %d", name, id)
			}
		}
	}
	if masters > 1 || labelled > 1 {
		s.w.violated("%d attached masters, %d labelled ones", masters, labelled)
	}
}
