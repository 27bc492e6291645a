package simulation

import (
	"flag"
	"testing"
	"time"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/layout"
)

var hookedClusterSeeds = flag.Int("hookedclusterseeds", 8, "number of simulated lives of clusters in which the hooks make the topology")

// TestSimulatedClusterLivesWithHooks is TestSimulatedLivesWithHooks of a cluster, with the faults of TestSimulatedClusterLives. Its etcd
// and the pods of kvrocks-controller are always as they should be.
func TestSimulatedClusterLivesWithHooks(t *testing.T) {
	simulate(t, *hookedClusterSeeds, func(t *testing.T, seed uint64) {
		w := &clusterWorld{dataPlane: newDataPlane(seed, 43, v1alpha1.TypeCluster), asked: map[string]*layout.Layout{}}
		cr := hookedInstance(v1alpha1.TypeCluster, []int32{1, 2, 3}[w.rng.IntN(3)])
		shards := int32(3)
		cr.Spec.Master, cr.Spec.Cluster = &shards, &v1alpha1.ClusterSpec{Etcd: v1alpha1.EtcdSpec{Replicas: 1}}
		if w.rng.IntN(3) > 0 {
			cr.Labels = map[string]string{v1alpha1.LabelMonitoredBy: "watch"}
			for range 3 {
				w.nextSentinel()
			}
		}
		h := newHooked(t, &w.dataPlane, cr)
		if w.setInterval(); h.cr.Spec.Failover.MaxLostWrites != nil {
			w.controller.interval = 24 * time.Hour
		}
		defer w.logEnd(t, func() string { return h.describe() + w.describe() })
		w.live(t, w, 400, 4000)
		h.requireDeleted(t, w)
	})
}
