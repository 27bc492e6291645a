package scenarios

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

// moves are the handovers of an instance since a moment, as its journal has them; one that was aborted moved nothing.
func (s *scenario) moves(instance string, since time.Time) []string {
	s.Helper()
	topology, err := s.topology(instance)
	require.NoError(s, err)
	var all []string
	for _, r := range topology.Status.Failovers {
		if r.At.After(since) && r.From != r.To {
			all = append(all, fmt.Sprintf("shard %d: %s %s->%s %d ms", r.Shard, r.Cause, r.From, r.To, r.PromoteMs))
		}
	}
	return all
}

// roll changes the template and waits until every data pod has the change.
func (s *scenario) roll(instance, mark string) {
	s.Helper()
	s.patch(instance, fmt.Sprintf(`{"spec":{"podAnnotations":{"example.com/rolled":%q}}}`, mark))
	s.annotated(instance, "example.com/rolled", mark)
	s.ready(instance, clusterReadyWithin)
}

// annotated waits until every data pod of an instance has an annotation.
func (s *scenario) annotated(instance, annotation, value string) {
	s.Helper()
	s.everyPod(instance, annotation+"="+value, func(pod *corev1.Pod) bool { return pod.Annotations[annotation] == value })
}

const restartedAt = "kubectl.kubernetes.io/restartedAt"

// restart does what `kubectl rollout restart statefulset/NAME` does.
func (s *scenario) restart(set, at string) {
	s.Helper()
	patch := fmt.Sprintf(`{"spec":{"template":{"metadata":{"annotations":{%q:%q}}}}}`, restartedAt, at)
	_, err := s.kube.AppsV1().StatefulSets(s.namespace).Patch(s.ctx, set, types.StrategicMergePatchType, []byte(patch), metav1.PatchOptions{})
	require.NoError(s, err)
}

// Every roll costs one handover, the second and third in a row as well.
func TestThreeRollsInARowCostOneHandoverEach(t *testing.T) {
	t.Parallel()
	s, w := underLoad(t, "orders")
	for i := range 3 {
		began, before := time.Now(), s.master("orders")
		s.roll("orders", fmt.Sprint(i))
		moves := s.moves("orders", began)
		t.Logf("roll %d with master %s: %v, longest write gap %s", i, before, moves, w.longestGap(began))
		assert.Len(t, moves, 1)
		assert.Equal(t, before, s.journal("orders").From)
	}
	acked := w.finish()
	assert.Empty(t, s.missing(s.direct(s.master("orders"), password), acked), "no acknowledged write may be lost")
	s.agreed("watch", "orders")
}

// A restart that Kubernetes is asked for goes the same way: the master last, with one handover, also twice in a row
// and in the middle of an update.
func TestARolloutRestartIsARollLikeAnother(t *testing.T) {
	t.Parallel()
	s, w := underLoad(t, "orders")
	for _, at := range []string{"2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"} {
		began, before := time.Now(), s.master("orders")
		s.restart("orders", at)
		s.annotated("orders", restartedAt, at)
		s.ready("orders", readyWithin)
		assert.Len(t, s.moves("orders", began), 1)
		assert.Equal(t, before, s.journal("orders").From)
	}

	const third = "2026-01-03T00:00:00Z"
	old := s.pods("orders")
	s.patch("orders", `{"spec":{"podAnnotations":{"example.com/rolled":"now"}}}`)
	s.eventually("the first pod is replaced", time.Minute, func() error {
		for name, pod := range s.pods("orders") {
			if pod.UID != old[name].UID {
				return nil
			}
		}
		return fmt.Errorf("all are the old ones")
	})
	s.restart("orders", third)
	s.annotated("orders", restartedAt, third)
	s.annotated("orders", "example.com/rolled", "now")
	s.ready("orders", readyWithin)
	acked := w.finish()
	assert.Empty(t, s.missing(s.direct(s.master("orders"), password), acked), "no acknowledged write may be lost")

	// Held while a replica is not linked.
	replica := others(s, "orders", s.master("orders"))[0]
	before := uids(s.dataPods("orders"))
	release := s.keepAway(replica)
	s.restart("orders", "2026-01-04T00:00:00Z")
	time.Sleep(10 * time.Second)
	for name, uid := range uids(s.dataPods("orders")) {
		assert.True(t, name == replica || uid == before[name], "%s was replaced while %s was away", name, replica)
	}
	release()
	s.annotated("orders", restartedAt, "2026-01-04T00:00:00Z")
	s.ready("orders", readyWithin)
	s.agreed("watch", "orders")
}

// The masters of a cluster, one shard after the other.
func TestARollOfAClusterMovesEachMasterOnce(t *testing.T) {
	t.Parallel()
	s := begin(t)
	s.sharded("orders", 2, 1, "")
	w := s.writeCluster("orders", thirds...)
	for i := range 2 {
		began := time.Now()
		s.roll("orders", fmt.Sprint(i))
		s.settled("orders", "")
		moves := s.moves("orders", began)
		t.Logf("roll %d: %v", i, moves)
		assert.Len(t, moves, 3)
	}
	topology, err := s.topology("orders")
	require.NoError(t, err)
	for _, r := range topology.Status.Failovers {
		assert.Equal(t, v1alpha1.CauseHandover, r.Cause)
	}
	s.nothingLost(t, "orders", w)
}
