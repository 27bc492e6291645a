package scenarios

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

// Scenario 9. It runs alone, because it kills what all others rely on.
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
			require.NoError(t, s.dyn.Resource(kvrocksResource).Namespace(s.namespace).Delete(s.ctx, "carts", metav1.DeleteOptions{}))
			part.kill(s)

			s.another("orders", before)
			release()
			after := s.replaced("orders", before)
			s.eventually("users has three pods", readyWithin, func() error {
				if n := len(s.pods("users")); n != 3 {
					return fmt.Errorf("%d pods", n)
				}
				return nil
			})
			s.ready("users", readyWithin)
			s.eventually("carts is gone", readyWithin, func() error {
				if _, err := s.kvrocks("carts"); !apierrors.IsNotFound(err) {
					return fmt.Errorf("still there: %v", err)
				}
				return nil
			})
			for _, n := range s.missing(s.direct(after, password), w.finish()) {
				assert.GreaterOrEqual(t, n, safe, "w:%d of orders was replicated before the kill", n)
			}
			assert.Empty(t, s.missing(s.direct(s.master("users"), password), scaled.finish()))
			s.agreed("watch", "orders")
			s.agreed("watch", "users")
			for name, c := range s.sentinels("watch") {
				assert.Error(t, c.GetMasterAddrByName(s.ctx, "carts").Err(), "%s must have forgotten carts", name)
			}
		})
	}
}

func (s *scenario) rolledOut() {
	s.Helper()
	s.eventually("the hook server is rolled out", readyWithin, func() error {
		d, err := s.kube.AppsV1().Deployments(systemNamespace).Get(s.ctx, "kvrocks-hooks", metav1.GetOptions{})
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
	require.NotEmpty(s, holder, "nobody leads")
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
	require.NoError(s, s.kube.CoreV1().Pods(namespace).Delete(s.ctx, pod, metav1.DeleteOptions{GracePeriodSeconds: ptr.To[int64](0)}))
}

func (s *scenario) onlyPod(namespace, selector string) corev1.Pod {
	s.Helper()
	list, err := s.kube.CoreV1().Pods(namespace).List(s.ctx, metav1.ListOptions{LabelSelector: selector})
	require.NoError(s, err)
	require.Len(s, list.Items, 1)
	return list.Items[0]
}

// Scenario 11. It runs alone, so that nobody else's writes are in the way.
func TestIdleInstanceCausesNoWritesAndFewCommands(t *testing.T) {
	s := begin(t)
	s.watched("orders")
	const idle = time.Minute
	versions := s.versions()
	commands := s.commands("orders")
	time.Sleep(idle) // the subject of the test is what happens in this time
	assert.Equal(t, versions, s.versions(), "resourceVersions after %s of idling", idle)
	for pod, after := range s.commands("orders") {
		perMinute := after - commands[pod]
		t.Logf("%s: %d commands in %s (sidecar, sentinels, probes and replicas together)", pod, perMinute, idle)
		// Three sentinels send PING and PUBLISH every 1 and 2 s and INFO every 10 s each: about 290 a minute. What we add
		// (sidecar and probes) must stay small beside that.
		assert.Less(t, perMinute, int64(400), "commands per minute on %s", pod)
	}
}

// versions are the resourceVersions of everything of ours in the namespace.
func (s *scenario) versions() map[string]string {
	s.Helper()
	versions := map[string]string{}
	for _, resource := range []string{"kvrocks/" + v1alpha1.Group, "kvrockstopologies/" + v1alpha1.Group, "statefulsets/apps", "deployments/apps",
		"services/", "configmaps/", "secrets/", "pods/", "poddisruptionbudgets/policy"} {
		name, group, _ := strings.Cut(resource, "/")
		version := "v1"
		if group == v1alpha1.Group {
			version = v1alpha1.Version
		}
		gvr := kvrocksResource
		gvr.Group, gvr.Version, gvr.Resource = group, version, name
		list, err := s.dyn.Resource(gvr).Namespace(s.namespace).List(s.ctx, metav1.ListOptions{})
		require.NoError(s, err, resource)
		for _, item := range list.Items {
			versions[name+"/"+item.GetName()] = item.GetResourceVersion()
		}
	}
	return versions
}

// commands are the numbers of commands that the nodes of an instance have processed, by pod.
func (s *scenario) commands(instance string) map[string]int64 {
	s.Helper()
	counts := map[string]int64{}
	for pod := range s.pods(instance) {
		info, err := s.direct(pod, password).Info(s.ctx, "stats").Result()
		require.NoError(s, err)
		for line := range strings.Lines(info) {
			if value, ok := strings.CutPrefix(strings.TrimSpace(line), "total_commands_processed:"); ok {
				var n int64
				_, err = fmt.Sscan(value, &n)
				require.NoError(s, err)
				counts[pod] = n
			}
		}
		require.Contains(s, counts, pod, "INFO stats of %s has no total_commands_processed", pod)
	}
	return counts
}
