package kube

import (
	"context"
	"encoding/json"
	"errors"
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

// ErrGone is an action on a pod, or on what runs in it, that went away after it was observed.
var ErrGone = errors.New("it is gone")

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

// PodFacts is all of a pod that matters here; a change of anything else starts no pass.
type PodFacts struct {
	plan.Pod

	// Ended is true when no container of it will ever run again, as of an evicted pod.
	Ended       bool
	containerID string
}

// FactsOf returns what matters of a pod.
func FactsOf(pod *corev1.Pod) PodFacts {
	f := PodFacts{Pod: plan.Pod{
		UID:      string(pod.UID),
		Deleting: pod.DeletionTimestamp != nil,
		Role:     v1alpha1.Role(pod.Labels[v1alpha1.LabelRole]),
	}}
	f.Ended = pod.Status.Phase == corev1.PodFailed || pod.Status.Phase == corev1.PodSucceeded
	// The IP of a pod that has ended stays in its status and may belong to another pod by now.
	if !f.Ended {
		f.IP = pod.Status.PodIP
	}
	f.noteConditions(pod.Status.Conditions)
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

// noteConditions takes from the conditions of a pod whether it has its place, and since when it is Ready.
func (f *PodFacts) noteConditions(conditions []corev1.PodCondition) {
	ready := false
	for _, c := range conditions {
		if c.Type == v1alpha1.AttachedGate {
			f.Attached = c.Status == corev1.ConditionTrue
		}
		if c.Type == corev1.PodReady {
			ready = c.Status == corev1.ConditionTrue
			f.ReadySince = c.LastTransitionTime.UTC().Truncate(time.Second)
		}
	}
	if f.Unready = f.Attached && !ready; !f.Attached || f.Unready {
		f.ReadySince = time.Time{}
	}
}

// PodWriter writes the readiness gate and the role label, and deletes pods that are to be replaced.
type PodWriter struct {
	pods    typedcorev1.PodsGetter
	written *overlay[*corev1.Pod]
	now     func() time.Time
}

// NewPodWriter makes a PodWriter; now is the time of a change of the gate.
func NewPodWriter(pods typedcorev1.PodsGetter, now func() time.Time) *PodWriter {
	return &PodWriter{pods: pods, written: newOverlay[*corev1.Pod](), now: now}
}

// Newest returns the pod as this process last wrote it, when that is newer than the given one.
func (w *PodWriter) Newest(pod *corev1.Pod) *corev1.Pod { return w.written.newest(pod) }

// Attach grants the gate to exactly the pod that was observed: neither a successor of the same name nor a later state of
// it, in which the process may be another.
func (w *PodWriter) Attach(ctx context.Context, pod *corev1.Pod) error {
	return w.gate(ctx, pod, pod.ResourceVersion, corev1.PodCondition{
		Type: v1alpha1.AttachedGate, Status: corev1.ConditionTrue,
		Reason: reasonAttached, Message: "the node has its place in the instance",
	})
}

// Detach withdraws the gate, whatever else has changed about the pod.
func (w *PodWriter) Detach(ctx context.Context, pod *corev1.Pod, why string) error {
	return w.gate(ctx, pod, "", corev1.PodCondition{
		Type: v1alpha1.AttachedGate, Status: corev1.ConditionFalse, Reason: reasonDetached, Message: why,
	})
}

func (w *PodWriter) gate(ctx context.Context, pod *corev1.Pod, version string, c corev1.PodCondition) error {
	c.LastTransitionTime = metav1.NewTime(w.now())
	return w.patch(ctx, pod, types.StrategicMergePatchType, podPatch{
		Metadata: patchMetadata{UID: pod.UID, ResourceVersion: version},
		Status:   &patchStatus{Conditions: []corev1.PodCondition{c}},
	}, "status")
}

// Label sets the role label, or removes it when role is empty.
func (w *PodWriter) Label(ctx context.Context, pod *corev1.Pod, role v1alpha1.Role) error {
	var value *string
	if role != "" {
		value = (*string)(&role)
	}
	return w.patch(ctx, pod, types.MergePatchType, podPatch{
		Metadata: patchMetadata{UID: pod.UID, Labels: map[string]*string{v1alpha1.LabelRole: value}},
	})
}

// Delete ends the pod with the given UID, with the grace that it asks for. It fails with ErrGone when another has its name.
func (w *PodWriter) Delete(ctx context.Context, pod *corev1.Pod, uid types.UID) error {
	api := w.pods.Pods(pod.Namespace)
	err := api.Delete(ctx, pod.Name, metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &uid}})
	if apierrors.IsConflict(err) || apierrors.IsNotFound(err) {
		return fmt.Errorf("delete pod %s: %w: %w", pod.Name, ErrGone, err)
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

func (w *PodWriter) patch(
	ctx context.Context, pod *corev1.Pod, kind types.PatchType, patch podPatch, subresources ...string,
) error {
	body, err := json.Marshal(patch)
	if err != nil {
		return fmt.Errorf("encode the patch of pod %s: %w", pod.Name, err)
	}
	written, err := w.pods.Pods(pod.Namespace).Patch(ctx, pod.Name, kind, body, metav1.PatchOptions{}, subresources...)
	if apierrors.IsInvalid(err) { // another UID: the pod was replaced
		return fmt.Errorf("patch pod %s: %w: %w", pod.Name, ErrGone, err)
	}
	if err != nil {
		return fmt.Errorf("patch pod %s: %w", pod.Name, err)
	}
	w.wrote(written)
	return nil
}

func (w *PodWriter) wrote(pod *corev1.Pod) {
	trimmed, _ := trimPod(pod) // fails for nothing that is a pod
	w.written.wrote(trimmed.(*corev1.Pod))
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
