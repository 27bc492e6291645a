package scenarios

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

// A cluster serves, and survives the loss of masters, of its control plane, of its store and of everything, and a change of the password.
func TestClusterServesAndHeals(t *testing.T) {
	t.Parallel()
	s := begin(t)
	s.sharded("orders", 3, 3, "watch")
	for shard, slots := range thirds {
		s.onShard("orders", slots, shard)
	}
	parts := []struct {
		name string
		play func(*scenario, *testing.T)
	}{
		{"ten thousand keys are written over all shards and read back", tenThousandKeys},
		{"a lost master is replaced while the other shards go on", eachMasterLost},
		{"kvrocks-controller and its store are lost under load", controlPlaneLost},
		{"a member of the store loses its volume", memberLost},
		{"the store is lost while a leader is awaited", storeLostWithoutALeader},
		{"all data pods are lost at once", func(s *scenario, t *testing.T) { everythingLost(s, t, s.dataPods("orders"), nil) }},
		{"everything is lost at once", func(s *scenario, t *testing.T) {
			lost := s.dataPods("orders")
			maps.Copy(lost, s.component("orders", v1alpha1.ComponentController))
			everythingLost(s, t, lost, s.component("orders", v1alpha1.ComponentEtcd))
		}},
		{"the password is changed without a failover", passwordChanged},
	}
	for _, part := range parts {
		if !t.Run(part.name, func(t *testing.T) { part.play(s.part(t), t) }) {
			return // the rest would only say the same
		}
	}
}

func tenThousandKeys(s *scenario, t *testing.T) {
	const n = 10_000
	c := s.clusterClient("orders")
	keys, perShard := make([]string, n), make([]int, len(thirds))
	for i := range keys {
		keys[i] = fmt.Sprintf("k:%d", i)
		for shard, slots := range thirds {
			if slots.has(slotOf(keys[i])) {
				perShard[shard]++
			}
		}
	}
	s.setAll(c, keys, func(key string) string { return "v-" + key })
	for i, value := range s.readBack(c, keys) {
		require.Equal(t, "v-"+keys[i], value)
	}
	t.Logf("keys per shard: %v", perShard)
	assert.Greater(t, slices.Min(perShard), n/4, "the keys must be spread over all shards")
}

// eachMasterLost kills the master of each shard in turn under load.
func eachMasterLost(s *scenario, t *testing.T) {
	w, p := s.writeCluster("orders", thirds...), s.pulse()
	away := make([]span, len(thirds)) // each master, by the gap in its shard's writes
	for shard, l := range w.lanes {
		before := s.shardMaster("orders", shard)
		killed := time.Now()
		release := s.keepAway(before)
		after := s.anotherOf("orders", shard, before)
		s.resumed(l, time.Now(), 30*time.Second)
		gaps := w.gaps(killed)
		away[shard] = gaps[shard]
		release()
		record := s.journal("orders")
		t.Logf("shard %d: %s → %s, gaps %v, journal %+v, errors %v", shard, before, after, gaps, record, l.seen())
		assert.EqualValues(t, shard, record.Shard)
		assert.Equal(t, before, record.From)
		assert.Equal(t, after, record.To)
		// The process outlives its pod by a moment, in which it may still hand over.
		assert.Contains(t, []v1alpha1.FailoverCause{v1alpha1.CauseDown, v1alpha1.CauseHandover}, record.Cause)
		assert.GreaterOrEqual(t, record.DetectMs, int64(0)) // a container that ended is known of at once
		assert.Positive(t, record.PromoteMs)
		for other, gap := range gaps {
			if other == shard {
				p.within(t, downAfter+3*time.Second+noise, "writes must resume within down-after + 3 s", gap)
			} else {
				p.within(t, noise, fmt.Sprintf("shard %d must never stop when shard %d loses its master", other, shard), gap)
			}
		}
		s.event("orders", after)
		s.settled("orders", "watch")
	}
	for _, a := range s.lost("orders", w.finish()) {
		// Replication is asynchronous: what a master acknowledged in its last moment may not have left it.
		assert.True(t, slices.ContainsFunc(away, func(gap span) bool { return a.at.After(gap.from.Add(-time.Second)) && !a.at.After(gap.from) }),
			"w:%d was acknowledged at %s, not in the last second of a master", a.number, a.at.Format("15:04:05.000"))
	}
}

// controlPlaneLost deletes kvrocks-controller, and then all of its store with the volumes. Clients must not notice.
func controlPlaneLost(s *scenario, t *testing.T) {
	before := s.whole("orders")
	w, p := s.writeCluster("orders", thirds...), s.pulse()
	began := time.Now()
	controllers := s.component("orders", v1alpha1.ComponentController)
	require.NotEmpty(t, controllers)
	s.forceDelete(slices.Collect(maps.Keys(controllers))...)
	s.running("orders", v1alpha1.ComponentController, controllers)
	s.settled("orders", "watch")

	stores := s.component("orders", v1alpha1.ComponentEtcd)
	require.Len(t, stores, 3)
	s.loseVolumes(slices.Collect(maps.Keys(stores))...)
	s.running("orders", v1alpha1.ComponentEtcd, stores)
	after := s.settled("orders", "watch")

	gaps := w.gaps(began)
	t.Logf("gaps %v, version %d → %d", gaps, before.version, after.version)
	p.within(t, noise, "writes must not stop", gaps...)
	assert.Equal(t, before.owner, after.owner, "the record must be what it was")
	s.nothingLost(t, "orders", w)
}

// everythingLost deletes pods at once, some with their volumes, and waits until the cluster is whole, on the same
// addresses and with all that was written.
func everythingLost(s *scenario, t *testing.T, pods, stores map[string]corev1.Pod) {
	w := s.writeCluster("orders", thirds...)
	s.eventually("some writes", time.Minute, func() error {
		if n := w.lanes[0].count(); n < 200 {
			return fmt.Errorf("%d", n)
		}
		return nil
	})
	acks := w.finish()
	addresses := s.addresses("orders")
	began := time.Now()
	s.forceDelete(slices.Collect(maps.Keys(pods))...)
	if len(stores) > 0 {
		s.loseVolumes(slices.Collect(maps.Keys(stores))...)
	}
	maps.DeleteFunc(pods, func(_ string, pod corev1.Pod) bool {
		return pod.Labels[v1alpha1.LabelComponent] != v1alpha1.ComponentData
	})
	s.replacedPods("orders", pods)
	s.settled("orders", "watch")
	t.Logf("whole again after %s", time.Since(began).Round(100*time.Millisecond))
	assert.Equal(t, addresses, s.addresses("orders"))
	assert.Empty(t, s.lost("orders", acks))
}

func passwordChanged(s *scenario, t *testing.T) {
	masters := []string{s.shardMaster("orders", 0), s.shardMaster("orders", 1), s.shardMaster("orders", 2)}
	s.password = "another-secret"
	s.patch("orders", `{"spec":{"password":"another-secret"}}`)
	s.eventually("the new password works everywhere", readyWithin, func() error {
		for pod, address := range s.addresses("orders") {
			if err := client(fmt.Sprintf("%s:%d", address, v1alpha1.DefaultPort), s.password, impatient).Ping(s.ctx).Err(); err != nil {
				return fmt.Errorf("%s: %w", pod, err)
			}
		}
		return nil
	})
	s.condition("orders", v1alpha1.ConditionCredentialsApplied, metav1.ConditionTrue, readyWithin)
	s.settled("orders", "watch")
	for shard, master := range masters {
		assert.Equal(t, master, s.shardMaster("orders", shard))
	}

	// The controller must have learned it as well: a failover that it carries out needs it.
	before := masters[0]
	release := s.keepAway(before)
	s.anotherOf("orders", 0, before)
	release()
	s.settled("orders", "watch")
}

// running waits until all pods of a component are other ones than before, and ready.
func (s *scenario) running(instance, component string, before map[string]corev1.Pod) {
	s.Helper()
	s.eventually("new pods of "+component+" are ready", 2*time.Minute, func() error {
		now := s.component(instance, component)
		if len(now) != len(before) {
			return fmt.Errorf("%d pods", len(now))
		}
		for name, pod := range now {
			if before[name].UID == pod.UID || !isReady(&pod) {
				return fmt.Errorf("%s is the old one or not ready", name)
			}
		}
		return nil
	})
}
