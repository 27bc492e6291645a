package scenarios

import (
	"fmt"
	"maps"
	"slices"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

// pods are the pods of an instance, by name, without those being deleted.
func (s *scenario) pods(instance string) map[string]corev1.Pod {
	s.Helper()
	list, err := s.kube.CoreV1().Pods(s.namespace).List(s.ctx, metav1.ListOptions{LabelSelector: v1alpha1.LabelInstance + "=" + instance})
	require.NoError(s, err, "list pods of %s", instance)
	pods := map[string]corev1.Pod{}
	for _, pod := range list.Items {
		if pod.DeletionTimestamp == nil {
			pods[pod.Name] = pod
		}
	}
	return pods
}

// pod is one pod as it is now.
func (s *scenario) pod(name string) *corev1.Pod {
	s.Helper()
	pod, err := s.kube.CoreV1().Pods(s.namespace).Get(s.ctx, name, metav1.GetOptions{})
	require.NoError(s, err)
	return pod
}

// component are the pods of one part of an instance, by name, without those being deleted.
func (s *scenario) component(instance, component string) map[string]corev1.Pod {
	s.Helper()
	pods := s.pods(instance)
	maps.DeleteFunc(pods, func(_ string, pod corev1.Pod) bool { return pod.Labels[v1alpha1.LabelComponent] != component })
	return pods
}

func (s *scenario) dataPods(instance string) map[string]corev1.Pod {
	s.Helper()
	return s.component(instance, v1alpha1.ComponentData)
}

// podCount waits until an instance has so many pods of a component.
func (s *scenario) podCount(instance, component string, want int) {
	s.Helper()
	s.eventually(fmt.Sprintf("%s has %d pods of the component %s", instance, want, component), clusterReadyWithin, func() error {
		if pods := s.component(instance, component); len(pods) != want {
			return fmt.Errorf("%v", slices.Sorted(maps.Keys(pods)))
		}
		return nil
	})
}

// everyPod waits until each data pod of an instance has something, as the pods of a new template have.
func (s *scenario) everyPod(instance, what string, has func(*corev1.Pod) bool) {
	s.Helper()
	s.eventually(fmt.Sprintf("every pod of %s has %s", instance, what), 4*readyWithin, func() error {
		for name, pod := range s.dataPods(instance) {
			if !has(&pod) {
				return fmt.Errorf("%s has not", name)
			}
		}
		return nil
	})
}

// replacedPods waits until each of some pods has a successor of its name.
func (s *scenario) replacedPods(instance string, old map[string]corev1.Pod) {
	s.Helper()
	s.eventually(fmt.Sprintf("new pods for %v", slices.Sorted(maps.Keys(old))), 2*readyWithin, func() error {
		now := s.pods(instance)
		for name, pod := range old {
			if n, ok := now[name]; !ok || n.UID == pod.UID {
				return fmt.Errorf("%s has not been replaced", name)
			}
		}
		return nil
	})
}

// uids tells pods from their successors of the same names.
func uids(pods map[string]corev1.Pod) map[string]types.UID {
	ids := map[string]types.UID{}
	for name, pod := range pods {
		ids[name] = pod.UID
	}
	return ids
}

func anyOf(pods map[string]corev1.Pod) string {
	for name := range pods {
		return name
	}
	return ""
}

// others are the pods of an instance but one.
func others(s *scenario, instance, but string) []string {
	var names []string
	for name := range s.pods(instance) {
		if name != but {
			names = append(names, name)
		}
	}
	return names
}

func isReady(pod *corev1.Pod) bool {
	return slices.ContainsFunc(pod.Status.Conditions, func(c corev1.PodCondition) bool {
		return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
	})
}

func isAttached(pod *corev1.Pod) bool {
	for _, condition := range pod.Status.Conditions {
		if string(condition.Type) == v1alpha1.AttachedGate {
			return condition.Status == corev1.ConditionTrue
		}
	}
	return false
}
