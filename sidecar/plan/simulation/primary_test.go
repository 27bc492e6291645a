package simulation

import (
	"testing"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

// naming is a world in which a person names masters now and then.
type naming struct {
	world
	d *dataPlane
}

func (n naming) faults(tick int) {
	n.world.faults(tick)
	if n.d.rng.IntN(40) == 0 {
		n.d.namePrimary(&n.d.topology.Spec.Shards[n.d.rng.IntN(len(n.d.topology.Spec.Shards))])
	}
}

// namePrimary names one of the members that stay as master of a shard, or none.
func (d *dataPlane) namePrimary(shard *v1alpha1.TopologyShard) {
	if shard.Primary = ""; d.rng.IntN(4) > 0 && len(shard.Members) > 0 {
		shard.Primary = shard.Members[d.rng.IntN(min(len(shard.Members), int(shard.Replicas)))].Pod
	}
	d.topology.Generation++
	d.say("primary of shard %d: %q", shard.Index, shard.Primary)
}

// heal takes back the names of pods that are not to stay, as admission wants it before an instance is scaled down.
func (n naming) heal() {
	n.world.heal()
	for i := range n.d.topology.Spec.Shards {
		shard := &n.d.topology.Spec.Shards[i]
		if ordinalOf(shard.Primary) >= shard.Replicas {
			shard.Primary = ""
		}
	}
}

// checkRest: each master that was named has been one.
func (n naming) checkRest(t *testing.T) {
	t.Helper()
	n.world.checkRest(t)
	for _, last := range n.d.topology.Status.Shards {
		if shard := n.d.shardOf(last.Index); last.PrimarySwitched != shard.Primary {
			t.Errorf("shard %d: %q is named, and %q was made master", last.Index, shard.Primary, last.PrimarySwitched)
		}
	}
}

// TestSimulatedLivesWithNamedPrimaries is TestSimulatedLives and TestSimulatedClusterLives with masters that a person names at any moment:
// in the end each of them has been master since.
func TestSimulatedLivesWithNamedPrimaries(t *testing.T) {
	t.Run("standard", func(t *testing.T) {
		simulate(t, (*seeds+3)/4, func(t *testing.T, seed uint64) {
			w := newStandardWorld(seed, []int{2, 3, 3, 5}[seed%4], []int{0, 3, 3}[seed%3])
			defer w.logEnd(t, w.describe)
			w.live(t, naming{w, &w.dataPlane}, 300, 1500)
		})
	})
	t.Run("cluster", func(t *testing.T) {
		simulate(t, (*clusterSeeds+3)/4, func(t *testing.T, seed uint64) {
			w := newClusterWorld(seed)
			defer w.logEnd(t, w.describe)
			w.live(t, naming{w, &w.dataPlane}, 400, 2000)
		})
	})
}

// Each of several masters in a row costs one handover, and what is named already costs none.
func TestANamedPrimaryCostsOneHandover(t *testing.T) {
	for _, sentinels := range []int{0, 3} {
		w := newStandardWorld(uint64(60+sentinels), 3, sentinels)
		nameEach(t, &w.dataPlane, w)
	}
	w := newClusterWorld(61)
	for w.topology.Spec.Shards[0].Replicas != 3 {
		w = newClusterWorld(w.rng.Uint64())
	}
	nameEach(t, &w.dataPlane, w)
}

func nameEach(t *testing.T, d *dataPlane, w world) {
	t.Helper()
	d.healed = true
	defer d.logEnd(t, w.describe)
	d.requireRest(t, w, 3000)
	for _, ordinal := range []int{2, 2, 1, 0} {
		before := make(map[int32]string)
		for i := range d.topology.Spec.Shards {
			shard := &d.topology.Spec.Shards[i]
			before[shard.Index], shard.Primary = d.reportedShard(shard.Index).Master, shard.Members[ordinal].Pod
		}
		d.topology.Generation++
		d.topology.Status.Failovers = nil
		d.requireRest(t, w, 3000)
		for i := range d.topology.Spec.Shards {
			shard := &d.topology.Spec.Shards[i]
			moves := 1
			if before[shard.Index] == shard.Primary {
				moves = 0
			}
			if master, journal := d.reportedShard(shard.Index).Master, handovers(d.topology.Status, shard.Index); master != shard.Primary || len(journal) != moves {
				t.Fatalf("shard %d: %s is named, and %s is master after %v", shard.Index, shard.Primary, master, journal)
			}
		}
	}
}
