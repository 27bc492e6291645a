package scenarios

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

// By the pods that there are: a preference for nodes keeps the default spreading, and each component
// of a cluster has its own placement and resources, where they are given.
func TestEachComponentIsPlacedAsGivenAndOtherwiseSpread(t *testing.T) {
	t.Parallel()
	s := begin(t)
	s.apply(fmt.Sprintf(`
apiVersion: kvrocks.apache.org/v1alpha1
kind: KVRocks
metadata: {name: orders}
spec:
  type: cluster
  master: 3
  replicas: 1
  password: %s
  resources: {limits: {memory: 256Mi}}
  nodeSelector: {kubernetes.io/os: linux}
  tolerations: [{key: data, operator: Exists}]
  affinity:
    nodeAffinity:
      preferredDuringSchedulingIgnoredDuringExecution:
      - {weight: 1, preference: {matchExpressions: [{key: nvme, operator: Exists}]}}
  cluster:
    etcd:
      replicas: 1
      nodeSelector: {kubernetes.io/arch: %s}
      tolerations: [{key: etcd, operator: Exists}]
      resources: {limits: {memory: 300Mi}}
`, password, runtime.GOARCH))
	s.settled("orders", "")

	components := map[string]struct {
		pods         int
		nodeSelector map[string]string
		toleration   string
		memory       string
	}{
		v1alpha1.ComponentData:       {3, map[string]string{corev1.LabelOSStable: "linux"}, "data", "256Mi"},
		v1alpha1.ComponentEtcd:       {1, map[string]string{corev1.LabelArchStable: runtime.GOARCH}, "etcd", "300Mi"},
		v1alpha1.ComponentController: {1, map[string]string{corev1.LabelOSStable: "linux"}, "data", ""},
	}
	for component, want := range components {
		pods := s.component("orders", component)
		assert.Len(t, pods, want.pods, component)
		for name, pod := range pods {
			assert.Equal(t, want.nodeSelector, pod.Spec.NodeSelector, name)
			assert.Contains(t, pod.Spec.Tolerations, corev1.Toleration{Key: want.toleration, Operator: corev1.TolerationOpExists}, name)
			require.NotNil(t, pod.Spec.Affinity, name)
			require.NotNil(t, pod.Spec.Affinity.NodeAffinity, name)
			assert.Len(t, pod.Spec.Affinity.NodeAffinity.PreferredDuringSchedulingIgnoredDuringExecution, 1, name)
			require.NotNil(t, pod.Spec.Affinity.PodAntiAffinity, "%s must prefer a node of its own", name)
			spread := pod.Spec.Affinity.PodAntiAffinity.PreferredDuringSchedulingIgnoredDuringExecution
			require.Len(t, spread, 1, name)
			for key, value := range spread[0].PodAffinityTerm.LabelSelector.MatchLabels {
				assert.Equal(t, value, pod.Labels[key], "%s is to be apart from others of its component", name)
			}
			assert.Equal(t, component, spread[0].PodAffinityTerm.LabelSelector.MatchLabels[v1alpha1.LabelComponent], name)
			limits := pod.Spec.Containers[0].Resources.Limits
			if want.memory == "" { // has a default, which a ResourceQuota on limits admits
				assert.Positive(t, limits.Memory().Sign(), name)
				assert.Positive(t, limits.Cpu().Sign(), name)
				continue
			}
			assert.Equal(t, want.memory, limits.Memory().String(), name)
		}
	}

	t.Run("a change for one component replaces its pods alone", func(t *testing.T) {
		s := s.part(t)
		before := s.pods("orders")
		controller := s.component("orders", v1alpha1.ComponentController)
		s.patch("orders", `{"spec":{"cluster":{"controller":{"resources":{"limits":{"memory":"200Mi"}}}}}}`)
		s.eventually("kvrocks-controller has the new limit", readyWithin, func() error {
			for name, pod := range s.component("orders", v1alpha1.ComponentController) {
				if got := pod.Spec.Containers[0].Resources.Limits.Memory().String(); got != "200Mi" {
					return fmt.Errorf("%s has %s", name, got)
				}
			}
			return nil
		})
		s.ready("orders", readyWithin)
		after := s.pods("orders")
		for name, pod := range before {
			if _, ok := controller[name]; !ok {
				assert.Equal(t, pod.UID, after[name].UID, "%s must not have been replaced", name)
			}
		}
	})
}
