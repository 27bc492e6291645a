package scenarios

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

// memberLost takes the volume of one member of the store. The member cannot come back alone, so all of them begin again,
// empty, and kvrocks-controller's record is made anew. Clients must not notice.
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
