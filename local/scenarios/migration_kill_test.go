package scenarios

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

// A move of slots ends where it should, whatever is killed meanwhile. It runs alone, because it kills the sidecar that all others
// rely on.
func TestMigrationSurvivesTheLossOfEachOfItsParts(t *testing.T) {
	s := begin(t)
	s.sharded("orders", 2, 1, "watch")
	moving := slotRange{0, 1999}
	// Eight megabytes, one a second: without a limit the move would be over before anything could be killed.
	filled := s.fill("orders", moving, 4, 1024)
	s.patch("orders", `{"spec":{"kvrocksConfig":{"migrate-batch-rate-limit-mb":"1"}}}`)
	s.settled("orders", "watch")

	master := func(shard int) func(*scenario) func() {
		return func(s *scenario) func() {
			before := s.shardMaster("orders", shard)
			release := s.keepAway(before)
			s.anotherOf("orders", shard, before)
			return release
		}
	}
	// The slots go to and fro between the shards 0 and 1.
	for i, part := range []struct {
		name string
		kill func(*scenario) (release func())
	}{
		{"the leading sidecar", func(s *scenario) func() { s.killInNamespace(systemNamespace, s.leader()); return func() {} }},
		{"kvrocks-controller", func(s *scenario) func() {
			s.forceDelete(anyOf(s.component("orders", v1alpha1.ComponentController)))
			return func() {}
		}},
		{"the source's master", master(0)},
		{"the destination's master", master(0)},
	} {
		source, destination := i%2, 1-i%2
		if !t.Run(part.name, func(t *testing.T) {
			s := s.part(t)
			w := s.writeCluster("orders", moving, slotRange{2000, 5460}, thirds[1], thirds[2])
			began := time.Now()
			s.patch("orders", fmt.Sprintf(`{"spec":{"migrate":[{"shard":%d,"slots":["%s"]}]}}`, destination, moving))
			s.underWay("orders", source, destination)
			killed := time.Now()
			release := part.kill(s)
			release()
			s.migrated("orders", 1)
			t.Logf("moved in %s, killed after %s, gaps %v", time.Since(began).Round(time.Millisecond),
				killed.Sub(began).Round(time.Millisecond), w.gaps(began))
			s.settled("orders", "watch")
			s.onShard("orders", moving, destination)
			s.lostAtMostTheLastMoment(t, w, killed)
			s.holds("orders", filled, 1024)
		}) {
			return
		}
	}
}

// underWay waits until the one move of a cluster has gone on for some seconds; it takes about eight.
func (s *scenario) underWay(name string, from, to int) {
	s.Helper()
	s.eventually("the move is under way", time.Minute, func() error {
		return s.eachMigration(name, 1, func(m v1alpha1.MigrationStatus) error {
			if m.State == v1alpha1.MigrationDone {
				require.Fail(s, "the move was over before anything could be killed", "%+v", m)
			}
			if m.State != v1alpha1.MigrationRunning || m.Current == "" || int(m.From) != from || int(m.To) != to || time.Since(m.StartedAt.Time) < 3*time.Second {
				return fmt.Errorf("%+v", m)
			}
			return nil
		})
	})
}

// lostAtMostTheLastMoment ends a writer and checks that every acknowledged write is there, except what a killed master may
// have acknowledged in its last moment: replication is asynchronous.
func (s *scenario) lostAtMostTheLastMoment(t *testing.T, w *clusterWriter, killed time.Time) {
	t.Helper()
	acks := w.finish()
	lost := s.lost("orders", acks)
	t.Logf("%d acknowledged, %d lost", len(acks), len(lost))
	for _, a := range lost {
		assert.WithinDuration(t, killed, a.at, time.Second, "w:%d was acknowledged and is lost", a.number)
	}
}
