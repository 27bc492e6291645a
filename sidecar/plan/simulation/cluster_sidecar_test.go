package simulation

import (
	"maps"
	"slices"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/action"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/layout"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/plantest"
)

// clusterSidecar runs passes against a world, and checks each action against the safety rules as it is applied.
type clusterSidecar struct {
	w *clusterWorld
	memory
	asked map[string]*layout.Layout // the layout that a node was last seen to have
}

func newClusterSidecar(w *clusterWorld) *clusterSidecar {
	s := &clusterSidecar{w: w, memory: memory{maxLag: w.maxLag()}}
	s.forget()
	return s
}

func (s *clusterSidecar) forget() {
	s.memory.forget()
	s.asked = map[string]*layout.Layout{}
}

// input is what the sidecar observes.
func (s *clusterSidecar) input() plan.Input {
	w := s.w
	_, hooked := w.operator.(*hooked)
	w.readSettings = hooked && w.rng.IntN(3) == 0
	in := w.input()
	in.Sentinels, in.Controller = w.observeSentinels(), w.controller.view(w.now)
	in.Controller.PasswordStale = w.controller.stale && in.Controller.Reach == plan.Answered
	for _, name := range w.names {
		p := w.pods[name]
		if !p.exists {
			delete(s.downSince, name)
			continue
		}
		n := s.observe(name)
		if p.forced {
			if s.observeOrphan(name, &n, w.now) {
				in.Nodes[name] = n
			}
			continue
		}
		s.masters[name] = n.Reach == plan.Answered && n.Role == v1alpha1.RoleMaster
		s.see(name, &n, w.now, n.Role == v1alpha1.RoleMaster)
		in.Pods[name], in.Nodes[name] = p.observe(w.now), n
	}
	return in
}

// observe is what the sidecar sees of a node. It asks for the layout when it may have changed, while its shard is in an
// outage, and now and then.
func (s *clusterSidecar) observe(name string) plan.Node {
	w := s.w
	node := w.observe(name)
	if node.Reach != plan.Answered {
		return node
	}
	n := w.nodes[name]
	node.Cluster = &plan.ClusterNode{Version: n.version(), ID: n.id}
	outage := slices.ContainsFunc(w.topology.Status.Shards, func(st v1alpha1.TopologyShardStatus) bool {
		return st.Index == n.shard && st.Outage != nil
	})
	if n.layout != nil && (s.asked[name] == nil || s.asked[name].Version != n.version() || outage || w.rng.IntN(50) == 0) {
		node.Cluster.Layout, s.asked[name] = n.layout, n.layout
	}
	return node
}

func (s *clusterSidecar) step() plan.Plan {
	s.w.advance()
	if s.w.rng.IntN(10) == 0 || s.w.now.Before(s.w.sidecarAway) {
		return unfinished()
	}
	return s.w.act(s, 4)
}

func (s *clusterSidecar) crash() int { return s.w.crashNow(40, 6) }

func (s *clusterSidecar) decide() plan.Plan { return plan.Cluster(s.input()) }

func (s *clusterSidecar) text(a action.Action) string { return plantest.ClusterWords(a) }

func (s *clusterSidecar) apply(a action.Action) error {
	w := s.w
	switch a := a.(type) {
	case action.Detach:
		w.detach(w.pods[a.Pod])
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
		if !w.detectorUp(w.sentinels[a.Sentinel]) {
			return errRefused
		}
		delete(w.sentinels[a.Sentinel].monitors, a.MasterName)
	case action.Tune:
		if m := w.sentinels[a.Sentinel].monitors[a.MasterName]; m != nil {
			m.quorum, m.settings = a.Quorum, a.Failover
		}
	case action.Push:
		s.checkPush(a)
		if !w.up(a.Pod) {
			return errRefused
		}
		delete(s.asked, a.Pod)
		return w.nodes[a.Pod].setNodes(a.ID, a.Layout, a.Force)
	case action.WriteMarker:
		if n := w.nodes[a.Pod]; n.master {
			w.put(n)
		}
	case action.Configure:
		if n := w.nodes[a.Pod]; w.up(a.Pod) && n.settings != nil {
			maps.Copy(n.settings, a.Settings)
		}
	case action.FailOver:
		s.checkFailOver(a)
		if err := w.controller.call(w, a); err != nil || a.Install == "" {
			return err
		}
		if w.rng.IntN(10) == 0 {
			return errTimeout
		}
		return s.apply(action.Push{Pod: a.Install, ID: a.PreferredID, Layout: w.controller.record})
	default:
		return w.controller.call(w, a)
	}
	return nil
}
