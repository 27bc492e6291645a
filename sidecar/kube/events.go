package kube

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/tools/record"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan"
)

// Recorder emits events through client-go, which sends them in the background and folds repetitions.
type Recorder struct {
	recorder    record.EventRecorder
	broadcaster record.EventBroadcaster
}

// NewRecorder makes a Recorder that works until ctx ends or it is closed; component is the source of its events.
func NewRecorder(ctx context.Context, client kubernetes.Interface, component string) *Recorder {
	b := record.NewBroadcaster(record.WithContext(ctx))
	b.StartRecordingToSink(&typedcorev1.EventSinkImpl{Interface: client.CoreV1().Events("")})
	return &Recorder{recorder: b.NewRecorder(scheme.Scheme, corev1.EventSource{Component: component}), broadcaster: b}
}

// Close ends it.
func (r *Recorder) Close() { r.broadcaster.Shutdown() }

// Emit emits an event on the KVRocks that the topology belongs to.
func (r *Recorder) Emit(t *v1alpha1.KVRocksTopology, e plan.Event) {
	kind := corev1.EventTypeNormal
	if e.Warning {
		kind = corev1.EventTypeWarning
	}
	r.recorder.Event(ownerOf(t), kind, e.Reason, e.Message)
}

// ownerOf refers to the KVRocks that the topology belongs to, or to the topology itself when it has no owner.
func ownerOf(t *v1alpha1.KVRocksTopology) *corev1.ObjectReference {
	ref := &corev1.ObjectReference{
		APIVersion: v1alpha1.GroupVersion().String(), Kind: "KVRocksTopology",
		Namespace: t.Namespace, Name: t.Name, UID: t.UID,
	}
	for _, owner := range t.OwnerReferences {
		if owner.Kind == "KVRocks" {
			ref.APIVersion, ref.Kind, ref.Name, ref.UID = owner.APIVersion, owner.Kind, owner.Name, owner.UID
		}
	}
	return ref
}
