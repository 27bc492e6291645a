package scenarios

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

// A master on a pod that is scaled away hands over first; one and three pods keep all data.
func TestScalingDownHandsTheMasterOverAndLosesNothing(t *testing.T) {
	t.Parallel()
	s := begin(t)
	s.watched("orders")
	w, p := s.write("orders-master", password), s.pulse()

	s.patch("orders", `{"spec":{"replicas":5}}`)
	s.ready("orders", readyWithin)
	s.agreed("watch", "orders")
	s.promote("orders", "orders-4")

	shrunk := time.Now()
	s.patch("orders", `{"spec":{"replicas":3}}`)
	s.eventually("orders-4 hands over", time.Minute, func() error {
		if cr, err := s.kvrocks("orders"); err != nil || cr.Status.Master == "orders-4" {
			return fmt.Errorf("orders-4 is still the master: %w", err)
		}
		return nil
	})
	s.ready("orders", readyWithin)
	s.podCount("orders", v1alpha1.ComponentData, 3)
	gap := w.longestGap(shrunk)
	acked := w.finish()
	record := s.journal("orders")
	t.Logf("5→3: write gap %s, journal %+v, errors %v", gap, record, w.seen())
	assert.Equal(t, v1alpha1.CauseHandover, record.Cause)
	assert.Equal(t, "orders-4", record.From)
	assert.Positive(t, record.PromoteMs, "the write pause is reported")
	p.within(t, 2*time.Second, "no window without a master longer than 2 s", gap)
	assert.Empty(t, s.missing(s.direct(s.master("orders"), password), acked), "no acknowledged write may be lost")
	s.agreed("watch", "orders")

	for _, replicas := range []int{1, 3} {
		s.patch("orders", fmt.Sprintf(`{"spec":{"replicas":%d}}`, replicas))
		s.ready("orders", readyWithin)
		s.podCount("orders", v1alpha1.ComponentData, replicas)
		assert.Empty(t, s.missing(s.direct(s.master("orders"), password), acked), "with %d replicas", replicas)
	}
	s.agreed("watch", "orders")
}

// promote makes a pod the master: one that is deleted with grace hands over, to the only one that is not being deleted.
func (s *scenario) promote(instance, pod string) {
	s.Helper()
	if before := s.master(instance); before != pod {
		s.deleteAllBut(before, pod, slices.Collect(maps.Keys(s.pods(instance))))
		require.Equal(s, pod, s.replaced(instance, before))
		require.Equal(s, v1alpha1.CauseHandover, s.journal(instance).Cause, "a deleted pod has the time to hand over")
	}
	s.agreed("watch", instance)
}

// deleteAllBut deletes the pods with the grace that they ask for, but one of them, and the master last.
func (s *scenario) deleteAllBut(master, but string, pods []string) {
	s.Helper()
	pods = append(slices.DeleteFunc(pods, func(pod string) bool { return pod == master || pod == but }), master)
	s.deletePods(pods...)
}
