package scenarios

import (
	"errors"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

// memberLost takes the volume of one member of the store. The member cannot come back alone, so all of them begin again,
// empty, and kvrocks-controller's record is made again. Clients must not notice.
func memberLost(s *scenario, t *testing.T) {
	before := s.whole("orders")
	w, p := s.writeCluster("orders", thirds...), s.pulse()
	stores := s.component("orders", v1alpha1.ComponentEtcd)
	require.Len(t, stores, 3)
	began := time.Now()
	s.loseVolumes("orders-etcd-1")
	s.running("orders", v1alpha1.ComponentEtcd, stores)
	t.Logf("the store serves again after %s", time.Since(began).Round(100*time.Millisecond))
	after := s.settled("orders", "watch")
	t.Logf("whole again after %s", time.Since(began).Round(100*time.Millisecond))
	p.within(t, noise, "writes must not stop", w.gaps(began)...)
	assert.Equal(t, before.owner, after.owner, "the record must be what it was")
	s.nothingLost(t, "orders", w)
}

// storeLostWithoutALeader takes the store from under a kvrocks-controller that waits for the lease of the one before it to
// run out. Version 1.2.0 then waits for ever.
func storeLostWithoutALeader(s *scenario, t *testing.T) {
	before := s.whole("orders")
	controllers, stores := s.component("orders", v1alpha1.ComponentController), s.component("orders", v1alpha1.ComponentEtcd)
	s.forceDelete(slices.Collect(maps.Keys(controllers))...)
	s.eventually("another kvrocks-controller runs", readyWithin, func() error {
		for name, pod := range s.component("orders", v1alpha1.ComponentController) {
			if _, old := controllers[name]; old {
				continue
			}
			for _, container := range pod.Status.ContainerStatuses {
				if container.State.Running != nil {
					return nil
				}
			}
		}
		return errors.New("not yet")
	})
	began := time.Now()
	s.loseVolumes(slices.Collect(maps.Keys(stores))...)
	s.running("orders", v1alpha1.ComponentEtcd, stores)
	after := s.settled("orders", "watch")
	t.Logf("whole again after %s", time.Since(began).Round(100*time.Millisecond))
	assert.Equal(t, before.owner, after.owner, "the record must be what it was")
	topology, err := s.topology("orders")
	require.NoError(t, err)
	t.Logf("kvrocks-controller was started again %d times", topology.Status.ControllerEpoch)
}
