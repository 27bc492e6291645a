package hooks

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

func outsideOptions() *v1alpha1.ServiceOptions {
	return &v1alpha1.ServiceOptions{
		Type: corev1.ServiceTypeLoadBalancer, LoadBalancerClass: "example.org/inside", LoadBalancerSourceRanges: []string{"192.0.2.0/24"},
		ExternalTrafficPolicy: corev1.ServiceExternalTrafficPolicyLocal, SessionAffinity: corev1.ServiceAffinityClientIP,
		Labels: map[string]string{"team": "orders"}, Annotations: map[string]string{"example.org/scheme": "internal"}, AppProtocol: "redis",
	}
}

// spec.service changes the Services of clients alone, while the instance serves, and leaves nothing when it is taken away.
func TestTheServicesOfClientsAreAsTheSpecSays(t *testing.T) {
	for file, want := range map[string]map[string]bool{ // by Service: whether it has an address of its own
		"standard-minimal.yaml": {"-master": true, "-replicas": true, "": false},
		"sentinel-minimal.yaml": {"": true},
		"cluster-minimal.yaml":  {"": false},
	} {
		t.Run(file, func(t *testing.T) {
			w := settled(t, example(t, file))
			before, pods := w.copy(t), w.podNames()
			w.change(func(cr *v1alpha1.KVRocks) {
				cr.Spec.Service = outsideOptions()
				if cr.Spec.Type == v1alpha1.TypeCluster {
					cr.Spec.Service = &v1alpha1.ServiceOptions{Labels: cr.Spec.Service.Labels, Annotations: cr.Spec.Service.Annotations, AppProtocol: "redis"}
				}
			})
			w.settle()
			assert.Equal(t, v1alpha1.PhaseRunning, w.cr.Status.Phase)
			assert.Equal(t, pods, w.podNames())
			assert.Equal(t, specsOf(before), specsOf(w), "no template may change")
			changed := 0
			for key, service := range w.seen.Services {
				was := before.seen.Services[key]
				require.NotNil(t, was)
				assert.Equal(t, was.Spec.ClusterIP, service.Spec.ClusterIP, key)
				assert.Equal(t, was.Spec.Selector, service.Spec.Selector, key)
				addressed, ofClients := want[service.Name[len(w.cr.Name):]]
				if !ofClients {
					assert.Equal(t, was.Spec, service.Spec, key)
					assert.Equal(t, was.Labels, service.Labels, key)
					continue
				}
				changed++
				assert.Equal(t, "orders", service.Labels["team"], key)
				assert.Equal(t, "internal", service.Annotations["example.org/scheme"], key)
				assert.Equal(t, "redis", *service.Spec.Ports[0].AppProtocol, key)
				assert.Equal(t, addressed, service.Spec.Type == corev1.ServiceTypeLoadBalancer, key)
				assert.Equal(t, addressed, service.Spec.SessionAffinityConfig != nil, key)
				assert.Equal(t, addressed, service.Spec.LoadBalancerClass != nil, key)
			}
			assert.Len(t, want, changed)

			w.change(func(cr *v1alpha1.KVRocks) { cr.Spec.Service = nil })
			w.settle()
			for key, service := range w.seen.Services {
				assert.Equal(t, before.seen.Services[key].Spec, service.Spec, key)
				assert.Equal(t, before.seen.Services[key].Labels, service.Labels, key)
			}
		})
	}
}

func TestTheClassOfALoadBalancerStays(t *testing.T) {
	cr := example(t, "standard-minimal.yaml")
	cr.Spec.Service = outsideOptions()
	w := settled(t, cr)
	w.change(func(cr *v1alpha1.KVRocks) { cr.Spec.Service.LoadBalancerClass = "example.org/outside" })
	before := w.fingerprintOfChildren()
	w.sync()
	assert.Contains(t, w.cr.Status.Reason, "spec.service.loadBalancerClass cannot be changed")
	assert.Equal(t, before, w.fingerprintOfChildren())

	w.change(func(cr *v1alpha1.KVRocks) {
		cr.Spec.Service = &v1alpha1.ServiceOptions{Type: corev1.ServiceTypeClusterIP}
	})
	w.settle()
	w.change(func(cr *v1alpha1.KVRocks) {
		cr.Spec.Service = outsideOptions()
		cr.Spec.Service.LoadBalancerClass = "example.org/outside"
	})
	w.settle()
	assert.Equal(t, v1alpha1.PhaseRunning, w.cr.Status.Phase)
}

// specsOf returns the declared workloads of a world, by their hashes.
func specsOf(w *world) map[string]string {
	hashes := map[string]string{}
	for key, set := range w.seen.StatefulSets {
		hashes["StatefulSet "+key] = set.Spec.Template.Annotations[annotationTemplate]
	}
	for key, deployment := range w.seen.Deployments {
		hashes["Deployment "+key] = deployment.Spec.Template.Annotations[annotationTemplate]
	}
	return hashes
}
