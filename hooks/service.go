package hooks

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

// service selects pods of the instance by selector and forwards its port.
func (in builder) service(name, component, portName string, selector map[string]string) child {
	service := in.object("v1", "Service", name, component)
	service.Spec = corev1.ServiceSpec{
		Selector: selector, Ports: []corev1.ServicePort{servicePort(portName, in.spec.Port())},
	}
	return service
}

func servicePort(name string, port int32) corev1.ServicePort {
	return corev1.ServicePort{
		Name: name, Port: port, Protocol: corev1.ProtocolTCP,
		// Always set: 0 would differ from the default of the API on every sync.
		TargetPort: intstr.FromInt32(port),
	}
}

// headlessService names every attached pod of the instance.
func (in builder) headlessService() child {
	service := in.service(in.name, v1alpha1.ComponentData, portName, in.selector(v1alpha1.ComponentData))
	spec := service.Spec.(corev1.ServiceSpec)
	spec.ClusterIP = corev1.ClusterIPNone
	service.Spec = spec
	return service
}

// roleService selects the pods whose role the sidecar has proved.
func (in builder) roleService(name string, role v1alpha1.Role) child {
	selector := in.selector(v1alpha1.ComponentData)
	selector[v1alpha1.LabelRole] = string(role)
	return in.service(name, v1alpha1.ComponentData, portName, selector)
}

// podService gives one pod an address that it keeps. It has no endpoint until the pod is attached.
func (in builder) podService(s shard, ordinal int32) child {
	pod := podName(s.name, ordinal)
	selector := in.selector(v1alpha1.ComponentData)
	selector[labelPodName] = pod
	service := in.service(pod, v1alpha1.ComponentData, portName, selector)
	service.Metadata.Labels[v1alpha1.LabelShard] = s.label()
	return service
}

// sentinelService selects the sentinels.
func (in builder) sentinelService() child {
	return in.service(in.name, v1alpha1.ComponentSentinel, "sentinel", in.selector(v1alpha1.ComponentSentinel))
}

const portName = "kvrocks"
