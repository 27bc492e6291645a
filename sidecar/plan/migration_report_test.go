package plan_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan"
)

// A report on a topology names every move that the topology asks for, even when nothing can move now: one that left them out
// would say that nothing is to be done.
func TestWhatIsToMoveIsReportedAtOnce(t *testing.T) {
	given := func(policy string) string {
		return "shards 3\nmigrate 1 0-99\nchanged\n" + policy
	}
	for name, c := range map[string]struct {
		policy, message string
		disturb         func(*plan.Input)
	}{
		"kvrocks-controller does not answer": {message: "waiting for its turn", disturb: func(in *plan.Input) {
			in.Controller = plan.Controller{Reach: plan.Unreachable, Err: "connection refused"}
		}},
		"and it is paused": {policy: "policy paused", message: "paused; 0 of 100 slots moved", disturb: func(in *plan.Input) {
			in.Controller = plan.Controller{Reach: plan.Unreachable, Err: "connection refused"}
		}},
		"a planned move of a master is under way": {message: "waiting for its turn", disturb: func(in *plan.Input) {
			in.Topology.Spec.Shards[2].Handoff = []string{in.Topology.Spec.Shards[2].Members[0].Pod}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			in := parseCluster(t, given(c.policy))
			c.disturb(&in)
			report := plan.Cluster(in).Status
			assert.Equal(t, in.Topology.Generation, report.ObservedGeneration)
			require.Len(t, report.Migrations, 1)
			assert.Equal(t, v1alpha1.MigrationPending, report.Migrations[0].State)
			assert.Equal(t, c.message, report.Migrations[0].Message)
		})
	}
}
