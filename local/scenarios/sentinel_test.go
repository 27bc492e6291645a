package scenarios

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

// Scenario 1, and the first half of 8.
func TestInstancesBecomeReadyAndSentinelsKnowExactlyThem(t *testing.T) {
	t.Parallel()
	s := begin(t)
	s.watched("orders")
	cr, err := s.kvrocks("orders")
	require.NoError(t, err)
	assert.Equal(t, "3/3", cr.Status.Ready)
	assert.Equal(t, v1alpha1.PhaseRunning, cr.Status.Phase)
	require.Len(t, cr.Status.Shards, 1)
	for _, node := range cr.Status.Shards[0].Nodes {
		assert.Equal(t, v1alpha1.LinkUp, node.Link, "link of %s", node.Pod)
	}
	watch, err := s.kvrocks("watch")
	require.NoError(t, err)
	assert.EqualValues(t, 2, watch.Status.Quorum)

	require.NoError(t, client(s.service("orders-master"), password, impatient).Set(s.ctx, "k", "v", 0).Err())
	s.eventually("the replicas' Service answers", 10*time.Second, func() error {
		return client(s.service("orders-replicas"), password, impatient).Get(s.ctx, "k").Err()
	})
}

// Scenario 7.
func TestSentinelsComeAndGoWithoutGhosts(t *testing.T) {
	t.Parallel()
	s := begin(t)
	s.watched("orders")
	for _, replicas := range []int{5, 3} {
		s.patch("watch", fmt.Sprintf(`{"spec":{"replicas":%d}}`, replicas))
		s.eventually("as many sentinels as wanted", readyWithin, func() error {
			if n := len(s.pods("watch")); n != replicas {
				return fmt.Errorf("%d pods, not %d", n, replicas)
			}
			return nil
		})
		s.ready("watch", readyWithin)
		s.agreed("watch", "orders")
	}
	for pod := range s.pods("watch") {
		s.forceDelete(pod)
		s.eventually("another pod for "+pod, readyWithin, func() error {
			if n := len(s.pods("watch")); n != 3 {
				return fmt.Errorf("%d pods", n)
			}
			return nil
		})
		s.ready("watch", readyWithin)
		s.agreed("watch", "orders")
	}
	before := s.master("orders")
	release := s.keepAway(before)
	s.another("orders", before)
	release()
	s.replaced("orders", before)
	s.agreed("watch", "orders")
}

// Scenario 8.
func TestDeletedInstanceIsForgottenBeforeItsPodsGoAndItsNeighbourStays(t *testing.T) {
	t.Parallel()
	s := begin(t)
	s.apply(sentinelCR("watch", 3) + "---" + standardCR("orders", 3, "watch") + "---" + standardCR("users", 3, "watch"))
	for _, name := range []string{"watch", "orders", "users"} {
		s.ready(name, readyWithin)
	}
	s.agreed("watch", "orders")
	s.agreed("watch", "users")
	neighbour := s.pods("users")
	sentinels := s.sentinels("watch")

	s.remove("orders")
	s.eventually("the pods of orders go, the monitors first", readyWithin, func() error {
		// Pods are listed before the sentinels are asked: pods that were gone then must have been forgotten before.
		pods := s.pods("orders")
		for name, c := range sentinels {
			if err := c.GetMasterAddrByName(s.ctx, "orders").Err(); err == nil && len(pods) < 3 {
				t.Fatalf("%s still monitors orders, which has only %d pods left", name, len(pods))
			}
		}
		if len(pods) > 0 {
			return fmt.Errorf("%d pods are left", len(pods))
		}
		return nil
	})
	s.removed("orders")
	s.ready("users", readyWithin)
	s.agreed("watch", "users")
	for name, pod := range s.pods("users") {
		assert.Equal(t, neighbour[name].UID, pod.UID, "%s must not have been touched", name)
	}
}

// Scenario 8, last part.
func TestInstanceWithoutItsSentinelWorksSaysSoAndCanBeDeleted(t *testing.T) {
	t.Parallel()
	s := begin(t)
	s.apply(standardCR("orders", 3, "watch"))
	s.condition("orders", v1alpha1.ConditionSentinelAgreed, metav1.ConditionFalse, readyWithin, "SentinelNotFound")
	s.condition("orders", v1alpha1.ConditionPrimaryAvailable, metav1.ConditionTrue, readyWithin)
	s.eventually("orders takes writes", readyWithin, func() error {
		return client(s.service("orders-master"), password, impatient).Set(s.ctx, "k", "v", 0).Err()
	})

	s.apply(sentinelCR("watch", 3))
	s.ready("watch", readyWithin)
	s.ready("orders", readyWithin)
	s.agreed("watch", "orders")

	s.remove("watch")
	s.condition("orders", v1alpha1.ConditionSentinelAgreed, metav1.ConditionFalse, readyWithin, "SentinelNotFound")
	require.NoError(t, client(s.service("orders-master"), password, impatient).Set(s.ctx, "k", "v2", 0).Err())
	s.remove("orders")
	s.removed("orders")
}
