package hooks

import (
	"maps"

	corev1 "k8s.io/api/core/v1"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

// sessionSeconds is how long sessionAffinity lasts: the default of Kubernetes. It is declared so that it goes when the affinity
// goes; a Service that keeps it without affinity is refused.
const sessionSeconds = 10800

// forClients returns a Service with what spec.service says. One without an address gets what is not about addresses.
func (in builder) forClients(service child) child {
	options := in.spec.Service
	if options == nil {
		return service
	}
	maps.Copy(service.Metadata.Labels, options.Labels)
	if len(options.Annotations) > 0 {
		service.Metadata.Annotations = maps.Clone(options.Annotations)
	}
	spec := service.Spec.(corev1.ServiceSpec)
	if options.AppProtocol != "" {
		for i := range spec.Ports {
			spec.Ports[i].AppProtocol = &options.AppProtocol
		}
	}
	if spec.ClusterIP != corev1.ClusterIPNone {
		spec.Type, spec.ExternalTrafficPolicy = options.Type, options.ExternalTrafficPolicy
		if options.InternalTrafficPolicy != "" {
			spec.InternalTrafficPolicy = &options.InternalTrafficPolicy
		}
		spec.LoadBalancerSourceRanges = options.LoadBalancerSourceRanges
		if options.LoadBalancerClass != "" {
			spec.LoadBalancerClass = &options.LoadBalancerClass
		}
		spec.SessionAffinity = options.SessionAffinity
		if options.SessionAffinity == corev1.ServiceAffinityClientIP {
			seconds := int32(sessionSeconds)
			spec.SessionAffinityConfig = &corev1.SessionAffinityConfig{ClientIP: &corev1.ClientIPConfig{TimeoutSeconds: &seconds}}
		}
	}
	service.Spec = spec
	return service
}

// clientService returns the observed Service with an address that clients use; nil when there is none.
func (in *instance) clientService() *corev1.Service {
	switch in.spec.Type {
	case v1alpha1.TypeStandard:
		return in.children.Services[in.key(masterName(in.name))]
	case v1alpha1.TypeSentinel:
		return in.children.Services[in.key(in.name)]
	default:
		return nil
	}
}
