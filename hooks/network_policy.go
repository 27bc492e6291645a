package hooks

import (
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

// The sidecar's pods, in whatever namespace the operator is installed, and the namespaces that may read metrics, as in
// manifests/.
const (
	sidecarName  = "kvrocks-sidecar"
	metricsLabel = v1alpha1.Group + "/metrics"
)

// etcdPolicy returns the policy that keeps every other client away, as controllerPolicy does: etcd has no password, kvrocks-controller
// asks for none, and both give the nodes' password, and the cluster, to any client.
func (in clusterBuilder) etcdPolicy(selector map[string]string) child {
	return in.policy(etcdName(in.name), v1alpha1.ComponentEtcd, selector,
		allow(etcdClientPort, podsOf(in.selector(v1alpha1.ComponentController))),
		allow(etcdPeerPort, podsOf(selector)),
		allow(etcdMetricsPort, networkingv1.NetworkPolicyPeer{
			NamespaceSelector: selectorOf(map[string]string{metricsLabel: "true"}),
		}))
}

func (in clusterBuilder) controllerPolicy(selector map[string]string) child {
	return in.policy(controllerName(in.name), v1alpha1.ComponentController, selector,
		allow(v1alpha1.ControllerPort, networkingv1.NetworkPolicyPeer{
			NamespaceSelector: &metav1.LabelSelector{},
			PodSelector:       selectorOf(map[string]string{v1alpha1.LabelName: sidecarName}),
		}))
}

func (in clusterBuilder) policy(name, component string, selector map[string]string, rules ...networkingv1.NetworkPolicyIngressRule) child {
	policy := in.object("networking.k8s.io/v1", "NetworkPolicy", name, component)
	policy.Spec = networkingv1.NetworkPolicySpec{
		PodSelector: *selectorOf(selector),
		PolicyTypes: []networkingv1.PolicyType{networkingv1.PolicyTypeIngress},
		Ingress:     rules,
	}
	return policy
}

func allow(port int32, from networkingv1.NetworkPolicyPeer) networkingv1.NetworkPolicyIngressRule {
	tcp, number := corev1.ProtocolTCP, intstr.FromInt32(port)
	return networkingv1.NetworkPolicyIngressRule{
		From:  []networkingv1.NetworkPolicyPeer{from},
		Ports: []networkingv1.NetworkPolicyPort{{Protocol: &tcp, Port: &number}},
	}
}

// podsOf returns the pods of the instance's namespace.
func podsOf(labels map[string]string) networkingv1.NetworkPolicyPeer {
	return networkingv1.NetworkPolicyPeer{PodSelector: selectorOf(labels)}
}
