package scenarios

import (
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

// What is wrong is said, and nothing is done that makes it worse.
func TestTroubleIsReportedAndNothingWrongIsDone(t *testing.T) {
	t.Parallel()
	s := begin(t)
	s.watched("orders")
	master := s.master("orders")
	replica := others(s, "orders", master)[0]

	t.Run("a replica with a wrong replication password is healed", func(t *testing.T) {
		c := s.direct(replica, password)
		require.NoError(t, c.ConfigSet(s.ctx, "masterauth", "wrong").Err())
		require.NoError(t, c.Do(s.ctx, "SLAVEOF", "127.0.0.1", "2").Err(), "so that it must log in again")
		s.ready("orders", readyWithin)
		s.eventually("the link is up again", readyWithin, func() error { return s.linkUp(replica) })
		assert.Equal(t, master, s.master("orders"))
	})
	t.Run("a hung replica is reported", func(t *testing.T) {
		s.signal(replica, syscall.SIGSTOP)
		s.condition("orders", v1alpha1.ConditionReplicationHealthy, metav1.ConditionFalse, time.Minute)
		assert.Equal(t, master, s.master("orders"))
		s.signal(replica, syscall.SIGCONT)
		s.ready("orders", readyWithin)
		assert.Equal(t, master, s.master("orders"))
	})
	t.Run("hung sentinels are reported and the data plane is left alone", func(t *testing.T) {
		var stopped []string
		for pod := range s.pods("watch") {
			if len(stopped) < 2 {
				s.signal(pod, syscall.SIGSTOP)
				stopped = append(stopped, pod)
			}
		}
		s.condition("orders", v1alpha1.ConditionSentinelAgreed, metav1.ConditionFalse, time.Minute, "QuorumLost", "SentinelUnreachable")
		s.condition("orders", v1alpha1.ConditionPrimaryAvailable, metav1.ConditionTrue, time.Second)
		for _, pod := range stopped {
			s.signal(pod, syscall.SIGCONT)
		}
		s.ready("orders", readyWithin)
		assert.Equal(t, master, s.master("orders"))
		s.agreed("watch", "orders")
	})
	t.Run("a changed password reaches every node and sentinel without a failover", func(t *testing.T) {
		s.patch("orders", `{"spec":{"password":"another-secret"}}`)
		c := s.through("orders-master", "another-secret")
		s.eventually("the new password works", readyWithin, func() error { return c.Set(s.ctx, "k", "v", 0).Err() })
		s.ready("orders", readyWithin)
		s.condition("orders", v1alpha1.ConditionCredentialsApplied, metav1.ConditionTrue, readyWithin)
		s.agreed("watch", "orders")
		assert.Equal(t, master, s.master("orders"))
	})
}

// linkUp says why a replica does not replicate.
func (s *scenario) linkUp(pod string) error {
	info, err := s.direct(pod, password).Info(s.ctx, "replication").Result()
	if err != nil {
		return err
	}
	return expectContains(info, "master_link_status:up")
}
