package simulation

import (
	"testing"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan"
)

// standardWorld is a small model of all that plan.Standard acts on: the data plane, and sentinels that replace the master on their
// own. Only what the safety rules depend on is modelled; where the real programs leave a choice, it is random or the unkind
// one.
type standardWorld struct{ dataPlane }

func newStandardWorld(seed uint64, replicas, sentinels int) *standardWorld {
	w := &standardWorld{newDataPlane(seed, 7, v1alpha1.TypeStandard)}
	w.operator = scripted{&w.dataPlane}
	w.addShard(0, instance, replicas)
	w.watch(sentinels)
	return w
}

// watch starts the sentinels.
func (w *standardWorld) watch(sentinels int) {
	w.sentinelBase = 100
	for i := range sentinels {
		w.startSentinel(i)
	}
	if sentinels > 0 && len(w.topology.Spec.Shards) > 0 {
		w.topology.Spec.Sentinel = &v1alpha1.SentinelRef{Name: "watch"}
	}
}

func (w *standardWorld) shard() *v1alpha1.TopologyShard { return &w.topology.Spec.Shards[0] }

func (w *standardWorld) advance() {
	w.advancePods()
	w.advanceSentinels()
	w.write()
	w.settle()
}

// write is the clients: they go to the master that its Service leads to.
func (w *standardWorld) write() {
	for _, name := range w.names {
		if p, n := w.pods[name], w.nodes[name]; w.up(name) && n.master {
			w.clients(n, p.attached && p.role == v1alpha1.RoleMaster && !p.deleting)
		}
	}
}

// faults come in one tick of 25.
func (w *standardWorld) faults(int) {
	if w.rng.IntN(25) > 0 {
		return
	}
	w.breakOne(w.victim(w.shard()), []func(m string){
		w.kill, w.kill, w.removePod, w.deletePod, w.volumeFault, w.removeAll, w.hang, w.hang, w.breakSentinel, w.loseSentinels,
		w.scale, w.handoff, w.newTemplate, w.orphan, w.orphan, w.block, w.block, w.fill, w.fill, w.delay, w.delay,
	})
}

func (w *standardWorld) removeAll(string) {
	for _, o := range w.shard().Members {
		*w.pods[o.Pod] = simPod{due: w.now.Add(w.some(50))}
	}
	w.say("FAULT every pod is deleted")
}

func (w *standardWorld) scale(string) { w.scaleTo(1, 2, 3, 5) }

// atRest: nothing waits for a grant either.
func (w *standardWorld) atRest(p plan.Plan) bool {
	return settled(p) && int(w.shard().Replicas) == len(w.shard().Members) && p.Status.ObservedGeneration == w.topology.Generation &&
		len(w.shard().Handoff) == 0 && w.rolled() && w.operator.atRest()
}

func (w *standardWorld) checkRest(*testing.T) {}
