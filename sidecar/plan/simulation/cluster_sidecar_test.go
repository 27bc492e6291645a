package simulation

import (
	"slices"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/action"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/layout"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/plantest"
)

func (w *clusterWorld) forget() {
	w.memory.forget()
	w.asked = map[string]*layout.Layout{}
}

func (w *clusterWorld) decide() plan.Plan {
	in := w.input(w.observe, w.electing)
	in.Controller = w.controller.view(w.now)
	in.Controller.PasswordStale = w.controller.stale && in.Controller.Reach == plan.Answered
	return plan.Cluster(in)
}

// observe is what the sidecar sees of a node. It asks for the layout when it may have changed, while its shard is in an
// outage, and now and then.
func (w *clusterWorld) observe(name string) plan.Node {
	node := w.dataPlane.observe(name)
	if node.Reach != plan.Answered {
		return node
	}
	n := w.nodes[name]
	node.Cluster = &plan.ClusterNode{Version: n.version(), ID: n.id}
	outage := slices.ContainsFunc(w.topology.Status.Shards, func(st v1alpha1.TopologyShardStatus) bool {
		return st.Index == n.shard && st.Outage != nil
	})
	if n.layout != nil && (w.asked[name] == nil || w.asked[name].Version != n.version() || outage || w.rng.IntN(50) == 0) {
		node.Cluster.Layout, w.asked[name] = n.layout, n.layout
	}
	return node
}

func (w *clusterWorld) passes() int { return 4 }

func (w *clusterWorld) crash() int { return w.crashNow(40, 6) }

func (w *clusterWorld) text(a action.Action) string { return plantest.Words(a) }

func (w *clusterWorld) apply(a action.Action) error {
	switch a := a.(type) {
	case action.Detach:
		w.detach(w.pods[a.Pod])
	case action.Attach:
		w.checkAttach(a.Pod)
		w.attach(a.Pod)
	case action.Push:
		w.checkPush(a)
		if !w.up(a.Pod) {
			return errRefused
		}
		delete(w.asked, a.Pod)
		return w.nodes[a.Pod].setNodes(a.ID, a.Layout, a.Force)
	case action.FailOver:
		w.checkFailOver(a)
		if err := w.controller.call(w, a); err != nil || a.Install == "" {
			return err
		}
		if w.rng.IntN(10) == 0 {
			return errTimeout
		}
		return w.apply(action.Push{Pod: a.Install, ID: a.PreferredID, Layout: w.controller.record})
	case action.CreateCluster, action.ImportCluster, action.DeleteCluster, action.AddShard, action.RemoveShard, action.AddNode, action.RemoveNode:
		return w.controller.call(w, a)
	default:
		return w.dataPlane.apply(a)
	}
	return nil
}
