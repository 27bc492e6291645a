package simulation

import (
	"flag"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan"
)

var (
	seeds    = flag.Int("seeds", 400, "number of simulated lives")
	fromSeed = flag.Uint64("from", 0, "first seed of the simulated lives")
)

// TestSimulatedLives runs the planner through random lives of an instance: processes killed, pods and volumes lost, volumes
// swapped, foreign or restored from backups, full syncs that take a while and are aborted, nodes hung or answering late, sentinels
// replaced, members added and removed, and the sidecar crashing between any two actions. The safety rules are checked at every
// action; when the faults end the instance must settle, and then nothing is planned any more.
func TestSimulatedLives(t *testing.T) {
	simulate(t, *seeds, live)
}

func live(t *testing.T, seed uint64) {
	w := newWorld(seed, 0, 0)
	w = newWorld(seed, []int{1, 2, 3, 3, 3, 5}[w.rng.IntN(6)], []int{0, 3, 3, 5}[w.rng.IntN(4)])
	w.boundLoss()
	s := newSidecar(w)
	defer w.logEnd(t, 400, func() string { return describe(w.topology.Status) })
	for range 300 {
		if w.rng.IntN(25) == 0 {
			w.fault()
		}
		s.step()
		w.requireUnbroken(t)
	}
	w.heal()
	w.requireRest(t, s, 1500, func(p plan.Plan) bool { return settled(p) && w.settledFor(p) })
}

func settled(p plan.Plan) bool {
	return len(p.Actions) == 0 && len(p.Status.Conditions) > 0 && !slices.ContainsFunc(p.Status.Conditions, func(c metav1.Condition) bool {
		return c.Status != metav1.ConditionTrue && c.Type != v1alpha1.ConditionConfigApplied
	})
}

// settledFor: nothing waits for a grant either.
func (w *world) settledFor(p plan.Plan) bool {
	return int(w.shard().Replicas) == len(w.shard().Members) && p.Status.ObservedGeneration == w.topology.Generation &&
		len(w.shard().Handoff) == 0 && w.rolled() && w.operator.atRest()
}

func describe(st v1alpha1.KVRocksTopologyStatus) string {
	var b strings.Builder
	for _, c := range st.Conditions {
		fmt.Fprintf(&b, "%s=%s %s: %s\n", c.Type, c.Status, c.Reason, c.Message)
	}
	for _, s := range st.Shards {
		fmt.Fprintf(&b, "master %s outage %+v scaleTo %d\n", s.Master, s.Outage, s.ScaleTo)
		for _, n := range s.Nodes {
			fmt.Fprintf(&b, "  %+v\n", n)
		}
	}
	return b.String()
}

// fault breaks something.
func (w *world) fault() {
	m := w.victim(w.shard())
	if h, ok := w.operator.(*hooked); ok && w.rng.IntN(4) == 0 {
		h.edit(m)
		return
	}
	switch w.rng.IntN(21) {
	case 15, 16:
		w.block(m)
	case 17, 18:
		w.fill(m)
	case 19, 20:
		w.delay(m)
	case 12:
		w.operator.newTemplate()
	case 0, 1:
		w.kill(m)
	case 2:
		w.removePod(m)
	case 3:
		w.deletePod(m)
	case 4:
		w.volumeFault(w.shard(), m)
	case 5: // Every pod is deleted.
		for _, o := range w.shard().Members {
			*w.pods[o.Pod] = simPod{due: w.now.Add(w.some(50))}
		}
		w.say("FAULT every pod is deleted")
	case 6, 7:
		w.hang(m)
	case 8:
		w.breakSentinel()
	case 9:
		if len(w.sentinels) > 0 && w.rng.IntN(4) == 0 {
			w.sentinelGone = !w.sentinelGone
			for _, o := range w.sentinels {
				o.monitor = nil
			}
			w.say("FAULT sentinel instance gone: %v", w.sentinelGone)
		}
	case 10:
		w.scaleTo(1, 2, 3, 5)
	case 13, 14:
		w.orphan(m)
	case 11: // The pod is about to be updated, or no longer.
		if h, ok := w.operator.(*hooked); ok {
			h.restart()
			return
		}
		switch {
		case w.inMotion():
		case len(w.shard().Handoff) > 0 || len(w.shard().Members) == 1:
			w.shard().Handoff = nil
		default:
			w.shard().Handoff = []string{m}
		}
		w.topology.Generation++
		w.say("handoff of shard %d: %v", w.shard().Index, w.shard().Handoff)
	}
}

func (w *world) breakSentinel() {
	pods := w.sentinelPods()
	if len(pods) == 0 {
		return
	}
	pod := pods[w.rng.IntN(len(pods))]
	if w.rng.IntN(2) == 0 {
		for _, pod := range pods { // a machine that stands still takes several along
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
	w.nextIP++
	w.startSentinel(fmt.Sprintf("watch-%d", 100+w.nextIP))
	w.say("FAULT %s is replaced", pod)
}

// heal ends every fault.
func (w *world) heal() {
	w.sentinelGone = false
	for _, o := range w.sentinels {
		o.downEnd, o.until = time.Time{}, time.Time{}
	}
	w.dataPlane.heal()
}
