package simulation

import (
	"slices"
	"testing"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

// pausing is a world in which a person holds planned changes now and then.
type pausing struct {
	world
	d *dataPlane
}

func (p pausing) faults(tick int) {
	p.world.faults(tick)
	if p.d.rng.IntN(30) == 0 {
		p.pause(!p.d.topology.Spec.Paused)
	}
}

func (p pausing) pause(held bool) {
	p.d.topology.Spec.Paused = held
	p.d.topology.Generation++
	p.d.say("paused: %v", held)
}

// heal has planned changes go on, without which the instance comes not to rest.
func (p pausing) heal() {
	p.world.heal()
	p.pause(false)
}

// checkReport: while planned changes are held no master hands over but one whose pod ends or has ended, or that has no room.
func (p pausing) checkReport(st v1alpha1.KVRocksTopologyStatus) {
	p.world.checkReport(st)
	for i := range st.Shards {
		now, before := st.Shards[i].Outage, p.d.reportedShard(st.Shards[i].Index)
		if now == nil || now.Cause != v1alpha1.CauseHandover || now.ChosenByController || before != nil && before.Outage != nil || !p.d.topology.Spec.Paused {
			continue
		}
		if pod := p.d.pods[now.Master]; pod.exists && !pod.deleting && !pod.forced && !p.d.full(p.d.nodes[now.Master]) {
			p.d.violated("%s hands over in a paused instance", now.Master)
		}
	}
}

// TestSimulatedLivesWithPauses is TestSimulatedLives and TestSimulatedClusterLives with planned changes held at any moment: failovers go
// on, and afterwards everything comes to rest as without.
func TestSimulatedLivesWithPauses(t *testing.T) {
	t.Run("standard", func(t *testing.T) {
		simulate(t, (*seeds+3)/4, func(t *testing.T, seed uint64) {
			w := newStandardWorld(seed+1000, []int{2, 3, 3, 5}[seed%4], []int{0, 3, 3}[seed%3])
			defer w.logEnd(t, w.describe)
			w.live(t, pausing{w, &w.dataPlane}, 300, 1500)
		})
	})
	t.Run("cluster", func(t *testing.T) {
		simulate(t, (*clusterSeeds+3)/4, func(t *testing.T, seed uint64) {
			w := newClusterWorld(seed + 1000)
			defer w.logEnd(t, w.describe)
			w.live(t, pausing{w, &w.dataPlane}, 400, 2000)
		})
	})
}

// In a paused instance that nothing else happens to a dead master is replaced.
func TestADeadMasterIsReplacedInAPausedInstance(t *testing.T) {
	for _, sentinels := range []int{0, 3} {
		w := newStandardWorld(uint64(90+sentinels), 3, sentinels)
		w.healed = true
		w.requireRest(t, w, 3000)
		pausing{w, &w.dataPlane}.pause(true)
		w.requireRest(t, w, 3000)
		master := w.reportedShard(0).Master
		w.removePod(master)
		w.requireRest(t, w, 3000)
		if now := w.reportedShard(0).Master; now == master || !slices.ContainsFunc(w.topology.Status.Failovers, func(f v1alpha1.FailoverRecord) bool { return f.From == master }) {
			t.Errorf("%s is still master: %s", now, w.describe())
		}
	}
}
