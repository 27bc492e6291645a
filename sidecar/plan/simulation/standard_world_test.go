package simulation

import (
	"fmt"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

// world is a small model of all that plan.Standard acts on: the data plane, and sentinels that replace the master on their
// own. Only what the safety rules depend on is modelled; where the real programs leave a choice, it is random or the unkind
// one.
type world struct {
	dataPlane
	sentinels map[string]*simSentinel
	// sentinelGone: the sentinel instance does not exist.
	sentinelGone bool
}

func newWorld(seed uint64, replicas, sentinels int) *world {
	w := &world{dataPlane: newDataPlane(seed, 7, v1alpha1.TypeStandard), sentinels: map[string]*simSentinel{}}
	w.operator = scripted{&w.dataPlane}
	w.addShard(0, "orders", replicas)
	if sentinels > 0 {
		w.topology.Spec.Sentinel = &v1alpha1.SentinelRef{Name: "watch"}
		for i := range sentinels {
			w.startSentinel(fmt.Sprintf("watch-%d", i))
		}
	}
	return w
}

func (w *world) shard() *v1alpha1.TopologyShard { return &w.topology.Spec.Shards[0] }

// advance lets one tick pass.
func (w *world) advance() {
	w.dataPlane.advance()
	w.advanceSentinels()
	w.write()
	w.settle()
}

// write is the clients: they go to the master that its Service leads to.
func (w *world) write() {
	for _, name := range w.names {
		if p, n := w.pods[name], w.nodes[name]; w.up(name) && n.master {
			w.clients(n, p.attached && p.role == v1alpha1.RoleMaster && !p.deleting)
		}
	}
}
