package simulation

import (
	"flag"
	"slices"
	"testing"
	"time"

	"github.com/kvrocks/kvrocks-operator/sidecar/plan"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/layout"
)

var clusterSeeds = flag.Int("clusterseeds", 150, "number of simulated lives of clusters")

// TestSimulatedClusterLives runs the planner through random lives of a cluster: all that can happen to an instance, and
// kvrocks-controller away, without its record, late, or deciding on its own; slots moved, shards added and removed. The
// safety rules are checked at every action; when the faults end the cluster must settle, and then nothing is planned any
// more.
func TestSimulatedClusterLives(t *testing.T) {
	simulate(t, *clusterSeeds, func(t *testing.T, seed uint64) {
		w := newClusterWorld(seed)
		defer w.logEnd(t, w.describe)
		w.live(t, w, 400, 2000)
	})
}

// faults come alone or, often, several at once in one shard.
func (w *clusterWorld) faults(tick int) {
	if tick <= 30 {
		return
	}
	if w.now.Before(w.stormUntil) {
		if w.rng.IntN(4) == 0 {
			w.faultIn(w.storm)
		}
		return
	}
	if w.rng.IntN(25) > 0 {
		return
	}
	w.storm = w.rng.IntN(len(w.topology.Spec.Shards))
	w.faultIn(w.storm)
	if w.rng.IntN(2) == 0 {
		w.stormUntil = w.now.Add(w.some(20))
	}
}

// faultIn breaks something in the given shard.
func (w *clusterWorld) faultIn(in int) {
	shard := &w.topology.Spec.Shards[min(in, len(w.topology.Spec.Shards)-1)]
	if len(shard.Members) == 0 {
		return // none has an address yet
	}
	w.breakOne(w.victim(shard), []func(m string){
		w.kill, w.kill, w.removePod, w.deletePod, w.volumeFault, w.removeAll, w.hang, w.hang, w.breakSentinel, w.breakController,
		w.breakController, w.scale, w.reshape, w.handoff, w.loseSidecar, w.kill, w.remake, w.newTemplate, w.orphan, w.orphan,
		w.block, w.block, w.fill, w.fill, w.delay, w.delay,
	})
}

func (w *clusterWorld) removeAll(m string) {
	all, shard := w.rng.IntN(2) == 0, w.nodes[m].shard
	for _, name := range w.names {
		if all || w.nodes[name].shard == shard {
			*w.pods[name] = simPod{due: w.now.Add(w.some(50))}
		}
	}
	w.say("FAULT every pod is deleted (all shards: %v, else %d)", all, shard)
}

func (w *clusterWorld) scale(string) { w.scaleTo(1, 3, 5) }

// atRest: nothing waits for a grant either, and no call or push is on its way.
func (w *clusterWorld) atRest(p plan.Plan) bool {
	c := &w.controller
	return settled(p) && !w.inMotion() && w.rolled() && w.operator.atRest() && p.Status.ObservedGeneration == w.topology.Generation &&
		peaceful(p) && !c.away(w.now) && len(c.pending) == 0 && len(c.late) == 0 && c.record != nil &&
		!slices.ContainsFunc(c.record.Shards, func(s layout.Shard) bool { return s.Slots.Empty() })
}

// checkRest: every node does what the record says.
func (w *clusterWorld) checkRest(t *testing.T) {
	r := w.controller.record
	nodes := 0
	for i := range r.Shards {
		for _, n := range r.Shards[i].Nodes {
			node := w.byAddress(n.Address)
			if !w.up(node.name) || node.master != n.Master || node.layout == nil || node.version() != r.Version {
				t.Errorf("%s does not do what the record says", node.name)
			}
			nodes++
		}
	}
	for i := range w.topology.Spec.Shards {
		nodes -= len(w.topology.Spec.Shards[i].Members)
	}
	if nodes != 0 {
		t.Errorf("the record has %d nodes more than the topology", nodes)
	}
}

func (w *clusterWorld) breakController(string) {
	c := &w.controller
	switch w.rng.IntN(3) {
	case 0:
		c.awayUntil = w.now.Add(w.some(150))
		w.say("FAULT kvrocks-controller is away until %s", c.awayUntil.Format("04:05.0"))
	case 1:
		c.record, c.pending = nil, nil
		c.awayUntil = w.now.Add(w.some(30))
		w.say("FAULT kvrocks-controller loses its record and is away for a while")
	case 2:
		c.stale = true
		w.say("FAULT kvrocks-controller holds an old password")
	}
}

// heal ends every fault.
func (w *clusterWorld) heal() {
	w.controller.awayUntil = time.Time{}
	w.dataPlane.heal()
}
