package contract

import (
	"maps"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// The API server fills in and takes away what belongs to the type of a Service: ports of nodes, the port of health checks, policies. A
// Service changes its type and all that goes with it in place, is not written again, and is as before when that is taken out.
func TestAServiceChangesItsTypeAndLeavesNothing(t *testing.T) {
	f := newFixture(t, withChildren(child("v1", "services", "InPlace")))
	declared := func(port, more object) object {
		maps.Copy(port, object{"name": "kvrocks", "protocol": "TCP", "port": 6379, "targetPort": 6379})
		spec := object{"selector": object{"app": "orders"}, "ports": []any{port}}
		maps.Copy(spec, more)
		return children(object{"apiVersion": "v1", "kind": "Service", "metadata": object{"name": "orders"}, "spec": spec})
	}
	plain := declared(object{}, nil)
	balanced := declared(object{"appProtocol": "redis"}, object{
		"type": "LoadBalancer", "loadBalancerClass": "example.org/inside", "loadBalancerSourceRanges": []any{"192.0.2.0/24"},
		"externalTrafficPolicy": "Local", "internalTrafficPolicy": "Local",
		"sessionAffinity": "ClientIP", "sessionAffinityConfig": object{"clientIP": object{"timeoutSeconds": 10800}},
	})
	onNodes := declared(object{}, object{"type": "NodePort"})

	f.say("sync", plain)
	parent := f.parent()
	service := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: "orders", Namespace: f.name}}
	eventually(t, func(c *assert.CollectT) { require.NoError(c, f.read(service)) })
	first := service.Spec.DeepCopy()

	turn := 0
	for _, step := range []struct {
		kind corev1.ServiceType
		says object
	}{
		{corev1.ServiceTypeLoadBalancer, balanced},
		{corev1.ServiceTypeNodePort, onNodes},
		{corev1.ServiceTypeClusterIP, plain},
		{corev1.ServiceTypeLoadBalancer, balanced},
		{corev1.ServiceTypeClusterIP, plain},
	} {
		f.say("sync", step.says)
		turn++
		f.resync(parent, strconv.Itoa(turn))
		eventually(t, func(c *assert.CollectT) {
			require.NoError(c, f.read(service))
			require.Equal(c, step.kind, service.Spec.Type)
		})
		assert.Equal(t, first.ClusterIP, service.Spec.ClusterIP)
		assert.Equal(t, step.kind == corev1.ServiceTypeLoadBalancer, service.Spec.HealthCheckNodePort != 0)
		if step.kind == corev1.ServiceTypeClusterIP {
			assert.Equal(t, *first, service.Spec)
		}
		version := service.ResourceVersion
		for range 2 { // the second call shows that the pass of the first is over
			turn++
			f.resync(parent, strconv.Itoa(turn))
		}
		require.NoError(t, f.read(service))
		assert.Equal(t, version, service.ResourceVersion, "a Service at rest is not written")
	}
}
