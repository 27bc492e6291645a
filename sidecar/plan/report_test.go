package plan_test

import (
	"testing"
	"time"

	"github.com/kvrocks/kvrocks-operator/sidecar/plan"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/report"
	"github.com/stretchr/testify/assert"
)

const settledInstance = `
	record orders-0
	orders-0 master serving
	orders-1 ->orders-0 placed
	orders-2 ->orders-0 placed
	watch-0 ->orders-0
	watch-1 ->orders-0
	watch-2 ->orders-0`

func TestASecondPassReportsTheSame(t *testing.T) {
	in := parse(t, settledInstance)
	first := plan.Standard(in)
	in.Topology.Status = first.Status
	in.Now = in.Now.Add(time.Minute)
	for _, pod := range []string{"orders-0", "orders-1", "orders-2"} {
		n := in.Nodes[pod]
		n.Sequence += 3000
		in.Nodes[pod] = n
	}
	second := plan.Standard(in)
	assert.Empty(t, second.Actions)
	assert.Empty(t, second.Events)
	assert.True(t, report.Same(first.Status, second.Status))
	assert.Equal(t, first.Status.Conditions, second.Status.Conditions, "transition times are carried over")
}

// BenchmarkStandardSettled is one pass of a settled instance of three pods and three sentinels; at most 20 µs.
func BenchmarkStandardSettled(b *testing.B) {
	in := parse(&testing.T{}, settledInstance)
	in.Topology.Status = plan.Standard(in).Status
	b.ReportAllocs()
	for b.Loop() {
		if p := plan.Standard(in); len(p.Actions) > 0 {
			b.Fatalf("a settled instance plans %v", p.Actions)
		}
	}
}
