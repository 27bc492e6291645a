package scenarios

import (
	"fmt"
	"maps"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

func listFor(instance string) metav1.ListOptions {
	return metav1.ListOptions{FieldSelector: "involvedObject.kind=KVRocks,involvedObject.name=" + instance}
}

// underLoad brings up a standard instance of three under the sentinel "watch", and a writer that writes to its master
// until it is told to finish.
func underLoad(t *testing.T, name string) (*scenario, *writer) {
	t.Helper()
	s := begin(t)
	s.watched(name)
	return s, s.write(name+"-master", password)
}

// keeps asserts that the new master has what all replicas had before the old one was lost, the numbers below safe; of the
// others that were acknowledged, those below acked, some may be missing.
func (s *scenario) keeps(master string, safe, acked int) {
	s.Helper()
	missing := s.missing(s.direct(master, password), acked)
	s.Logf("%d acknowledged, %d replicated before the loss, %d missing", acked, safe, len(missing))
	for _, n := range missing {
		assert.GreaterOrEqual(s, n, safe, "w:%d was acknowledged and replicated before the loss", n)
	}
}

// A master that is gone is replaced within down-after, and what was replicated is kept.
func TestForceDeletedMasterIsReplacedAndNothingReplicatedIsLost(t *testing.T) {
	t.Parallel()
	s, w := underLoad(t, "orders")
	before := s.master("orders")
	safe, p := s.replicated(w, password, others(s, "orders", before)...), s.pulse()

	killed := time.Now()
	release := s.keepAway(before) // the same pod, back within down-after with all its data, would stay master
	s.another("orders", before)
	s.resumed(w, time.Now(), 30*time.Second)
	gap := w.longestGap(killed)
	release()
	after := s.replaced("orders", before)
	acked := w.finish()

	t.Logf("write gap %s; master %s → %s; errors %v", gap, before, after, w.seen())
	p.within(t, downAfter+5*time.Second, "writes must resume within down-after + 5 s", gap)
	s.keeps(after, safe, acked)
	record := s.journal("orders")
	t.Logf("journal: %+v", record)
	assert.Equal(t, before, record.From)
	assert.Equal(t, after, record.To)
	// The process outlives its pod by a moment, in which it may still hand over.
	assert.Contains(t, []v1alpha1.FailoverCause{v1alpha1.CauseDown, v1alpha1.CauseHandover}, record.Cause)
	assert.GreaterOrEqual(t, record.DetectMs, int64(0)) // a container that ended is known of at once
	assert.Positive(t, record.PromoteMs)
	s.event("orders", after)
	s.agreed("watch", "orders")
}

// A master whose process is killed comes back with its data, or what it lost is told.
func TestKilledMasterProcessLosesNothing(t *testing.T) {
	t.Parallel()
	s, w := underLoad(t, "orders")
	before := s.master("orders")

	killed := time.Now()
	s.signal(before, syscall.SIGKILL)
	s.resumed(w, killed.Add(time.Second), downAfter+30*time.Second)
	s.ready("orders", readyWithin)
	acked := w.finish()
	after := s.master("orders")
	t.Logf("write gap %s; master %s → %s; errors %v", w.longestGap(killed), before, after, w.seen())
	if after == before {
		assert.Empty(t, s.missing(s.direct(after, password), acked), "the same master must still have every write")
	} else {
		record := s.journal("orders")
		require.NotNil(t, record.LostSequence, "the old master is back, so the loss is known")
		t.Logf("journal: %+v, lost %d", record, *record.LostSequence)
		assert.LessOrEqual(t, int64(len(s.missing(s.direct(after, password), acked))), *record.LostSequence,
			"what is missing must have been reported")
	}
	s.agreed("watch", "orders")
}

// A master that lost its volume must not empty the others.
func TestMasterWithLostVolumeComesBackAsReplica(t *testing.T) {
	t.Parallel()
	s, w := underLoad(t, "orders")
	before := s.master("orders")
	safe := s.replicated(w, password, others(s, "orders", before)...)
	s.loseVolumes(before)
	after := s.replaced("orders", before)
	acked := w.finish()
	s.keeps(after, safe, acked)
	size, err := s.direct(before, password).Get(s.ctx, "w:0").Result()
	require.NoError(t, err, "the empty pod must have got the data by a full sync")
	assert.Equal(t, "0", size)
	s.agreed("watch", "orders")
}

// All pods are lost at once, and come back with their data and addresses.
func TestAllPodsDeletedComeBackWithDataAndAddresses(t *testing.T) {
	t.Parallel()
	s, w := underLoad(t, "orders")
	s.eventually("some writes", time.Minute, func() error {
		if w.count() < 500 {
			return fmt.Errorf("%d", w.count())
		}
		return nil
	})
	acked := w.finish()
	addresses := s.addresses("orders")
	pods := s.pods("orders")
	s.forceDelete(slices.Collect(maps.Keys(pods))...)
	s.replacedPods("orders", pods)
	s.everyPod("orders", "its readiness gate", isAttached)
	s.ready("orders", readyWithin)
	assert.Equal(t, addresses, s.addresses("orders"))
	assert.Empty(t, s.missing(s.direct(s.master("orders"), password), acked))
	s.agreed("watch", "orders")
}

// A master that hangs is replaced, and follows its successor when it goes on.
func TestHungMasterIsReplacedAndFollowsWhenItWakes(t *testing.T) {
	t.Parallel()
	s, w := underLoad(t, "orders")
	before, p := s.master("orders"), s.pulse()
	stopped := time.Now()
	s.signal(before, syscall.SIGSTOP)
	s.another("orders", before)
	s.resumed(w, time.Now(), 30*time.Second)
	t.Logf("errors %v", w.seen())
	p.within(t, downAfter+5*time.Second, "writes must resume within down-after + 5 s", w.longestGap(stopped))
	s.signal(before, syscall.SIGCONT)
	s.ready("orders", readyWithin)
	assert.NotEqual(t, before, s.master("orders"))
	w.finish()
	s.agreed("watch", "orders")
}

// addresses are the announced addresses of an instance, by pod.
func (s *scenario) addresses(instance string) map[string]string {
	s.Helper()
	topology, err := s.topology(instance)
	require.NoError(s, err)
	addresses := map[string]string{}
	for _, shard := range topology.Spec.Shards {
		for _, member := range shard.Members {
			addresses[member.Pod] = member.Address
		}
	}
	return addresses
}
