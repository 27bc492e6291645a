package hooks

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kvrocks/kvrocks-operator/api/slots"
	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/metacontroller"
)

// clusterOf is the request of a settled cluster with some shards of three pods. The slots of a hundred shards are many
// small ranges.
func clusterOf(t testing.TB, shards int32) *metacontroller.SyncRequest {
	t.Helper()
	cr := example(t, "cluster-full.yaml")
	cr.Spec.Master = &shards
	w := newWorld(t, cr)
	w.slots = map[int32]string{}
	for i := range shards {
		w.slots[i] = fmt.Sprintf("%d-%d", i*slots.Count/shards, (i+1)*slots.Count/shards-1)
	}
	w.settle()
	require.Equal(t, v1alpha1.PhaseRunning, w.cr.Status.Phase, w.cr.Status.Reason)
	return w.request()
}

// BenchmarkSyncCluster is the sync of a settled cluster; its children are encoded, its status is not. The numbers are to grow
// as the children do.
func BenchmarkSyncCluster(b *testing.B) {
	for _, shards := range []int32{3, 33, 101} {
		b.Run(fmt.Sprintf("%dx3", shards), func(b *testing.B) {
			request := clusterOf(b, shards)
			response, err := Sync(request)
			require.NoError(b, err)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Sync(request); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(response.Children)), "ns/child")
		})
	}
}

func TestASyncAllocatesInProportionToTheChildren(t *testing.T) {
	perChild := func(shards int32) float64 {
		request := clusterOf(t, shards)
		response, err := Sync(request)
		require.NoError(t, err)
		return testing.AllocsPerRun(5, func() { _, _ = Sync(request) }) / float64(len(response.Children))
	}
	few, many := perChild(3), perChild(15)
	assert.LessOrEqual(t, few, 130.0, "90; the race detector lets pools forget, which costs up to 20 more")
	assert.LessOrEqual(t, many, 1.2*few)
}
