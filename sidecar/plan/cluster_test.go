package plan_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/kvrocks/kvrocks-operator/sidecar/plan"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/report"
)

const settledCluster = `
	0-0 master serving
	0-1 ->0-0 placed
	1-0 master serving
	1-1 ->1-0 placed
	2-0 master serving
	2-1 ->2-0 placed
	watched`

func TestASettledClusterPlansNothing(t *testing.T) {
	in := parseCluster(t, settledCluster)
	p := plan.Cluster(in)
	assert.Empty(t, p.Actions)
	assert.Empty(t, p.Events)
	assert.Zero(t, p.Again)
	in.Topology.Status = p.Status
	assert.True(t, report.Same(p.Status, plan.Cluster(in).Status))
}

func TestAPlanForManyShardsIsWordedShortly(t *testing.T) {
	var given strings.Builder
	for i := range 100 {
		fmt.Fprintf(&given, "%d-0 down serving for=9s\n%d-1 ->%d-0 placed\n", i, i, i)
	}
	p := plan.Cluster(parseCluster(t, given.String()))
	for _, c := range p.Status.Conditions {
		assert.Less(t, len(c.Message), 400, c.Type)
	}
}

// manyShards is a settled cluster of n shards with three pods each, watched by three sentinels.
func manyShards(n int) string {
	var given strings.Builder
	for i := range n {
		fmt.Fprintf(&given, "%d-0 master serving\n%d-1 ->%d-0 placed\n%d-2 ->%d-0 placed\n", i, i, i, i, i)
	}
	return given.String() + "watched\n"
}

// BenchmarkClusterSettled is one pass of a settled cluster of 100 shards and three sentinels; at most 1 ms.
func BenchmarkClusterSettled(b *testing.B) {
	for _, n := range []int{3, 100} {
		b.Run(fmt.Sprintf("shards=%d", n), func(b *testing.B) {
			in := parseCluster(&testing.T{}, manyShards(n))
			in.Topology.Status = plan.Cluster(in).Status
			b.ReportAllocs()
			for b.Loop() {
				if p := plan.Cluster(in); len(p.Actions) > 0 {
					b.Fatalf("a settled cluster plans %v", p.Actions)
				}
			}
		})
	}
}
