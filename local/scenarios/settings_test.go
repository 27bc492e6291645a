package scenarios

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

// Settings that change, come and go, and tokens of namespaces.
func TestSettingsComeAndGo(t *testing.T) {
	t.Parallel()
	s := begin(t)
	s.watched("orders")
	const timeout = "timeout"

	t.Run("the port of a live instance stays", func(t *testing.T) {
		crs := s.dyn.Resource(kvrocksResource).Namespace(s.namespace)
		_, err := crs.Patch(s.ctx, "orders", "application/merge-patch+json",
			[]byte(`{"spec":{"kvrocksConfig":{"port":"6390"}}}`), metav1.PatchOptions{})
		require.ErrorContains(t, err, "kvrocksConfig.port cannot be changed on a live instance")
		require.NoError(t, s.through("orders-master", password).Set(s.ctx, "k", "v", 0).Err())
	})
	t.Run("a setting that kvrocks does not know is named and holds up nothing", func(t *testing.T) {
		s.patch("orders", `{"spec":{"kvrocksConfig":{"hz":"10","timeout":"3600"}}}`)
		applied := s.condition("orders", v1alpha1.ConditionConfigApplied, metav1.ConditionTrue, readyWithin, "UnknownSettings")
		assert.Contains(t, applied.Message, "kvrocks does not know hz and ignores them")
		s.ready("orders", readyWithin)
		for pod := range s.pods("orders") {
			assert.Equal(t, "3600", s.direct(pod, password).ConfigGet(s.ctx, timeout).Val()[timeout], pod)
		}
	})
	t.Run("a live setting that is removed has the default again on every node", func(t *testing.T) {
		before := s.pods("orders")
		s.patch("orders", `{"spec":{"kvrocksConfig":{"timeout":null}}}`)
		s.replacedPods("orders", before)
		s.ready("orders", readyWithin)
		for pod := range s.pods("orders") {
			assert.Equal(t, "0", s.direct(pod, password).ConfigGet(s.ctx, timeout).Val()[timeout], pod)
		}
	})
	t.Run("tokens of namespaces outlive restart and failover", func(t *testing.T) {
		master := s.master("orders")
		require.NoError(t, s.direct(master, password).Do(s.ctx, "NAMESPACE", "ADD", "shop", "shop-token").Err())
		c := s.through("orders-master", "shop-token")
		works := func() error {
			switch value, err := c.Get(s.ctx, "k").Result(); {
			case err != nil:
				return err
			case value != "of the shop":
				return errors.New(value)
			}
			return nil
		}
		require.NoError(t, c.Set(s.ctx, "k", "of the shop", 0).Err())
		s.forceDelete(master)
		s.another("orders", master)
		s.eventually("the token works on the new master", time.Minute, works)
		s.ready("orders", readyWithin)
		s.roll("orders", "once")
		s.eventually("the token works after the roll", time.Minute, works)
	})
}
