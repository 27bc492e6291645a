package v1alpha1

import corev1 "k8s.io/api/core/v1"

// ServiceOptions says how clients reach an instance: <name>-master and <name>-replicas of a standard instance, <name> of sentinels. The
// Service <name> of a standard instance and of a cluster lists the pods and has no address of its own: it takes labels, annotations and
// appProtocol. The Services of single pods are the operator's. A change is live: no pod and no ClusterIP changes.
//
// +kubebuilder:validation:XValidation:rule="(has(self.type) && self.type == 'LoadBalancer') || (!has(self.loadBalancerClass) && !has(self.loadBalancerSourceRanges))",message="spec.service.loadBalancerClass and loadBalancerSourceRanges are for load balancers; leave them out, or write type: LoadBalancer"
// +kubebuilder:validation:XValidation:rule="!has(self.externalTrafficPolicy) || (has(self.type) && self.type != 'ClusterIP')",message="spec.service.externalTrafficPolicy is for traffic from outside; leave it out, or write type: LoadBalancer or type: NodePort"
// +kubebuilder:validation:XValidation:rule="!(has(self.type) && self.type == 'LoadBalancer' && has(oldSelf.type) && oldSelf.type == 'LoadBalancer') || (has(self.loadBalancerClass) == has(oldSelf.loadBalancerClass) && (!has(self.loadBalancerClass) || self.loadBalancerClass == oldSelf.loadBalancerClass))",message="spec.service.loadBalancerClass cannot be changed while the type is LoadBalancer; write type: ClusterIP first, and then the type with the wanted class"
type ServiceOptions struct {
	// Type of the Services: ClusterIP (the default), NodePort or LoadBalancer. Not for a cluster, whose clients reach each node at its own
	// address.
	// +optional
	// +kubebuilder:validation:Enum=ClusterIP;NodePort;LoadBalancer
	Type corev1.ServiceType `json:"type,omitempty"`

	// Labels of the Services, besides those of the operator.
	// +optional
	// +kubebuilder:validation:MaxProperties=64
	// +kubebuilder:validation:XValidation:rule="self.all(k, !k.startsWith('kvrocks.apache.org/') && !k.startsWith('metacontroller.k8s.io/') && !(k in ['app.kubernetes.io/name', 'app.kubernetes.io/instance', 'app.kubernetes.io/component', 'app.kubernetes.io/managed-by', 'controller-uid']))",message="spec.service.labels must not set a label that the operator uses (app.kubernetes.io/name, instance, component, managed-by, controller-uid, or one of kvrocks.apache.org/ or metacontroller.k8s.io/); choose another name"
	Labels map[string]string `json:"labels,omitempty"`

	// Annotations of the Services, for example what a load balancer of the platform reads.
	// +optional
	// +kubebuilder:validation:MaxProperties=64
	// +kubebuilder:validation:XValidation:rule="self.all(k, !k.startsWith('kvrocks.apache.org/') && !k.startsWith('metacontroller.k8s.io/'))",message="spec.service.annotations must not set an annotation of kvrocks.apache.org/ or metacontroller.k8s.io/, which the operator uses; choose another name"
	Annotations map[string]string `json:"annotations,omitempty"`

	// LoadBalancerClass says which load balancer serves a Service of type LoadBalancer. Default: that of the platform.
	// +optional
	// +kubebuilder:validation:MaxLength=253
	LoadBalancerClass string `json:"loadBalancerClass,omitempty"`

	// LoadBalancerSourceRanges are the addresses, as 192.0.2.0/24, that a load balancer admits, if the platform can do that. Default: all.
	// +optional
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MaxLength=64
	// +kubebuilder:validation:items:Pattern=`^[0-9a-fA-F.:]+/[0-9]{1,3}$`
	LoadBalancerSourceRanges []string `json:"loadBalancerSourceRanges,omitempty"`

	// ExternalTrafficPolicy of type NodePort or LoadBalancer. Local keeps the client's address, and only machines with a pod of the Service
	// take traffic. Default: Cluster.
	// +optional
	// +kubebuilder:validation:Enum=Cluster;Local
	ExternalTrafficPolicy corev1.ServiceExternalTrafficPolicy `json:"externalTrafficPolicy,omitempty"`

	// InternalTrafficPolicy of traffic from pods. With Local a machine without a pod of the Service reaches none. Default: Cluster.
	// +optional
	// +kubebuilder:validation:Enum=Cluster;Local
	InternalTrafficPolicy corev1.ServiceInternalTrafficPolicy `json:"internalTrafficPolicy,omitempty"`

	// SessionAffinity ClientIP sends the connections of a client to the same pod for three hours. Default: None.
	// +optional
	// +kubebuilder:validation:Enum=None;ClientIP
	SessionAffinity corev1.ServiceAffinity `json:"sessionAffinity,omitempty"`

	// AppProtocol of the port, for a service mesh or a gateway, such as redis.
	// +optional
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9]([-A-Za-z0-9_./]*[A-Za-z0-9])?$`
	AppProtocol string `json:"appProtocol,omitempty"`
}
