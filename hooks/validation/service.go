package validation

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apimachinery "k8s.io/apimachinery/pkg/util/validation"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

// checkService refuses what no Service can be, and labels and annotations that the operator uses.
func (c checker) checkService() string {
	options := c.spec.Service
	if options == nil {
		return ""
	}
	if problem := checkServiceMetadata(options); problem != "" {
		return problem
	}
	if problem := c.checkServiceType(options); problem != "" {
		return problem
	}
	for _, text := range options.LoadBalancerSourceRanges {
		if _, err := netip.ParsePrefix(text); err != nil {
			return fmt.Sprintf("spec.service.loadBalancerSourceRanges holds %q, which is no range of addresses; write for example 192.0.2.0/24", text)
		}
	}
	return ""
}

func (c checker) checkServiceType(options *v1alpha1.ServiceOptions) string {
	balanced := options.Type == corev1.ServiceTypeLoadBalancer
	switch {
	case c.spec.Type == v1alpha1.TypeCluster && addressed(options):
		return "clients of a cluster reach each node at its own address, and its Service has none; leave spec.service.type, sessionAffinity and internalTrafficPolicy out (labels, annotations and appProtocol may stay)"
	case !slices.Contains([]corev1.ServiceType{"", corev1.ServiceTypeClusterIP, corev1.ServiceTypeNodePort, corev1.ServiceTypeLoadBalancer}, options.Type):
		return fmt.Sprintf("spec.service.type is %q; write ClusterIP, NodePort or LoadBalancer", options.Type)
	case !balanced && (options.LoadBalancerClass != "" || len(options.LoadBalancerSourceRanges) > 0):
		return "spec.service.loadBalancerClass and loadBalancerSourceRanges are for load balancers; leave them out, or write type: LoadBalancer"
	case options.ExternalTrafficPolicy != "" && !balanced && options.Type != corev1.ServiceTypeNodePort:
		return "spec.service.externalTrafficPolicy is for traffic from outside; leave it out, or write type: LoadBalancer or type: NodePort"
	case balanced && c.anotherClass(options.LoadBalancerClass):
		return "spec.service.loadBalancerClass cannot be changed while the type is LoadBalancer; write type: ClusterIP first, and then the type with the wanted class"
	}
	return ""
}

// addressed reports whether options are about a Service with an address of its own.
func addressed(options *v1alpha1.ServiceOptions) bool {
	return options.Type != "" && options.Type != corev1.ServiceTypeClusterIP || options.SessionAffinity != "" || options.InternalTrafficPolicy != ""
}

// anotherClass reports whether a load balancer of another class serves the instance. Where the spec names none, the platform chose.
func (c checker) anotherClass(class string) bool {
	seen := c.observed.ClientService
	if class == "" || seen == nil || seen.Spec.Type != corev1.ServiceTypeLoadBalancer {
		return false
	}
	return seen.Spec.LoadBalancerClass == nil || *seen.Spec.LoadBalancerClass != class
}

func checkServiceMetadata(options *v1alpha1.ServiceOptions) string {
	for _, key := range slices.Sorted(maps.Keys(options.Labels)) {
		value := options.Labels[key]
		switch {
		case operatorsName(key) || slices.Contains(operatorsLabels(), key):
			return "spec.service.labels must not set a label that the operator uses (app.kubernetes.io/name, instance, component, managed-by, controller-uid, or one of kvrocks.apache.org/ or metacontroller.k8s.io/); choose another name"
		case len(apimachinery.IsQualifiedName(key)) > 0 || len(apimachinery.IsValidLabelValue(value)) > 0:
			return fmt.Sprintf("spec.service.labels holds %q: %q, which is no label; write letters, digits, '-', '_' and '.', at most 63", key, value)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(options.Annotations)) {
		switch {
		case operatorsName(key):
			return "spec.service.annotations must not set an annotation of kvrocks.apache.org/ or metacontroller.k8s.io/, which the operator uses; choose another name"
		case len(apimachinery.IsQualifiedName(strings.ToLower(key))) > 0:
			return fmt.Sprintf("spec.service.annotations holds %q, which is no name of an annotation; write for example example.org/name", key)
		}
	}
	return ""
}

// operatorsName reports whether a label or an annotation has a prefix that is the operator's or Metacontroller's.
func operatorsName(key string) bool {
	return strings.HasPrefix(key, v1alpha1.Group+"/") || strings.HasPrefix(key, "metacontroller.k8s.io/")
}

// operatorsLabels are those of children without such a prefix. Metacontroller knows children by the last.
func operatorsLabels() []string {
	return []string{v1alpha1.LabelName, v1alpha1.LabelInstance, v1alpha1.LabelComponent, v1alpha1.LabelManagedBy, "controller-uid"}
}
