package plan_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/report"
)

// TestStorageIsToldOnce holds that a volume that fills up is one event, and one report.
func TestStorageIsToldOnce(t *testing.T) {
	in := parse(t, `
		warn 85
		record orders-0
		orders-0 master serving disk=8600/10000`)
	first := plan.Standard(in)
	require.Len(t, first.Events, 1)
	assert.Equal(t, "VolumeNearlyFull", first.Events[0].Reason)
	in.Topology.Status = first.Status
	for i := range 5 {
		in.Now = in.Now.Add(time.Minute)
		n := in.Nodes["orders-0"]
		n.Disk.Used += int64(i-2) << 26
		in.Nodes["orders-0"] = n
		p := plan.Standard(in)
		assert.Empty(t, p.Events)
		assert.True(t, report.Same(first.Status, p.Status))
	}
	n := in.Nodes["orders-0"]
	n.Disk.Used = 0
	in.Nodes["orders-0"] = n
	p := plan.Standard(in)
	require.Len(t, p.Events, 1)
	assert.Equal(t, "VolumesHaveRoom", p.Events[0].Reason)
	assert.True(t, meta.IsStatusConditionTrue(p.Status.Conditions, v1alpha1.ConditionStorageHealthy))
}
