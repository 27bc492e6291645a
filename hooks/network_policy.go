package hooks

import (
	"cmp"
	"slices"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

// The sidecar's pods, and the namespaces that may read metrics, as in manifests/.
const (
	sidecarName  = "kvrocks-sidecar"
	metricsLabel = v1alpha1.Group + "/metrics"
)

// dataPolicy closes every port of the data pods but those that their containers declare. Those are open to everyone, or, with
// spec.network.allowFrom, to what that lists and to those without which the instance does not work: its own pods, the sentinels that watch
// it, and the sidecar.
func (in builder) dataPolicy(pods *corev1.PodSpec) child {
	peers := []networkingv1.NetworkPolicyPeer{podsOf(in.selector(v1alpha1.ComponentData))}
	if in.spec.Type == v1alpha1.TypeCluster {
		peers = append(peers, podsOf(in.selector(v1alpha1.ComponentController)))
	}
	if sentinels := in.cr.MonitoredBy(); sentinels != "" {
		peers = append(peers, podsOf(selectorFor(sentinels, v1alpha1.ComponentSentinel)))
	}
	return in.servingPolicy(v1alpha1.ComponentData, pods, peers)
}

// sentinelPolicy does so for the pods of a sentinel instance.
func (in builder) sentinelPolicy(pods *corev1.PodSpec) child {
	return in.servingPolicy(v1alpha1.ComponentSentinel, pods, []networkingv1.NetworkPolicyPeer{podsOf(in.selector(v1alpha1.ComponentSentinel))})
}

func (in builder) servingPolicy(component string, pods *corev1.PodSpec, own []networkingv1.NetworkPolicyPeer) child {
	var from []networkingv1.NetworkPolicyPeer // none means everyone
	if n := in.spec.Network; n != nil && len(n.AllowFrom) > 0 {
		from = append(append(append(from, n.AllowFrom...), own...), in.sidecar())
	}
	return in.policy(in.name, component, in.selector(component), networkingv1.NetworkPolicyIngressRule{From: from, Ports: declaredPorts(pods)})
}

// declaredPorts returns the ports that the containers of a pod declare, in their order, each once.
func declaredPorts(pods *corev1.PodSpec) []networkingv1.NetworkPolicyPort {
	var all []corev1.ContainerPort
	for _, list := range [][]corev1.Container{pods.Containers, pods.InitContainers} {
		for i := range list {
			for _, p := range list[i].Ports {
				all = append(all, corev1.ContainerPort{ContainerPort: p.ContainerPort, Protocol: cmp.Or(p.Protocol, corev1.ProtocolTCP)})
			}
		}
	}
	slices.SortFunc(all, func(a, b corev1.ContainerPort) int {
		return cmp.Or(cmp.Compare(a.ContainerPort, b.ContainerPort), cmp.Compare(a.Protocol, b.Protocol))
	})
	all = slices.Compact(all)
	ports := make([]networkingv1.NetworkPolicyPort, len(all))
	for i, p := range all {
		ports[i] = networkingv1.NetworkPolicyPort{Protocol: new(p.Protocol), Port: new(intstr.FromInt32(p.ContainerPort))}
	}
	return ports
}

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
	return in.policy(controllerName(in.name), v1alpha1.ComponentController, selector, allow(v1alpha1.ControllerPort, in.sidecar()))
}

// sidecar returns the pods of the sidecar: those of the operator's namespace alone, since anyone may label pods in another. Where that is not
// known they are taken from all.
func (in *instance) sidecar() networkingv1.NetworkPolicyPeer {
	namespaces := &metav1.LabelSelector{}
	if in.operatorNamespace != "" {
		namespaces = selectorOf(map[string]string{corev1.LabelMetadataName: in.operatorNamespace})
	}
	return networkingv1.NetworkPolicyPeer{
		NamespaceSelector: namespaces,
		PodSelector:       selectorOf(map[string]string{v1alpha1.LabelName: sidecarName}),
	}
}

func (in builder) policy(name, component string, selector map[string]string, rules ...networkingv1.NetworkPolicyIngressRule) child {
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
