package scenarios

import (
	"fmt"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

// What was begun ends as it would have, whichever of our parts is killed meanwhile. It runs alone, because it kills what all
// others rely on.
func TestKillingOurPartsInTheMiddleChangesNothingInTheEnd(t *testing.T) {
	parts := []struct {
		name string
		kill func(*scenario)
	}{
		{"the leading sidecar", func(s *scenario) { s.killInNamespace(systemNamespace, s.leader()) }},
		{"a hook server", func(s *scenario) { s.killOne(systemNamespace, "app.kubernetes.io/name=kvrocks-hooks") }},
		{"Metacontroller", func(s *scenario) { s.killOne("metacontroller", "app.kubernetes.io/name=metacontroller") }},
	}
	for _, part := range parts {
		t.Run(part.name, func(t *testing.T) {
			s := begin(t)
			s.apply(sentinelCR("watch", 3) + "---" + standardCR("orders", 3, "watch") + "---" + standardCR("users", 5, "watch") +
				"---" + standardCR("carts", 3, "watch"))
			for _, name := range []string{"watch", "orders", "users", "carts"} {
				s.ready(name, 2*readyWithin)
			}
			s.agreed("watch", "users")
			s.promote("users", "users-4")
			w := s.write("orders-master", password)
			scaled := s.write("users-master", password)
			before := s.master("orders")
			safe := s.replicated(w, password, others(s, "orders", before)...)

			release := s.keepAway(before)
			s.patch("users", `{"spec":{"replicas":3}}`)
			s.remove("carts")
			part.kill(s)

			s.another("orders", before)
			release()
			after := s.replaced("orders", before)
			s.podCount("users", v1alpha1.ComponentData, 3)
			s.ready("users", readyWithin)
			s.removed("carts")
			for _, n := range s.missing(s.direct(after, password), w.finish()) {
				assert.GreaterOrEqual(t, n, safe, "w:%d of orders was replicated before the kill", n)
			}
			assert.Empty(t, s.missing(s.direct(s.master("users"), password), scaled.finish()))
			s.agreed("watch", "orders")
			s.agreed("watch", "users")
			require.NoError(t, s.eachSentinel("watch", func(name string, c *redis.SentinelClient) error {
				assert.Error(t, c.GetMasterAddrByName(s.ctx, "carts").Err(), "%s must have forgotten carts", name)
				return nil
			}))
		})
	}
}

// rolledOut waits until every pod of one of our Deployments is a new one and available.
func (s *scenario) rolledOut(deployment string) {
	s.Helper()
	s.eventually(deployment+" is rolled out", readyWithin, func() error {
		d, err := s.kube.AppsV1().Deployments(systemNamespace).Get(s.ctx, deployment, metav1.GetOptions{})
		if err != nil {
			return err
		}
		if d.Status.ObservedGeneration != d.Generation || d.Status.UpdatedReplicas != *d.Spec.Replicas || d.Status.AvailableReplicas != *d.Spec.Replicas || d.Status.Replicas != *d.Spec.Replicas {
			return fmt.Errorf("%+v", d.Status)
		}
		return nil
	})
}

// leader is the sidecar pod that holds the lease.
func (s *scenario) leader() string {
	s.Helper()
	lease, err := s.kube.CoordinationV1().Leases(systemNamespace).Get(s.ctx, "kvrocks-sidecar", metav1.GetOptions{})
	require.NoError(s, err)
	holder, _, _ := strings.Cut(ptr.Deref(lease.Spec.HolderIdentity, ""), "_")
	require.NotEmpty(s, holder, "no sidecar leads")
	return holder
}

func (s *scenario) killOne(namespace, selector string) {
	s.Helper()
	list, err := s.kube.CoreV1().Pods(namespace).List(s.ctx, metav1.ListOptions{LabelSelector: selector})
	require.NoError(s, err)
	require.NotEmpty(s, list.Items, "no pod %s in %s", selector, namespace)
	s.killInNamespace(namespace, list.Items[0].Name)
}

func (s *scenario) killInNamespace(namespace, pod string) {
	s.Helper()
	require.NoError(s, s.kube.CoreV1().Pods(namespace).Delete(s.ctx, pod, withoutGrace()))
}

func (s *scenario) onlyPod(namespace, selector string) corev1.Pod {
	s.Helper()
	list, err := s.kube.CoreV1().Pods(namespace).List(s.ctx, metav1.ListOptions{LabelSelector: selector})
	require.NoError(s, err)
	require.Len(s, list.Items, 1)
	return list.Items[0]
}
