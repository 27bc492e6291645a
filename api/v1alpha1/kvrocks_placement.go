package v1alpha1

import corev1 "k8s.io/api/core/v1"

// Placement says where the pods of a component run. A field that is left out is as for the data nodes (spec.nodeSelector, …), as
// far as that is about nodes: rules about other pods are not inherited. An empty field ({} or []) means none.
type Placement struct {
	// NodeSelector of the component's pods.
	// +optional
	NodeSelector map[string]string `json:"nodeSelector,omitempty"`
	// Tolerations of the component's pods.
	// +optional
	// +kubebuilder:validation:MaxItems=64
	Tolerations []corev1.Toleration `json:"tolerations,omitempty"`
	// Affinity of the component's pods. Without podAntiAffinity they prefer different nodes; {podAntiAffinity: {}} turns that off.
	// +optional
	Affinity *corev1.Affinity `json:"affinity,omitempty"`
	// TopologySpreadConstraints of the component's pods; a constraint without a labelSelector gets that of the component.
	// +optional
	// +kubebuilder:validation:MaxItems=16
	TopologySpreadConstraints []corev1.TopologySpreadConstraint `json:"topologySpreadConstraints,omitempty"`
	// PriorityClassName of the component's pods.
	// +optional
	// +kubebuilder:validation:MaxLength=253
	PriorityClassName string `json:"priorityClassName,omitempty"`
}
