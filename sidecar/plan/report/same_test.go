package report_test

import (
	"testing"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/report"
	"github.com/stretchr/testify/assert"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestSame(t *testing.T) {
	made := func(change func(*v1alpha1.KVRocksTopologyStatus)) v1alpha1.KVRocksTopologyStatus {
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
			unchanged := made(func(*v1alpha1.KVRocksTopologyStatus) {})
			assert.Equal(t, c.same, report.Same(unchanged, made(c.change)))
		})
	}
}
