package plan_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/kvrocks/kvrocks-operator/api/slots"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan"
)

// BenchmarkSettledWithMigrations is one pass of a settled cluster of 100 shards whose spec lists 64 moves, all done; well
// below 1 ms.
func BenchmarkSettledWithMigrations(b *testing.B) {
	var given strings.Builder
	given.WriteString("shards 100\n")
	for i := range 64 {
		fmt.Fprintf(&given, "migrate %d %d-%d\n", i, i*slots.Count/100+1, i*slots.Count/100+100)
	}
	in := parseCluster(&testing.T{}, given.String())
	in.Topology.Status = plan.Cluster(in).Status
	b.ReportAllocs()
	for b.Loop() {
		if p := plan.Cluster(in); len(p.Actions) > 0 || len(p.Status.Migrations) != 64 {
			b.Fatalf("a settled cluster plans %v", p.Actions)
		}
	}
}
