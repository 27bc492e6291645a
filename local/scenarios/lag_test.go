package scenarios

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

// TestReplicasThatLagAreNotInSync: next to nothing reaches the replicas, and their links stay up. They are not made master, because
// too much would be lost, and clients are not led to them.
func TestReplicasThatLagAreNotInSync(t *testing.T) {
	t.Parallel()
	s := begin(t)
	s.apply(strings.Replace(standardCR("orders", 3, ""), "failover: {", "failover: {maxLostWrites: 50, ", 1))
	s.ready("orders", readyWithin)
	master := s.master("orders")
	replicas := others(s, "orders", master)
	w := s.write("orders-master", password)
	release := s.starved(master, replicas...)
	behind := func(writes int64) func() error {
		return func() error {
			for _, pod := range replicas {
				if lag := s.offset(master) - s.offset(pod); lag < writes {
					return fmt.Errorf("%s is %d writes behind", pod, lag)
				}
			}
			return nil
		}
	}
	s.eventually("the replicas are behind", time.Minute, behind(1500)) // the sidecar looks every second
	s.ready("orders", readyWithin)

	s.signal(master, syscall.SIGSTOP)
	waits := s.condition("orders", v1alpha1.ConditionPrimaryAvailable, metav1.ConditionFalse, time.Minute, "WouldLoseWrites")
	assert.Contains(t, waits.Message, "more than spec.failover.maxLostWrites (50) allows")
	s.signal(master, syscall.SIGCONT)
	s.condition("orders", v1alpha1.ConditionPrimaryAvailable, metav1.ConditionTrue, time.Minute)
	require.Equal(t, master, s.master("orders"))

	s.patch("orders", `{"spec":{"failover":{"maxLagSeconds":10}}}`)
	lags := s.condition("orders", v1alpha1.ConditionReplicationHealthy, metav1.ConditionFalse, time.Minute, "ReplicasLagging")
	for _, pod := range replicas {
		assert.Contains(t, lags.Message, pod)
	}
	s.event("orders", "ReplicaLagging")
	s.eventually("no client is led to a replica", 10*time.Second, func() error {
		if pods := s.endpoints("orders-replicas"); len(pods) > 0 {
			return fmt.Errorf("%v are endpoints", pods)
		}
		return nil
	})

	release()
	s.condition("orders", v1alpha1.ConditionReplicationHealthy, metav1.ConditionTrue, 2*time.Minute)
	s.event("orders", "ReplicaCaughtUp")
	s.eventually("clients are led to the replicas", 10*time.Second, func() error {
		if pods := s.endpoints("orders-replicas"); len(pods) != len(replicas) {
			return fmt.Errorf("%v are endpoints", pods)
		}
		return nil
	})
	assert.Empty(t, s.missing(s.direct(master, password), w.finish()))
}

// starved lets about a kilobyte per second pass from one pod to each of others, until the function that it returns is called.
func (s *scenario) starved(from string, to ...string) (release func()) {
	s.Helper()
	var pairs [][2]string
	for _, pod := range to {
		pairs = append(pairs, [2]string{from, pod})
	}
	return s.intercept([]string{
		"-m", "hashlimit", "--hashlimit-above", "1kb/s", "--hashlimit-burst", "2kb",
		"--hashlimit-mode", "srcip,dstip", "--hashlimit-name", s.namespace[:min(len(s.namespace), 15)], "-j", "DROP",
	}, pairs...)
}

// offset is the sequence of the last write that the node has.
func (s *scenario) offset(pod string) int64 {
	s.Helper()
	c := s.direct(pod, password)
	defer func() { _ = c.Close() }()
	info, err := c.Info(s.ctx, "replication").Result()
	require.NoError(s, err)
	for line := range strings.Lines(info) {
		if value, ok := strings.CutPrefix(line, "master_repl_offset:"); ok {
			n, err := strconv.ParseInt(strings.TrimSpace(value), 10, 64)
			require.NoError(s, err)
			return n
		}
	}
	require.NoError(s, errors.New("INFO has no master_repl_offset"))
	return 0
}

// endpoints are the pods to which a Service leads, sorted.
func (s *scenario) endpoints(service string) []string {
	s.Helper()
	list, err := s.kube.DiscoveryV1().EndpointSlices(s.namespace).List(s.ctx, metav1.ListOptions{LabelSelector: discoveryv1.LabelServiceName + "=" + service})
	require.NoError(s, err)
	var pods []string
	for _, slice := range list.Items {
		for _, e := range slice.Endpoints {
			if e.Conditions.Ready != nil && *e.Conditions.Ready && e.TargetRef != nil {
				pods = append(pods, e.TargetRef.Name)
			}
		}
	}
	slices.Sort(pods)
	return pods
}
