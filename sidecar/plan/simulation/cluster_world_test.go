package simulation

import (
	"fmt"
	"time"

	"github.com/kvrocks/kvrocks-operator/api/slots"
	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/layout"
)

// clusterWorld is a small model of all that plan.Cluster acts on: the data plane, whose nodes follow the layout which they were
// told, kvrocks-controller with its record, and sentinels that only detect.
// Where the real programs leave a choice, it is random or the unkind one.
type clusterWorld struct {
	dataPlane
	controller simController
	asked      map[string]*layout.Layout // the layout that a node was last seen to have
	// storm is the place of a shard in which faults come often until stormUntil.
	storm      int
	stormUntil time.Time
	// remembered are the slots of each shard of an instance that is being made anew; nil when none is.
	remembered map[int32]slots.Set
}

func newClusterWorld(seed uint64) *clusterWorld {
	w := &clusterWorld{dataPlane: newDataPlane(seed, 11, v1alpha1.TypeCluster), asked: map[string]*layout.Layout{}}
	w.operator = scripted{&w.dataPlane}
	w.topology.Spec.Migration = &v1alpha1.MigrationPolicy{}
	replicas := []int{1, 3, 3, 3}[w.rng.IntN(4)]
	for i := range int32(1 + w.rng.IntN(3)) {
		w.addShard(i, fmt.Sprint("orders.", i), replicas)
	}
	if w.rng.IntN(3) > 0 {
		w.topology.Spec.Sentinel = &v1alpha1.SentinelRef{Name: "watch"}
		for range 3 {
			w.nextSentinel()
		}
	}
	w.setInterval()
	return w
}

// setInterval bounds, in some lives, what may be lost, and has kvrocks-controller probe as the hooks say: slow where sentinels
// detect, fast where nothing else does.
func (w *clusterWorld) setInterval() {
	w.controller.interval = 20 * time.Second
	if w.topology.Spec.Sentinel == nil {
		w.controller.interval = time.Second
	}
	if w.boundLoss(); w.topology.Spec.Failover.MaxLostWrites != nil {
		w.controller.interval = 24 * time.Hour
	}
}

func (w *clusterWorld) advance() {
	w.advancePods()
	w.advanceSentinels()
	w.advanceController()
	w.write()
	w.settle()
}

// write is the clients: they go to the owners of slots.
func (w *clusterWorld) write() {
	for _, name := range w.names {
		if p, n := w.pods[name], w.nodes[name]; w.up(name) && n.owns() {
			w.clients(n, p.attached && !p.deleting)
		}
	}
}
