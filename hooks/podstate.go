package hooks

import (
	"fmt"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

// reasonCrashLoop is Kubernetes' word for a container that ends again and again.
const reasonCrashLoop = "CrashLoopBackOff"

// podReady reports whether a pod is there, is to stay, and is ready; for a data pod that includes the gate.
func podReady(pod *corev1.Pod) bool {
	if pod == nil || pod.DeletionTimestamp != nil {
		return false
	}
	for i := range pod.Status.Conditions {
		if pod.Status.Conditions[i].Type == corev1.PodReady {
			return pod.Status.Conditions[i].Status == corev1.ConditionTrue
		}
	}
	return false
}

// stuck reports whether a pod cannot start because of what its template says: it fits no node, its image cannot be
// pulled, or its container fails again and again.
func stuck(pod *corev1.Pod) bool { return obstacle(pod) != "" }

// obstacle is the reason why a pod cannot start, in the words of Kubernetes; "" when nothing keeps it.
func obstacle(pod *corev1.Pod) string {
	for i := range pod.Status.Conditions {
		c := &pod.Status.Conditions[i]
		if c.Type == corev1.PodScheduled && c.Status == corev1.ConditionFalse && c.Reason == corev1.PodReasonUnschedulable {
			return c.Reason
		}
	}
	for _, list := range [][]corev1.ContainerStatus{pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses} {
		for i := range list {
			if w := list[i].State.Waiting; w != nil && hopeless(w.Reason) {
				return w.Reason
			}
		}
	}
	return ""
}

// hopeless reports whether a container that waits for this reason would go on doing so.
func hopeless(reason string) bool {
	switch reason {
	case "ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull",
		"CreateContainerConfigError", "CreateContainerError", "RunContainerError", reasonCrashLoop:
		return true
	}
	return false
}

// whyNotReady names a pod that keeps the shards from being ready.
func (in *instance) whyNotReady(shards []shard) string {
	for _, s := range shards {
		for i := range s.wanted {
			name := podName(s.name, i)
			switch pod := in.pods[name]; {
			case pod == nil:
				return fmt.Sprintf("waiting for the pod %s to be made", name)
			case !podReady(pod):
				return notReady(pod)
			}
		}
	}
	return "waiting for the StatefulSet to see its pods ready"
}

// whyPodsNotReady names a pod of a component that is not ready.
func (in *instance) whyPodsNotReady(component string) string {
	for _, name := range slices.Sorted(maps.Keys(in.pods)) {
		if pod := in.pods[name]; pod.Labels[v1alpha1.LabelComponent] == component && !podReady(pod) {
			return notReady(pod)
		}
	}
	return "waiting for pods to be made"
}

func notReady(pod *corev1.Pod) string {
	if why := obstacle(pod); why != "" {
		return fmt.Sprintf("the pod %s cannot start: %s", pod.Name, why)
	}
	return fmt.Sprintf("waiting for the pod %s to be ready", pod.Name)
}
