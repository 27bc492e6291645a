package scenarios

import (
	"flag"
	"fmt"
	"slices"
	"testing"
	"time"
)

var plannedMoves = flag.Int("moves", 30, "how many planned moves BenchmarkPlannedMove makes")

// BenchmarkPlannedMove restarts a standard instance again and again, each time with one handover, and reports what each of
// defaultClients could not write.
func BenchmarkPlannedMove(b *testing.B) {
	for b.Loop() {
		s := begin(b)
		s.watched("orders")
		clients, gaps := s.defaultClients("watch", "orders"), map[string][]time.Duration{}
		for i := range *plannedMoves {
			began := time.Now()
			at := fmt.Sprintf("2026-01-01T00:00:%02dZ", i)
			s.restart("orders", at)
			s.annotated("orders", restartedAt, at)
			s.ready("orders", readyWithin)
			b.Logf("journal %v", s.moves("orders", began))
			for name, w := range clients {
				gaps[name] = append(gaps[name], w.gap(began).length())
				b.Logf("%s: gap %s", name, gaps[name][i].Round(time.Millisecond))
			}
		}
		for name, of := range gaps {
			b.Logf("%s: %s", name, distribution(of))
		}
	}
}

// BenchmarkClusterPlannedMove does the same to the shards of a cluster in turn, with defaultClusterClients.
func BenchmarkClusterPlannedMove(b *testing.B) {
	for b.Loop() {
		s := begin(b)
		s.sharded("orders", 2, 1, "")
		clients, gaps := s.defaultClusterClients("orders"), map[string][]time.Duration{}
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
			b.Logf("journal %v", s.moves("orders", began))
			for name, all := range clients {
				gaps[name] = append(gaps[name], all[shard].gap(began).length())
				b.Logf("%s: gap %s", name, gaps[name][i].Round(time.Millisecond))
			}
		}
		for name, of := range gaps {
			b.Logf("%s: %s", name, distribution(of))
		}
	}
}

// distribution says how long the gaps were.
func distribution(gaps []time.Duration) string {
	slices.Sort(gaps)
	at := func(part float64) time.Duration {
		return gaps[int(part*float64(len(gaps)-1)+0.5)].Round(time.Millisecond)
	}
	return fmt.Sprintf("min %s, median %s, 99 %% %s, max %s", at(0), at(0.5), at(0.99), at(1))
}
