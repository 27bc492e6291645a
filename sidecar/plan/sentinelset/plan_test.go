package sentinelset_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/action"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/quorum"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/sentinelset"
	"github.com/stretchr/testify/assert"
)

var now = time.Date(2026, 11, 27, 8, 0, 0, 0, time.UTC)

func TestSentinels(t *testing.T) {
	in := sentinelset.Input{
		Now:      now,
		Topology: &v1alpha1.KVRocksTopology{},
		Views: map[string]plan.SentinelView{
			"watch-0": {Reach: plan.Answered, Masters: map[string]quorum.MasterView{"orders": {}, "gone": {}}},
			"watch-1": {Reach: plan.Answered, Masters: map[string]quorum.MasterView{"orders": {}}},
			"watch-2": {Reach: plan.Unreachable, Err: "connection refused"},
		},
		Claimed: map[string]bool{"orders": true},
	}
	in.Topology.Spec.Sentinels = 3
	p := sentinelset.Plan(in)
	assert.Equal(t, []action.Action{action.Unmonitor{Sentinel: "watch-0", MasterName: "gone"}}, p.Actions,
		"only what nobody claims is forgotten")
	assert.Equal(t, []v1alpha1.SentinelStatus{
		{Pod: "watch-0", Reachable: true, Masters: []string{"gone", "orders"}},
		{Pod: "watch-1", Reachable: true, Masters: []string{"orders"}},
		{Pod: "watch-2", Message: "connection refused"},
	}, p.Status.Sentinels)
	assert.Contains(t, facts(p), "SentinelAgreed False SentinelUnreachable")
	assert.False(t, p.Status.Released)

	in.Topology.Spec.Release = true
	assert.True(t, sentinelset.Plan(in).Status.Released, "nothing outside refers to sentinels")
}

// facts returns the conditions of a plan, one a line.
func facts(p plan.Plan) string {
	text := ""
	for _, c := range p.Status.Conditions {
		text += fmt.Sprintln(c.Type, c.Status, c.Reason)
	}
	return text
}
