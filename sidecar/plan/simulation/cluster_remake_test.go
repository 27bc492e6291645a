package simulation

import (
	"strings"

	"github.com/kvrocks/kvrocks-operator/api/slots"
	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/plantest"
)

// remake deletes the instance and makes it anew on its volumes, which are all that remembers it. It does so when every
// master knows the record; the other nodes may have been told something older, or nothing yet.
func (w *clusterWorld) remake(string) {
	r := w.controller.record
	if !w.operator.remakes() || r == nil || w.controller.away(w.now) || w.inMotion() || w.addedTwice() || w.holdsForeign() {
		return
	}
	owners := map[int32]slots.Set{}
	known := 0
	for i := range r.Shards {
		for _, n := range r.Shards[i].Nodes {
			node := w.byAddress(n.Address)
			if n.Master && node.layout != r || !w.isMember(node.name) {
				return
			}
			owners[node.shard] = r.Shards[i].Slots
			known++
		}
	}
	for i := range w.topology.Spec.Shards {
		known -= len(w.topology.Spec.Shards[i].Members)
	}
	if known != 0 {
		return
	}
	w.say("FAULT the instance is deleted and made anew on its volumes")
	w.remembered = owners
	w.topology.Status = v1alpha1.KVRocksTopologyStatus{}
	w.topology.Generation++
	w.controller.simRecord = simRecord{awayUntil: w.now.Add(w.some(50))}
	w.controller.stale, w.controller.late = false, nil
	for _, name := range w.names {
		*w.pods[name] = simPod{due: w.now.Add(w.some(50))}
	}
}

// checkRemembered holds when there is a first record after that: every slot is where it was.
func (w *clusterWorld) checkRemembered() {
	if w.remembered == nil {
		return
	}
	for i := range w.controller.record.Shards {
		s := &w.controller.record.Shards[i]
		if shard := w.byAddress(s.Nodes[0].Address).shard; s.Slots != w.remembered[shard] {
			had := w.remembered[shard]
			w.violated("shard %d had the slots %v and is made anew with %v", shard, had.Ranges(), s.Slots.Ranges())
		}
	}
	w.remembered = nil
}

// savedWords is what the volume remembers of a node that was told the layout.
func savedWords(told toldLayout) string {
	owners := 0
	for i := range told.layout.Shards {
		if !told.layout.Shards[i].Slots.Empty() {
			owners++
		}
	}
	s := shardWith(told.layout, told.id)
	if s == nil {
		return ""
	}
	var master string
	for _, n := range s.Nodes {
		if n.Master {
			master = n.ID
		}
	}
	var ranges []string
	for _, r := range s.Slots.Ranges() {
		ranges = append(ranges, r.String())
	}
	return plantest.Recalled(told.layout.Version, told.id, master, strings.Join(ranges, " "), owners)
}
