// Package kubetest makes the objects that the tests of packages kube and reconcile share.
package kubetest

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

// Namespace is that of the objects.
const Namespace = "ns"

// DataPod returns the pod of a data node that runs, not yet attached and without a role.
func DataPod(instance string, ordinal int) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: Namespace, Name: fmt.Sprintf("%s-%d", instance, ordinal),
			UID: types.UID(fmt.Sprintf("uid-%s-%d", instance, ordinal)), ResourceVersion: "100",
			Labels: map[string]string{
				v1alpha1.LabelInstance: instance, v1alpha1.LabelComponent: v1alpha1.ComponentData,
				v1alpha1.LabelManagedBy: v1alpha1.ManagedByValue,
			},
		},
		Status: corev1.PodStatus{
			Phase: corev1.PodRunning, PodIP: fmt.Sprintf("10.0.%d.%d", len(instance), ordinal),
			ContainerStatuses: []corev1.ContainerStatus{{
				Name: v1alpha1.ContainerKVRocks, State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{}},
			}},
		},
	}
}
