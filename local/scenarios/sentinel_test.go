package scenarios

import (
	"fmt"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

// A fresh instance is Ready with all its pods, serves through its Services, and is monitored as it is.
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

	require.NoError(t, s.through("orders-master", password).Set(s.ctx, "k", "v", 0).Err())
	replicas := s.through("orders-replicas", password)
	s.eventually("the replicas' Service answers", 10*time.Second, func() error { return replicas.Get(s.ctx, "k").Err() })
}

// Sentinels are added, removed and lost, and those that remain forget them; a failover works after it.
func TestSentinelsComeAndGoWithoutGhosts(t *testing.T) {
	t.Parallel()
	s := begin(t)
	s.watched("orders")
	for _, replicas := range []int{5, 3} {
		s.patch("watch", fmt.Sprintf(`{"spec":{"replicas":%d}}`, replicas))
		s.podCount("watch", v1alpha1.ComponentSentinel, replicas)
		s.ready("watch", readyWithin)
		s.agreed("watch", "orders")
	}
	for pod := range s.pods("watch") {
		s.forceDelete(pod)
		s.podCount("watch", v1alpha1.ComponentSentinel, 3)
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

// An instance that is deleted is forgotten by its sentinels before its pods go; its neighbour is left alone.
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
	s.remove("orders")
	s.forgottenFirst("watch", "orders", 3, "orders")
	s.removed("orders")
	s.ready("users", readyWithin)
	s.agreed("watch", "users")
	for name, pod := range s.pods("users") {
		assert.Equal(t, neighbour[name].UID, pod.UID, "%s must not have been touched", name)
	}
}

// An instance serves before its sentinels are there and after they are gone.
func TestInstanceWithoutItsSentinelWorksSaysSoAndCanBeDeleted(t *testing.T) {
	t.Parallel()
	s := begin(t)
	s.apply(standardCR("orders", 3, "watch"))
	s.condition("orders", v1alpha1.ConditionSentinelAgreed, metav1.ConditionFalse, readyWithin, "SentinelNotFound")
	s.condition("orders", v1alpha1.ConditionPrimaryAvailable, metav1.ConditionTrue, readyWithin)
	c := s.through("orders-master", password)
	s.eventually("orders takes writes", readyWithin, func() error { return c.Set(s.ctx, "k", "v", 0).Err() })

	s.apply(sentinelCR("watch", 3))
	s.ready("watch", readyWithin)
	s.ready("orders", readyWithin)
	s.agreed("watch", "orders")

	s.remove("watch")
	s.condition("orders", v1alpha1.ConditionSentinelAgreed, metav1.ConditionFalse, readyWithin, "SentinelNotFound")
	require.NoError(t, c.Set(s.ctx, "k", "v2", 0).Err())
	s.remove("orders")
	s.removed("orders")
}

// sentinelAt are the options of a connection to the sentinel in a pod.
func sentinelAt(pod *corev1.Pod, password string) *redis.Options {
	return &redis.Options{
		Addr: fmt.Sprintf("%s:%d", pod.Status.PodIP, v1alpha1.SentinelPort), Password: password,
		Protocol: 2, MaxRetries: -1, DisableIdentity: true, DialTimeout: time.Second, ReadTimeout: time.Second,
	}
}

// sentinel is a connection to a sentinel as to any server. The caller closes it.
func (s *scenario) sentinel(pod, password string) *redis.Client {
	s.Helper()
	return redis.NewClient(sentinelAt(s.pod(pod), password))
}

// eachSentinel asks every sentinel of an instance that has an address, without a password, and returns the first error.
func (s *scenario) eachSentinel(instance string, ask func(pod string, c *redis.SentinelClient) error) error {
	s.Helper()
	for name, pod := range s.pods(instance) {
		if pod.Status.PodIP == "" {
			continue
		}
		c := redis.NewSentinelClient(sentinelAt(&pod, ""))
		err := ask(name, c)
		_ = c.Close()
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// forgottenFirst waits until the data pods of a deleted instance, so many, are gone, and asserts that no sentinel monitors one of
// its masters any more when the first of them is.
func (s *scenario) forgottenFirst(sentinel, instance string, count int, masters ...string) {
	s.Helper()
	s.eventually("the pods of "+instance+" go, the monitors first", readyWithin, func() error {
		// Pods are listed before the sentinels are asked: pods that were gone then must have been forgotten before.
		pods := s.dataPods(instance)
		err := s.eachSentinel(sentinel, func(name string, c *redis.SentinelClient) error {
			for _, master := range masters {
				if c.GetMasterAddrByName(s.ctx, master).Err() == nil && len(pods) < count {
					require.Failf(s, "forgotten too late", "%s still monitors %s, and only %d pods are left", name, master, len(pods))
				}
			}
			return nil
		})
		if err == nil && len(pods) > 0 {
			err = fmt.Errorf("%d pods are left", len(pods))
		}
		return err
	})
}
