package reconcile

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/tools/record"

	"github.com/kvrocks/kvrocks-operator/sidecar/plan"
)

// recorder emits events through client-go, which sends them in the background and folds repetitions.
type recorder struct{ record.EventRecorder }

func (r recorder) emit(on *corev1.ObjectReference, e plan.Event) {
	kind := corev1.EventTypeNormal
	if e.Warning {
		kind = corev1.EventTypeWarning
	}
	r.Event(on, kind, e.Reason, e.Message)
}
