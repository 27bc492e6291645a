package simulation

import (
	"flag"
	"slices"
	"testing"
	"time"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/layout"
)

var clusterSeeds = flag.Int("clusterseeds", 150, "number of simulated lives of clusters")

// TestSimulatedClusterLives runs the planner through random lives of a cluster: all that can happen to an instance, and
// kvrocks-controller away, without its record, late, or deciding on its own; slots moved, shards added and removed. The
// safety rules are checked at every action; when the faults end the cluster must settle, and then nothing is planned any
// more.
func TestSimulatedClusterLives(t *testing.T) {
	simulate(t, *clusterSeeds, clusterLife)
}

func clusterLife(t *testing.T, seed uint64) {
	w := newClusterWorld(seed)
	s := newClusterSidecar(w)
	defer w.logEnd(t, 300, w.describe)
	for i := range 400 {
		if i > 30 {
			w.faults()
		}
		s.step()
		w.requireUnbroken(t)
	}
	w.heal()
	w.requireRest(t, s, 2000, func(p plan.Plan) bool { return settled(p) && w.atRest(p) })
	w.checkRest(t)
}

// faults come alone or, often, several at once in one shard.
func (w *clusterWorld) faults() {
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

// atRest: nothing waits for a grant either, and no call or push is on its way.
func (w *clusterWorld) atRest(p plan.Plan) bool {
	c := &w.controller
	return !w.inMotion() && w.rolled() && w.operator.atRest() && p.Status.ObservedGeneration == w.topology.Generation && peaceful(p) &&
		!c.away(w.now) && len(c.pending) == 0 && len(c.late) == 0 && c.record != nil &&
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

// faultIn breaks something in the given shard.
func (w *clusterWorld) faultIn(in int) {
	shard := &w.topology.Spec.Shards[min(in, len(w.topology.Spec.Shards)-1)]
	if len(shard.Members) == 0 {
		return // none has an address yet
	}
	m := w.victim(shard)
	if h, ok := w.operator.(*hooked); ok && w.rng.IntN(4) == 0 {
		h.edit(m)
		return
	}
	switch w.rng.IntN(26) {
	case 20, 21:
		w.block(m)
	case 22, 23:
		w.fill(m)
	case 24, 25:
		w.delay(m)
	case 17:
		w.operator.newTemplate()
	case 14:
		w.sidecarAway = w.now.Add(w.some(60))
		w.say("FAULT the sidecar is away until %s", w.sidecarAway.Format("04:05.0"))
	case 0, 1, 15:
		w.kill(m)
	case 2:
		w.removePod(m)
	case 3:
		w.deletePod(m)
	case 4:
		w.volumeFault(shard, m)
	case 5:
		all := w.rng.IntN(2) == 0
		for _, name := range w.names {
			if all || w.nodes[name].shard == shard.Index {
				*w.pods[name] = simPod{due: w.now.Add(w.some(50))}
			}
		}
		w.say("FAULT every pod is deleted (all shards: %v, else %d)", all, shard.Index)
	case 6, 7:
		w.hang(m)
	case 8:
		w.breakSentinel()
	case 9, 10:
		w.breakController()
	case 11:
		w.scaleTo(1, 3, 5)
	case 12:
		w.reshape()
	case 13:
		w.handoff(shard, m)
	case 18, 19:
		w.orphan(m)
	case 16:
		w.remake()
	}
}

// handoff announces that a pod is about to be updated, or no longer.
func (w *clusterWorld) handoff(shard *v1alpha1.TopologyShard, m string) {
	if h, ok := w.operator.(*hooked); ok {
		h.restart()
		return
	}
	switch {
	case w.inMotion():
	case len(shard.Handoff) > 0 || len(shard.Members) == 1:
		shard.Handoff = nil
	default:
		shard.Handoff = []string{m}
	}
	w.topology.Generation++
	w.say("handoff of shard %d: %v", shard.Index, shard.Handoff)
}

func (w *clusterWorld) breakSentinel() {
	pods := w.sentinelPods()
	if len(pods) == 0 {
		return
	}
	pod := pods[w.rng.IntN(len(pods))]
	if w.rng.IntN(2) == 0 {
		for _, pod := range pods {
			if w.rng.IntN(2) == 0 {
				w.sentinels[pod].until = w.now.Add(w.some(300))
				w.say("FAULT %s is in TILT", pod)
			}
		}
		return
	}
	if w.rng.IntN(2) == 0 {
		w.sentinels[pod].downEnd = w.now.Add(w.some(60))
		w.say("FAULT %s is unreachable", pod)
		return
	}
	delete(w.sentinels, pod)
	w.startSentinel()
	w.say("FAULT %s is replaced", pod)
}

func (w *clusterWorld) breakController() {
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
	w.healed = true
	w.controller.awayUntil = time.Time{}
	for _, o := range w.sentinels {
		o.downEnd, o.until = time.Time{}, time.Time{}
	}
	w.dataPlane.heal()
}
