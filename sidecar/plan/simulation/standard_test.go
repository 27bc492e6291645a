package simulation

import (
	"flag"
	"testing"
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
	simulate(t, *seeds, func(t *testing.T, seed uint64) {
		w := newStandardWorld(seed, 0, 0)
		w = newStandardWorld(seed, []int{1, 2, 3, 3, 3, 5}[w.rng.IntN(6)], []int{0, 3, 3, 5}[w.rng.IntN(4)])
		w.boundLoss()
		defer w.logEnd(t, w.describe)
		w.live(t, w, 300, 1500)
	})
}
