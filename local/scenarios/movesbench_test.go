package scenarios

import (
	"flag"
	"fmt"
	"testing"
	"time"
)

var plannedMoves = flag.Int("moves", 30, "how many planned moves BenchmarkPlannedMove makes")

// BenchmarkPlannedMove restarts a standard instance again and again, each time with one handover, and reports what a
// FailoverClient with default options could not write.
func BenchmarkPlannedMove(b *testing.B) {
	for b.Loop() {
		s := begin(b)
		s.watched("orders")
		w := s.plainFailoverClient("watch", "orders")
		var gaps []time.Duration
		for i := range *plannedMoves {
			began := time.Now()
			at := fmt.Sprintf("2026-01-01T00:00:%02dZ", i)
			s.restart("orders", at)
			s.annotated("orders", restartedAt, at)
			s.ready("orders", readyWithin)
			gaps = append(gaps, w.gap(began).length())
			b.Logf("gap %s, journal %v", gaps[i].Round(time.Millisecond), s.moves("orders", began))
		}
		reportGaps(b, gaps)
	}
}

// BenchmarkClusterPlannedMove does the same to the shards of a cluster in turn, with a ClusterClient with default options.
func BenchmarkClusterPlannedMove(b *testing.B) {
	for b.Loop() {
		s := begin(b)
		s.sharded("orders", 2, 1, "")
		all := s.plainClusterClients("orders")
		var gaps []time.Duration
		for i := range *plannedMoves {
			began, shard := time.Now(), i%len(thirds)
			set := fmt.Sprintf("orders-%d", shard)
			old := s.dataPods("orders")
			s.restart(set, fmt.Sprintf("2026-01-01T00:00:%02dZ", i))
			s.eventually("the pods of "+set+" are replaced", 2*readyWithin, func() error {
				for name, pod := range s.dataPods("orders") {
					if name[:len(set)] == set && pod.UID == old[name].UID {
						return fmt.Errorf("%s is still the old one", name)
					}
				}
				return nil
			})
			s.ready("orders", clusterReadyWithin)
			gaps = append(gaps, all[shard].gap(began).length())
			b.Logf("gap %s, journal %v", gaps[i].Round(time.Millisecond), s.moves("orders", began))
		}
		reportGaps(b, gaps)
	}
}
