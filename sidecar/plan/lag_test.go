package plan_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/kvrocks/kvrocks-operator/sidecar/plan"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/report"
)

// TestReportOfALagIsStable holds what the report of a member that lags says while only the figures move.
func TestReportOfALagIsStable(t *testing.T) {
	in := parse(t, `
		record orders-0
		orders-0 master seq=2500000 before=100 serving
		orders-1 ->orders-0 seq=1000000 placed`)
	first := plan.Standard(in)
	in.Topology.Status = first.Status
	pod := in.Pods["orders-1"]
	pod.Role = ""
	in.Pods["orders-1"] = pod
	for range 5 {
		in.Now = in.Now.Add(time.Second)
		master, replica := in.Nodes["orders-0"], in.Nodes["orders-1"]
		master.Sequence += 100_000
		replica.Sequence += 90_000
		replica.Priority = 0
		in.Nodes["orders-0"], in.Nodes["orders-1"] = master, replica
		p := plan.Standard(in)
		assert.Empty(t, p.Actions)
		assert.Empty(t, p.Events)
		assert.True(t, report.Same(first.Status, p.Status))
	}
}
