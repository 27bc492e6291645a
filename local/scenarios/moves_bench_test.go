package scenarios

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
)

var plannedMoves = flag.Int("moves", 30, "how many planned moves BenchmarkPlannedMove makes")

// BenchmarkPlannedMove moves the master of a standard instance again and again, by deleting its pod, as a drained machine does, and
// every third time by a rolling restart, and reports what each of defaultClients could not write.
func BenchmarkPlannedMove(b *testing.B) {
	for b.Loop() {
		s := begin(b)
		s.watched("orders")
		clients, gaps := s.defaultClients("watch", "orders"), map[string][]time.Duration{}
		for i := range *plannedMoves {
			began := time.Now()
			if i%3 == 0 {
				at := fmt.Sprintf("2026-01-01T00:00:%02dZ", i)
				s.restart("orders", at)
				s.annotated("orders", restartedAt, at)
			} else {
				master := s.master("orders")
				s.deletePods(master)
				s.another("orders", master)
			}
			s.ready("orders", readyWithin)
			fmt.Fprintln(os.Stderr, i, s.moves("orders", began))
			for name, w := range clients {
				gaps[name] = append(gaps[name], w.longestGap(began).length())
				fmt.Fprintln(os.Stderr, "  ", name, gaps[name][i].Round(time.Millisecond))
			}
		}
		reportMoves(b, gaps)
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
			maps.DeleteFunc(old, func(name string, _ corev1.Pod) bool { return !strings.HasPrefix(name, set+"-") })
			s.restart(set, fmt.Sprintf("2026-01-01T00:00:%02dZ", i))
			s.replacedPods("orders", old)
			s.ready("orders", clusterReadyWithin)
			fmt.Fprintln(os.Stderr, i, s.moves("orders", began))
			for name, all := range clients {
				gaps[name] = append(gaps[name], all[shard].longestGap(began).length())
				fmt.Fprintln(os.Stderr, "  ", name, gaps[name][i].Round(time.Millisecond))
			}
		}
		reportMoves(b, gaps)
	}
}

// reportMoves reports the distribution of the gaps of each kind of client.
func reportMoves(b *testing.B, gaps map[string][]time.Duration) {
	b.Helper()
	for name, of := range gaps {
		slices.Sort(of)
		unit := strings.ReplaceAll(name, ", ", "-")
		b.ReportMetric(median(of), unit+"-median-s")
		b.ReportMetric(of[int(0.99*float64(len(of)-1)+0.5)].Seconds(), unit+"-p99-s")
	}
}
