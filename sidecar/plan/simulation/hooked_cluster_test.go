package simulation

import (
	"flag"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan"
)

var hookedClusterSeeds = flag.Int("hookedclusterseeds", 8, "number of simulated lives of clusters in which the hooks make the topology")

// TestSimulatedClusterLivesWithHooks is TestSimulatedLivesWithHooks of a cluster, with the faults of TestSimulatedClusterLives. Its etcd
// and the pods of kvrocks-controller are always as they should be.
func TestSimulatedClusterLivesWithHooks(t *testing.T) {
	simulate(t, *hookedClusterSeeds, hookedClusterLife)
}

func hookedClusterLife(t *testing.T, seed uint64) {
	w, h := newHookedClusterWorld(t, seed)
	s := newClusterSidecar(w)
	defer w.logEnd(t, 400, func() string { return h.describe() + w.describe() })
	for i := range 400 {
		if i > 30 {
			w.faults()
		}
		s.step()
		w.requireUnbroken(t)
	}
	w.heal()
	w.requireRest(t, s, 4000, func(p plan.Plan) bool { return settled(p) && w.atRest(p) })
	w.checkRest(t)
	h.requireDeleted(t, s)
}

func newHookedClusterWorld(t *testing.T, seed uint64) (*clusterWorld, *hooked) {
	t.Helper()
	w := &clusterWorld{dataPlane: newDataPlane(seed, 43, v1alpha1.TypeCluster), sentinels: map[string]*detector{}}
	shards := int32(3)
	cr := &v1alpha1.KVRocks{Spec: v1alpha1.KVRocksSpec{
		Type: v1alpha1.TypeCluster, Master: &shards, Replicas: []int32{1, 2, 3}[w.rng.IntN(3)],
		Image:    "registry.example/kvrocks:first",
		Failover: &v1alpha1.Failover{DownAfterMilliseconds: 1000, FailoverTimeoutMilliseconds: 5000, ParallelSyncs: 1, MaxLagSeconds: 10},
		Storage:  &v1alpha1.Storage{Size: resource.MustParse("10Gi")},
		Cluster:  &v1alpha1.ClusterSpec{Etcd: v1alpha1.EtcdSpec{Replicas: 1}},
	}}
	if w.rng.IntN(3) > 0 {
		cr.Labels = map[string]string{v1alpha1.LabelMonitoredBy: "watch"}
		for range 3 {
			w.startSentinel()
		}
	}
	h := newHooked(t, &w.dataPlane, cr)
	if w.setInterval(); h.cr.Spec.Failover.MaxLostWrites != nil {
		w.controller.interval = 24 * time.Hour
	}
	return w, h
}
