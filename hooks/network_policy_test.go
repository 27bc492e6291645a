package hooks

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

// endpoint is a pod as a NetworkPolicy sees it.
type endpoint struct {
	namespace string
	labels    labels.Set
}

func ofInstance(namespace, instance, component string) endpoint {
	return endpoint{namespace, labels.Set{
		v1alpha1.LabelInstance: instance, v1alpha1.LabelComponent: component, v1alpha1.LabelManagedBy: v1alpha1.ManagedByValue,
	}}
}

func sidecarIn(namespace string) endpoint {
	return endpoint{namespace, labels.Set{v1alpha1.LabelName: "kvrocks-sidecar"}}
}

// reaches reports whether the policies of a world let a pod connect to a port of another, as a network plugin would.
func (w *world) reaches(from, to endpoint, port int) bool {
	isolated := false
	for _, policy := range w.seen.NetworkPolicies {
		if policy.Namespace != to.namespace || !matches(w.t, &policy.Spec.PodSelector, to.labels) {
			continue
		}
		isolated = true
		for i := range policy.Spec.Ingress {
			if rule := &policy.Spec.Ingress[i]; opens(rule, port) && w.admits(rule, policy.Namespace, from) {
				return true
			}
		}
	}
	return !isolated
}

func opens(rule *networkingv1.NetworkPolicyIngressRule, port int) bool {
	for i := range rule.Ports {
		if rule.Ports[i].Port.IntValue() == port {
			return true
		}
	}
	return len(rule.Ports) == 0
}

func (w *world) admits(rule *networkingv1.NetworkPolicyIngressRule, namespace string, from endpoint) bool {
	for i := range rule.From {
		p := &rule.From[i]
		sameNamespace := p.NamespaceSelector == nil && from.namespace == namespace ||
			p.NamespaceSelector != nil && matches(w.t, p.NamespaceSelector, labels.Set{"kubernetes.io/metadata.name": from.namespace})
		if p.IPBlock == nil && sameNamespace && (p.PodSelector == nil || matches(w.t, p.PodSelector, from.labels)) {
			return true
		}
	}
	return len(rule.From) == 0
}

func matches(t testing.TB, selector *metav1.LabelSelector, set labels.Set) bool {
	t.Helper()
	s, err := metav1.LabelSelectorAsSelector(selector)
	require.NoError(t, err)
	return s.Matches(set)
}

func TestWhoReachesThePods(t *testing.T) {
	stranger := endpoint{"elsewhere", labels.Set{"app": "report"}}
	shop := endpoint{"shop", labels.Set{"app": "till"}}
	operator := sidecarIn("kvrocks-system")
	only := &v1alpha1.Network{AllowFrom: []networkingv1.NetworkPolicyPeer{{PodSelector: selectorOf(map[string]string{"app": "till"})}}}
	for name, c := range map[string]struct {
		example string
		network *v1alpha1.Network
		label   string // the sentinels
		from    endpoint
		to      string
		port    int
		want    bool
	}{
		"the port of the data is open to everyone":       {from: stranger, to: v1alpha1.ComponentData, port: 6379, want: true},
		"others are closed":                              {from: stranger, to: v1alpha1.ComponentData, port: 6380},
		"also to the instance's own pods":                {from: ofInstance("shop", "demo", v1alpha1.ComponentData), to: v1alpha1.ComponentData, port: 22},
		"allowFrom closes it to others":                  {network: only, from: stranger, to: v1alpha1.ComponentData, port: 6379},
		"and opens it to those that it lists":            {network: only, from: shop, to: v1alpha1.ComponentData, port: 6379, want: true},
		"in its own namespace":                           {network: only, from: endpoint{"elsewhere", shop.labels}, to: v1alpha1.ComponentData, port: 6379},
		"replicas reach their master":                    {network: only, from: ofInstance("shop", "demo", v1alpha1.ComponentData), to: v1alpha1.ComponentData, port: 6379, want: true},
		"pods of another instance do not":                {network: only, from: ofInstance("shop", "other", v1alpha1.ComponentData), to: v1alpha1.ComponentData, port: 6379},
		"the sidecar does":                               {network: only, from: operator, to: v1alpha1.ComponentData, port: 6379, want: true},
		"a pod that is labelled as the sidecar does not": {network: only, from: sidecarIn("elsewhere"), to: v1alpha1.ComponentData, port: 6379},
		"sentinels reach what they watch":                {network: only, label: "watch", from: ofInstance("shop", "watch", v1alpha1.ComponentSentinel), to: v1alpha1.ComponentData, port: 6379, want: true},
		"other sentinels do not":                         {network: only, label: "watch", from: ofInstance("shop", "guards", v1alpha1.ComponentSentinel), to: v1alpha1.ComponentData, port: 6379},
		"sentinels are open to clients":                  {example: "sentinel-minimal.yaml", from: stranger, to: v1alpha1.ComponentSentinel, port: 26379, want: true},
		"but not with allowFrom":                         {example: "sentinel-minimal.yaml", network: only, from: stranger, to: v1alpha1.ComponentSentinel, port: 26379},
		"sentinels reach each other":                     {example: "sentinel-minimal.yaml", network: only, from: ofInstance("shop", "sentinel", v1alpha1.ComponentSentinel), to: v1alpha1.ComponentSentinel, port: 26379, want: true},
		"kvrocks-controller reaches the nodes":           {example: "cluster-minimal.yaml", network: only, from: ofInstance("shop", "shards", v1alpha1.ComponentController), to: v1alpha1.ComponentData, port: 6379, want: true},
		"nodes of every shard reach each other":          {example: "cluster-minimal.yaml", network: only, from: ofInstance("shop", "shards", v1alpha1.ComponentData), to: v1alpha1.ComponentData, port: 6379, want: true},
		"kvrocks-controller is closed to clients":        {example: "cluster-minimal.yaml", from: shop, to: v1alpha1.ComponentController, port: 9379},
		"but not to the sidecar":                         {example: "cluster-minimal.yaml", from: operator, to: v1alpha1.ComponentController, port: 9379, want: true},
		"to the one of the operator's namespace alone":   {example: "cluster-minimal.yaml", from: sidecarIn("shop"), to: v1alpha1.ComponentController, port: 9379},
		"etcd is closed to all but kvrocks-controller":   {example: "cluster-minimal.yaml", from: operator, to: v1alpha1.ComponentEtcd, port: 2379},
		"a port of an added container is open":           {example: "standard-exporter.yaml", from: stranger, to: v1alpha1.ComponentData, port: 9121, want: true},
		"and closed with allowFrom":                      {example: "standard-exporter.yaml", network: only, from: stranger, to: v1alpha1.ComponentData, port: 9121},
	} {
		t.Run(name, func(t *testing.T) {
			file := c.example
			if file == "" {
				file = "standard-minimal.yaml"
			}
			cr := example(t, file)
			cr.Spec.Network = c.network
			if c.label != "" {
				cr.Labels = map[string]string{v1alpha1.LabelMonitoredBy: c.label}
			}
			w := newWorld(t, cr)
			w.operator = operator.namespace
			w.settle()
			assert.Equal(t, c.want, w.reaches(c.from, ofInstance("shop", cr.Name, c.to), c.port))
		})
	}
}

// Without the namespace, as where an older manifest runs the hooks, nothing is shut out.
func TestWhereTheOperatorsNamespaceIsNotKnownTheSidecarOfAnyIsAdmitted(t *testing.T) {
	w := settled(t, example(t, "cluster-minimal.yaml"))
	assert.True(t, w.reaches(sidecarIn("anywhere"), ofInstance("shop", w.cr.Name, v1alpha1.ComponentController), v1alpha1.ControllerPort))
}
