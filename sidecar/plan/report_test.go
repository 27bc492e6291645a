package plan_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/quorum"
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
	assert.True(t, plan.SameReport(first.Status, second.Status))
	assert.Equal(t, first.Status.Conditions, second.Status.Conditions, "transition times are carried over")
}

func TestThePlanLeavesItsInputAlone(t *testing.T) {
	for _, given := range []string{settledInstance, `
		record orders-0
		outage Handover 100ms orders-1
		failover orders-2 orders-0
		orders-0 dead seq=100
		orders-1 hung attached label=replica
		orders-2 self seq=100`} {
		in := parse(t, given)
		before := in.Topology.DeepCopy()
		plan.Standard(in)
		assert.Equal(t, before, in.Topology)
	}
}

func TestSameReport(t *testing.T) {
	report := func(change func(*v1alpha1.KVRocksTopologyStatus)) v1alpha1.KVRocksTopologyStatus {
		lost := int64(0)
		s := v1alpha1.KVRocksTopologyStatus{
			ObservedGeneration: 3,
			Shards: []v1alpha1.TopologyShardStatus{{
				Master: "orders-0",
				Nodes: []v1alpha1.TopologyNode{
					{Pod: "orders-0", Sequence: 5},
					{Pod: "orders-1", Lag: 40_000},
					{Pod: "orders-2", Role: "replica", Sequence: 40_000, Volume: "a"},
				},
			}},
			Failovers:  []v1alpha1.FailoverRecord{{From: "orders-1", LostSequence: &lost}},
			Conditions: []metav1.Condition{{Type: "PrimaryAvailable", Status: "True"}},
		}
		change(&s)
		return s
	}
	for name, c := range map[string]struct {
		change func(*v1alpha1.KVRocksTopologyStatus)
		same   bool
	}{
		"nothing":              {func(*v1alpha1.KVRocksTopologyStatus) {}, true},
		"a sequence":           {func(s *v1alpha1.KVRocksTopologyStatus) { s.Shards[0].Nodes[0].Sequence = 900 }, true},
		"a small lag":          {func(s *v1alpha1.KVRocksTopologyStatus) { s.Shards[0].Nodes[0].Lag = 9_000 }, true},
		"a lag that grows":     {func(s *v1alpha1.KVRocksTopologyStatus) { s.Shards[0].Nodes[1].Lag = 70_000 }, true},
		"a lag that doubles":   {func(s *v1alpha1.KVRocksTopologyStatus) { s.Shards[0].Nodes[1].Lag = 80_000 }, false},
		"a lag that vanishes":  {func(s *v1alpha1.KVRocksTopologyStatus) { s.Shards[0].Nodes[1].Lag = 0 }, false},
		"a sequence in sync":   {func(s *v1alpha1.KVRocksTopologyStatus) { s.Shards[0].Nodes[2].Sequence = 50_000 }, true},
		"one that grows a lot": {func(s *v1alpha1.KVRocksTopologyStatus) { s.Shards[0].Nodes[2].Sequence = 50_001 }, false},
		"one that falls":       {func(s *v1alpha1.KVRocksTopologyStatus) { s.Shards[0].Nodes[2].Sequence = 39_999 }, false},
		"a volume":             {func(s *v1alpha1.KVRocksTopologyStatus) { s.Shards[0].Nodes[2].Volume = "b" }, false},
		"a role":               {func(s *v1alpha1.KVRocksTopologyStatus) { s.Shards[0].Nodes[1].Role = "replica" }, false},
		"the master":           {func(s *v1alpha1.KVRocksTopologyStatus) { s.Shards[0].Master = "orders-1" }, false},
		"the generation":       {func(s *v1alpha1.KVRocksTopologyStatus) { s.ObservedGeneration = 4 }, false},
		"a condition":          {func(s *v1alpha1.KVRocksTopologyStatus) { s.Conditions[0].Status = "False" }, false},
		"an outage":            {func(s *v1alpha1.KVRocksTopologyStatus) { s.Shards[0].Outage = &v1alpha1.Outage{} }, false},
		"a loss that is known": {func(s *v1alpha1.KVRocksTopologyStatus) { s.Failovers[0].LostSequence = nil }, false},
		"a shard":              {func(s *v1alpha1.KVRocksTopologyStatus) { s.Shards = nil }, false},
	} {
		t.Run(name, func(t *testing.T) {
			unchanged := report(func(*v1alpha1.KVRocksTopologyStatus) {})
			assert.Equal(t, c.same, plan.SameReport(unchanged, report(c.change)))
		})
	}
}

func TestSentinelInstance(t *testing.T) {
	in := plan.SentinelInput{
		Now:      scenarioNow,
		Topology: &v1alpha1.KVRocksTopology{},
		Views: map[string]plan.SentinelView{
			"watch-0": {Reach: plan.Answered, Masters: map[string]quorum.MasterView{"orders": {}, "gone": {}}},
			"watch-1": {Reach: plan.Answered, Masters: map[string]quorum.MasterView{"orders": {}}},
			"watch-2": {Reach: plan.Unreachable, Err: "connection refused"},
		},
		Claimed: map[string]bool{"orders": true},
	}
	in.Topology.Spec.Sentinels = 3
	p := plan.SentinelInstance(in)
	assert.Equal(t, []plan.Action{plan.Unmonitor{Sentinel: "watch-0", MasterName: "gone"}}, p.Actions,
		"only what nobody claims is forgotten")
	assert.Equal(t, []v1alpha1.SentinelStatus{
		{Pod: "watch-0", Reachable: true, Masters: []string{"gone", "orders"}},
		{Pod: "watch-1", Reachable: true, Masters: []string{"orders"}},
		{Pod: "watch-2", Message: "connection refused"},
	}, p.Status.Sentinels)
	assert.Contains(t, facts(p), "SentinelAgreed False SentinelUnreachable")
	assert.False(t, p.Status.Released)

	in.Topology.Spec.Release = true
	assert.True(t, plan.SentinelInstance(in).Status.Released, "nothing outside refers to sentinels")
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
