// Package podstate says, in the words of Kubernetes, whether a pod is ready and what is wrong with it.
//
// What it returns holds nothing that changes while the trouble lasts, such as the number of restarts: it stands in conditions, and each
// change of them is written.
package podstate

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// ReasonCrashLoop is Kubernetes' word for a container that ends again and again.
const ReasonCrashLoop = "CrashLoopBackOff"

// Ready reports whether a pod is there, is to stay, and is ready; for a data pod that includes the gate.
func Ready(pod *corev1.Pod) bool {
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

// CannotStart reports whether a pod cannot start because of what its template says: it fits no node, its image cannot be
// pulled, or its container fails again and again.
func CannotStart(pod *corev1.Pod) bool { return startFailure(pod) != "" }

// startFailure returns the reason why a pod cannot start, in the words of Kubernetes; "" when nothing keeps it.
func startFailure(pod *corev1.Pod) string {
	for i := range pod.Status.Conditions {
		c := &pod.Status.Conditions[i]
		if c.Type == corev1.PodScheduled && c.Status == corev1.ConditionFalse && c.Reason == corev1.PodReasonUnschedulable {
			return c.Reason
		}
	}
	for _, list := range [][]corev1.ContainerStatus{pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses} {
		for i := range list {
			if w := list[i].State.Waiting; w != nil && permanentFailure(w.Reason) {
				return w.Reason
			}
		}
	}
	return ""
}

// permanentFailure reports whether a container that waits for this reason would go on doing so.
func permanentFailure(reason string) bool {
	switch reason {
	case "ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull",
		"CreateContainerConfigError", "CreateContainerError", "RunContainerError", ReasonCrashLoop:
		return true
	}
	return false
}

// NotReady returns why a pod is not ready, in the words of Kubernetes.
func NotReady(pod *corev1.Pod) string {
	if why := Problem(pod); why != "" {
		return why
	}
	return fmt.Sprintf("waiting for the pod %s to be ready", pod.Name)
}

// Problem returns what is wrong with a pod, with what Kubernetes says of it; "" when nothing is known to be. It holds nothing that
// changes while the trouble lasts, such as the number of restarts.
func Problem(pod *corev1.Pod) string {
	if pod.Status.Phase == corev1.PodFailed {
		reason := pod.Status.Reason // Evicted
		if reason == "" {
			reason = "its containers have failed"
		}
		return fmt.Sprintf("the pod %s has ended: %s", pod.Name, withMessage(reason, pod.Status.Message))
	}
	disrupted := ""
	for i := range pod.Status.Conditions {
		switch c := &pod.Status.Conditions[i]; {
		case c.Type == corev1.PodScheduled && c.Status == corev1.ConditionFalse && c.Reason == corev1.PodReasonUnschedulable:
			return fmt.Sprintf("the pod %s cannot start: %s", pod.Name, withMessage(c.Reason, c.Message))
		case c.Type == corev1.DisruptionTarget && c.Status == corev1.ConditionTrue:
			disrupted = c.Reason // such as EvictionByEvictionAPI, PreemptionByScheduler, DeletionByTaintManager
		}
	}
	switch {
	case pod.DeletionTimestamp != nil && disrupted != "":
		return fmt.Sprintf("the pod %s is being removed: %s", pod.Name, disrupted)
	case pod.DeletionTimestamp != nil:
		return ""
	}
	for _, list := range [][]corev1.ContainerStatus{pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses} {
		for i := range list {
			if why := containerProblem(pod, &list[i]); why != "" {
				return why
			}
		}
	}
	return ""
}

// reasonOOMKilled is Kubernetes' word for a container that needed more memory than its limit.
const reasonOOMKilled = "OOMKilled"

func containerProblem(pod *corev1.Pod, c *corev1.ContainerStatus) string {
	ended := c.State.Terminated
	if ended == nil {
		ended = c.LastTerminationState.Terminated
	}
	waiting := c.State.Waiting
	switch {
	case ended != nil && ended.Reason == reasonOOMKilled && !c.Ready:
		return fmt.Sprintf("the container %s of the pod %s was OOMKilled: it needed more than its memory limit%s", c.Name, pod.Name, memoryLimit(pod, c.Name))
	case waiting == nil || !permanentFailure(waiting.Reason):
		return ""
	case waiting.Reason == "ErrImagePull" || waiting.Reason == "ImagePullBackOff": // they alternate
		return fmt.Sprintf("the pod %s cannot start: ImagePullBackOff: the image %s cannot be pulled", pod.Name, imageOf(pod, c))
	case waiting.Reason == ReasonCrashLoop && ended != nil:
		why := fmt.Sprintf("the pod %s cannot start: %s: its container %s ends with %s, exit code %d", pod.Name, waiting.Reason, c.Name, ended.Reason, ended.ExitCode)
		return withMessage(why, strings.TrimSpace(ended.Message)) // such as that of scripts/sentinel.sh
	case waiting.Reason == ReasonCrashLoop:
		return fmt.Sprintf("the pod %s cannot start: %s", pod.Name, waiting.Reason)
	}
	return fmt.Sprintf("the pod %s cannot start: %s", pod.Name, withMessage(waiting.Reason, waiting.Message))
}

// withMessage returns a reason with Kubernetes' message, if it has one.
func withMessage(reason, message string) string {
	if message == "" {
		return reason
	}
	return reason + ": " + Truncated(message)
}

// WithoutPodName returns the message of a Deployment without the name of the pod, which is another one at each attempt: a message that
// changes while its cause does not would be written again and again.
func WithoutPodName(message string) string {
	if rest, ok := strings.CutPrefix(message, `pods "`); ok {
		if _, why, ok := strings.Cut(rest, `" is `); ok {
			return why
		}
	}
	return message
}

// maxQuotedBytes bounds, in bytes, what is quoted of others.
const maxQuotedBytes = 400

// Truncated returns what is quoted of others, as far as it is kept.
func Truncated(message string) string {
	if len(message) <= maxQuotedBytes {
		return message
	}
	return strings.ToValidUTF8(message[:maxQuotedBytes], "") + "..."
}

// memoryLimit returns the limit of a container as " of 512Mi"; "" when it has none, so that the machine itself was short of memory.
func memoryLimit(pod *corev1.Pod, container string) string {
	for i := range pod.Spec.Containers {
		if limit, ok := pod.Spec.Containers[i].Resources.Limits[corev1.ResourceMemory]; ok && pod.Spec.Containers[i].Name == container {
			return " of " + limit.String()
		}
	}
	return ""
}

func imageOf(pod *corev1.Pod, c *corev1.ContainerStatus) string {
	for _, list := range [][]corev1.Container{pod.Spec.InitContainers, pod.Spec.Containers} {
		for i := range list {
			if list[i].Name == c.Name {
				return list[i].Image
			}
		}
	}
	return c.Image
}
