package scenarios

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

// A paused instance is rolled, scaled and switched by no edit, and its dead master is replaced; afterwards the edits are carried out.
func TestAPausedInstanceIsHeldAndFailsOver(t *testing.T) {
	t.Parallel()
	s, w := underLoad(t, "orders")
	s.patch("orders", `{"metadata":{"annotations":{"kvrocks.apache.org/paused":"true"}}}`)
	s.condition("orders", v1alpha1.ConditionPaused, metav1.ConditionTrue, time.Minute, v1alpha1.ReasonPaused)
	s.ready("orders", readyWithin)
	s.event("orders", "no planned change is begun")

	before, began := s.uids("orders"), time.Now()
	s.patch("orders", `{"spec":{"replicas":5,"podAnnotations":{"example.com/rolled":"held"}}}`)
	s.condition("orders", v1alpha1.ConditionReady, metav1.ConditionFalse, time.Minute, v1alpha1.ReasonPaused)
	time.Sleep(15 * time.Second)
	assert.Equal(t, before, s.uids("orders"), "no pod is replaced, added or removed")
	assert.Empty(t, s.moves("orders", began))

	master := s.master("orders")
	s.forceDelete(master)
	s.another("orders", master)
	s.agreed("watch", "orders")
	s.condition("orders", v1alpha1.ConditionPrimaryAvailable, metav1.ConditionTrue, time.Minute)
	s.condition("orders", v1alpha1.ConditionReady, metav1.ConditionFalse, time.Minute, v1alpha1.ReasonPaused)

	s.patch("orders", `{"metadata":{"annotations":{"kvrocks.apache.org/paused":null}}}`)
	s.ready("orders", clusterReadyWithin)
	s.podCount("orders", v1alpha1.ComponentData, 5)
	s.annotated("orders", "example.com/rolled", "held")
	w.finish()
}

// uids are those of the data pods, by name.
func (s *scenario) uids(instance string) map[string]types.UID {
	s.Helper()
	uids := map[string]types.UID{}
	for name, pod := range s.dataPods(instance) {
		uids[name] = pod.UID
	}
	return uids
}
