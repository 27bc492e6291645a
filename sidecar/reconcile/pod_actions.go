package reconcile

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kvrocks/kvrocks-operator/sidecar/kube"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/action"
)

// toPod carries out an action on a pod.
func (p *applier) toPod(ctx context.Context, a action.Action) (known bool, err error) {
	switch a := a.(type) {
	case action.Attach:
		p.keepClients(a.Pod)
		return true, p.onPod(a.Pod, func(pod *corev1.Pod) error { return p.podWriter.Attach(ctx, pod) })
	case action.Detach:
		return true, p.onPod(a.Pod, func(pod *corev1.Pod) error { return p.podWriter.Detach(ctx, pod, a.Reason) })
	case action.Label:
		return true, p.onPod(a.Pod, func(pod *corev1.Pod) error { return p.podWriter.Label(ctx, pod, a.Role) })
	case action.DeletePod:
		return true, p.onPod(a.Pod, func(pod *corev1.Pod) error { return p.podWriter.Delete(ctx, pod, types.UID(a.UID)) })
	}
	return false, nil
}

// onPod runs f with the pod as it was observed, or as this pass wrote it.
func (p *applier) onPod(name string, f func(*corev1.Pod) error) error {
	pod := p.pods[name]
	if pod == nil {
		return fmt.Errorf("pod %s: %w", name, kube.ErrGone)
	}
	return f(p.podWriter.Newest(pod))
}
