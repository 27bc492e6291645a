package reconcile

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan"
)

// reasonBackOff is Kubernetes' word for a container that it starts again only after a pause.
const reasonBackOff = "CrashLoopBackOff"

// Reasons of the condition that the readiness gate is.
const (
	reasonAttached = "Attached"
	reasonDetached = "Detached"
)

// trimPod keeps of a pod what this package reads. With many pods the rest would be most of the memory.
func trimPod(obj any) (any, error) {
	pod, ok := obj.(*corev1.Pod)
	if !ok {
		return obj, nil
	}
	trimmed := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: pod.Namespace, Name: pod.Name, UID: pod.UID, ResourceVersion: pod.ResourceVersion,
			Labels: pod.Labels, DeletionTimestamp: pod.DeletionTimestamp,
		},
		Status: corev1.PodStatus{Phase: pod.Status.Phase, PodIP: pod.Status.PodIP},
	}
	for _, c := range pod.Status.Conditions {
		if c.Type == v1alpha1.AttachedGate || c.Type == corev1.PodReady {
			trimmed.Status.Conditions = append(trimmed.Status.Conditions, c)
		}
	}
	for _, c := range pod.Status.ContainerStatuses {
		trimmed.Status.ContainerStatuses = append(trimmed.Status.ContainerStatuses, corev1.ContainerStatus{
			Name: c.Name, ContainerID: c.ContainerID, RestartCount: c.RestartCount, State: c.State,
		})
	}
	for _, c := range pod.Status.InitContainerStatuses {
		trimmed.Status.InitContainerStatuses = append(trimmed.Status.InitContainerStatuses, corev1.ContainerStatus{
			Name: c.Name, State: c.State,
		})
	}
	return trimmed, nil
}

// podFacts is all of a pod that matters here; a change of anything else starts no pass.
type podFacts struct {
	plan.Pod

	// ended is true when no container of it will ever run again, as of an evicted pod.
	ended       bool
	containerID string
}

func factsOf(pod *corev1.Pod) podFacts {
	f := podFacts{Pod: plan.Pod{
		UID:      string(pod.UID),
		Deleting: pod.DeletionTimestamp != nil,
		Role:     v1alpha1.Role(pod.Labels[v1alpha1.LabelRole]),
	}}
	f.ended = pod.Status.Phase == corev1.PodFailed || pod.Status.Phase == corev1.PodSucceeded
	// The IP of a pod that has ended stays in its status and may belong to another pod by now.
	if !f.ended {
		f.IP = pod.Status.PodIP
	}
	ready := false
	for _, c := range pod.Status.Conditions {
		switch c.Type {
		case v1alpha1.AttachedGate:
			f.Attached = c.Status == corev1.ConditionTrue
		case corev1.PodReady:
			ready = c.Status == corev1.ConditionTrue
			f.ReadySince = c.LastTransitionTime.UTC().Truncate(time.Second)
		}
	}
	if f.Unready = f.Attached && !ready; !f.Attached || f.Unready {
		f.ReadySince = time.Time{}
	}
	for _, c := range pod.Status.ContainerStatuses {
		if c.Name == v1alpha1.ContainerKVRocks || c.Name == v1alpha1.ContainerSentinel {
			f.Running = c.State.Running != nil
			f.BackingOff = c.State.Waiting != nil && c.State.Waiting.Reason == reasonBackOff
			f.containerID = c.ContainerID
		}
	}
	for _, c := range pod.Status.InitContainerStatuses {
		if ended := c.State.Terminated; ended != nil && c.Name == v1alpha1.ContainerRecall {
			f.Saved = ended.Message
		}
	}
	return f
}

// podWriter writes the readiness gate and the role label, and deletes pods that are to be replaced.
type podWriter struct {
	pods    typedcorev1.PodsGetter
	overlay *overlay[*corev1.Pod]
	now     func() metav1.Time
}

// attach grants the gate to exactly the pod that was observed: neither a successor of the same name nor a later state of
// it, in which the process may be another.
func (w podWriter) attach(ctx context.Context, pod *corev1.Pod) error {
	return w.gate(ctx, pod, pod.ResourceVersion, corev1.PodCondition{
		Type: v1alpha1.AttachedGate, Status: corev1.ConditionTrue,
		Reason: reasonAttached, Message: "the node has its place in the instance",
	})
}

// detach withdraws the gate, whatever else has changed about the pod.
func (w podWriter) detach(ctx context.Context, pod *corev1.Pod, why string) error {
	return w.gate(ctx, pod, "", corev1.PodCondition{
		Type: v1alpha1.AttachedGate, Status: corev1.ConditionFalse, Reason: reasonDetached, Message: why,
	})
}

func (w podWriter) gate(ctx context.Context, pod *corev1.Pod, version string, c corev1.PodCondition) error {
	c.LastTransitionTime = w.now()
	return w.patch(ctx, pod, types.StrategicMergePatchType, podPatch{
		Metadata: patchMetadata{UID: pod.UID, ResourceVersion: version},
		Status:   &patchStatus{Conditions: []corev1.PodCondition{c}},
	}, "status")
}

// label sets the role label, or removes it when role is empty.
func (w podWriter) label(ctx context.Context, pod *corev1.Pod, role v1alpha1.Role) error {
	var value *string
	if role != "" {
		value = (*string)(&role)
	}
	return w.patch(ctx, pod, types.MergePatchType, podPatch{
		Metadata: patchMetadata{UID: pod.UID, Labels: map[string]*string{v1alpha1.LabelRole: value}},
	})
}

// delete ends the pod with the given UID, with the grace that it asks for. It fails with errGone when another has its name.
func (w podWriter) delete(ctx context.Context, pod *corev1.Pod, uid types.UID) error {
	api := w.pods.Pods(pod.Namespace)
	err := api.Delete(ctx, pod.Name, metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &uid}})
	if apierrors.IsConflict(err) || apierrors.IsNotFound(err) {
		return fmt.Errorf("delete pod %s: %w: %w", pod.Name, errGone, err)
	}
	if err != nil {
		return fmt.Errorf("delete pod %s: %w", pod.Name, err)
	}
	// The next pass must see that it is being deleted.
	left, err := api.Get(ctx, pod.Name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read pod %s: %w", pod.Name, err)
	}
	w.wrote(left)
	return nil
}

func (w podWriter) patch(
	ctx context.Context, pod *corev1.Pod, kind types.PatchType, patch podPatch, subresources ...string,
) error {
	body, err := json.Marshal(patch)
	if err != nil {
		return fmt.Errorf("encode the patch of pod %s: %w", pod.Name, err)
	}
	written, err := w.pods.Pods(pod.Namespace).Patch(ctx, pod.Name, kind, body, metav1.PatchOptions{}, subresources...)
	if apierrors.IsInvalid(err) { // another UID: the pod was replaced
		return fmt.Errorf("patch pod %s: %w: %w", pod.Name, errGone, err)
	}
	if err != nil {
		return fmt.Errorf("patch pod %s: %w", pod.Name, err)
	}
	w.wrote(written)
	return nil
}

func (w podWriter) wrote(pod *corev1.Pod) {
	trimmed, _ := trimPod(pod) // fails for nothing that is a pod
	w.overlay.wrote(trimmed.(*corev1.Pod))
}

// podPatch is the part of a pod that is written. A UID or version that is not the pod's makes the API server refuse it.
type podPatch struct {
	Metadata patchMetadata `json:"metadata"`
	Status   *patchStatus  `json:"status,omitempty"`
}

type patchMetadata struct {
	UID             types.UID          `json:"uid"`
	ResourceVersion string             `json:"resourceVersion,omitempty"`
	Labels          map[string]*string `json:"labels,omitempty"`
}

type patchStatus struct {
	Conditions []corev1.PodCondition `json:"conditions"`
}
