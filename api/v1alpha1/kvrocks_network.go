package v1alpha1

import networkingv1 "k8s.io/api/networking/v1"

// Network says who reaches the pods of an instance, where the network plugin of the Kubernetes cluster enforces NetworkPolicies.
type Network struct {
	// AllowFrom lists who reaches the ports of the data pods, or of the sentinels, as in the from of a NetworkPolicy. The instance's own pods, the
	// sentinels that watch it and the operator's sidecar reach them in any case. Default: everyone. Ports that no container of a pod declares are
	// closed to all.
	// +optional
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:XValidation:rule="self.all(p, has(p.ipBlock) != (has(p.podSelector) || has(p.namespaceSelector)))",message="each entry of spec.network.allowFrom must hold either ipBlock, or podSelector and namespaceSelector, or one of these two"
	AllowFrom []networkingv1.NetworkPolicyPeer `json:"allowFrom,omitempty"`
}
