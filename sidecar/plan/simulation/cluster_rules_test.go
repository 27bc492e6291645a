package simulation

import (
	"slices"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/action"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/layout"
)

// serves: clients reach the node and it takes their writes.
func (w *clusterWorld) serves(name string) bool {
	return w.pods[name].exists && w.pods[name].attached && w.pods[name].running && w.nodes[name].owns()
}

// checkPush: what becomes master of slots holds every settled write, is not empty while another member has data, and no
// other attached node of the shard owns its slots.
func (w *clusterWorld) checkPush(a action.Push) {
	n := w.nodes[a.Pod]
	in := shardWith(a.Layout, a.ID)
	if in == nil {
		w.violated("%s is told a layout without itself", a.Pod)
		return
	}
	master := slices.ContainsFunc(in.Nodes, func(o layout.Node) bool { return o.ID == a.ID && o.Master })
	if !master || in.Slots.Empty() || n.owns() {
		return
	}
	if id := w.lacks(n); id != 0 {
		w.violated("%s is made master without write %d", a.Pod, id)
	}
	w.checkSafe(n, "is made master")
	for _, name := range w.names {
		o := w.nodes[name]
		if o.shard != n.shard || o == n || !w.isMember(name) {
			continue
		}
		if len(n.log) == 0 && len(o.log) > 0 {
			w.violated("%s is made master empty while %s has data", a.Pod, name)
		}
		if w.serves(name) {
			w.violated("%s is made master while %s serves", a.Pod, name)
		}
	}
}

// checkFailOver: a planned move loses nothing: the old master takes no writes, and the new one has all of them.
func (w *clusterWorld) checkFailOver(a action.FailOver) {
	target := w.byID(a.PreferredID)
	if target == nil || w.controller.away(w.now) {
		return
	}
	w.checkLoss(target)
	w.checkLagging(target)
	for _, st := range w.topology.Status.Shards {
		if st.Index != target.shard || st.Outage == nil || st.Outage.Cause != v1alpha1.CauseHandover {
			continue
		}
		if old := w.nodes[st.Outage.Master]; old.owns() || !isPrefix(old.log, target.log) {
			w.violated("%s is to take over from %s without all its writes", target.name, old.name)
		}
	}
}

// checkReport: what is said to have lost nothing has not.
func (w *clusterWorld) checkReport(st v1alpha1.KVRocksTopologyStatus) {
	w.checkAvailable(&st)
	w.checkRoom(&st)
	failovers := st.Failovers
	if len(failovers) == 0 || w.topology.Status.ObservedGeneration == 0 {
		return
	}
	r := failovers[len(failovers)-1]
	known := w.topology.Status.Failovers
	if r.Cause != v1alpha1.CauseHandover || r.LostSequence == nil || *r.LostSequence > 0 || r.From == r.To || len(known) > 0 && known[len(known)-1].At == r.At {
		return
	}
	if old, next := w.nodes[r.From], w.nodes[r.To]; !old.foreign() && !isPrefix(old.log, next.log) {
		w.violated("%s has handed over to %s, which lacks some of its writes", r.From, r.To)
	}
}

func (w *clusterWorld) byID(id string) *simNode {
	if w.controller.record == nil {
		return nil
	}
	in := shardWith(w.controller.record, id)
	if in == nil {
		return nil
	}
	for _, n := range in.Nodes {
		if n.ID == id {
			return w.byAddress(n.Address)
		}
	}
	return nil
}

func (w *clusterWorld) checkAttach(pod string) {
	n := w.nodes[pod]
	chosen := slices.ContainsFunc(w.topology.Status.Shards, func(st v1alpha1.TopologyShardStatus) bool {
		return st.Index == n.shard && st.Outage != nil
	})
	switch {
	case n.layout == nil:
		w.violated("%s is attached without a layout", pod)
	case !n.master && n.host == "127.0.0.1" && n.port == simPort:
		w.violated("%s is attached without a place", pod)
	case !n.master && !n.linkUp && !chosen:
		w.violated("%s is attached with its link down", pod)
	case !n.master && w.lacks(n) != 0:
		w.violated("%s is attached as a replica without write %d", pod, w.lacks(n))
	}
	if !n.owns() {
		return
	}
	if id := w.lacks(n); id != 0 {
		w.violated("%s is attached as master without write %d", pod, id)
	}
	for _, name := range w.names {
		if o := w.nodes[name]; o != n && o.shard == n.shard && w.serves(name) {
			w.violated("%s is attached as a second master beside %s", pod, name)
		}
	}
}

// check holds after every complete pass.
func (w *clusterWorld) check() {
	w.checkReads()
	serving, labelled := map[int32]int{}, map[int32]int{}
	for _, name := range w.names {
		p, n := w.pods[name], w.nodes[name]
		if !p.exists {
			continue
		}
		if p.role == v1alpha1.RoleMaster {
			labelled[n.shard]++
		}
		if p.attached && w.isMember(name) && w.up(name) && !w.late(n) && n.layout == nil {
			w.violated("%s is attached and has no layout", name)
		}
		if w.serves(name) {
			serving[n.shard]++
			if id := w.lacks(n); id != 0 {
				w.violated("%s serves without write %d", name, id)
			}
		}
	}
	for i := range w.settled {
		if serving[i] > 1 || labelled[i] > 1 {
			w.violated("shard %d has %d serving masters, %d labelled ones", i, serving[i], labelled[i])
		}
	}
	if r := w.controller.record; r != nil {
		owned := 0
		for i := range r.Shards {
			owned += r.Shards[i].Slots.Len()
		}
		if owned != 16384 {
			w.violated("%d slots are owned on record", owned)
		}
	}
}
