package scenarios

import (
	"errors"
	"maps"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// What spec.service says reaches the Services of clients while they are used: no pod and no ClusterIP changes, nothing is written any more
// once it is there, and taken away it leaves nothing.
func TestServicesChangeWhileTheyAreUsed(t *testing.T) {
	t.Parallel()
	s, w := underLoad(t, "orders")
	service := func(name string) *corev1.Service {
		got, err := s.kube.CoreV1().Services(s.namespace).Get(s.ctx, name, metav1.GetOptions{})
		require.NoError(t, err)
		return got
	}
	uids := func() map[string]string {
		byName := map[string]string{}
		for name, pod := range s.pods("orders") {
			byName[name] = string(pod.UID)
		}
		return byName
	}
	rest := func(what string, reached func(*corev1.Service) bool) {
		since, versions := time.Now(), map[string]string{}
		s.eventually(what, 2*time.Minute, func() error {
			now := map[string]string{}
			for _, name := range []string{"orders", "orders-master", "orders-replicas"} {
				now[name] = service(name).ResourceVersion
			}
			if !maps.Equal(now, versions) {
				versions, since = now, time.Now()
			}
			if !reached(service("orders-master")) || time.Since(since) < settled {
				return errors.New("it is not there yet, or something was written a moment ago")
			}
			return nil
		})
		s.ready("orders", readyWithin)
	}
	began, pods, before, headless := time.Now(), uids(), service("orders-master"), service("orders")

	s.patch("orders", `{"spec":{"service":{"type":"LoadBalancer","externalTrafficPolicy":"Local","sessionAffinity":"ClientIP",
		"labels":{"team":"orders"},"annotations":{"example.org/scheme":"internal"},"loadBalancerSourceRanges":["10.244.0.0/16"],"appProtocol":"redis"}}}`)
	rest("the Services are load balancers", func(now *corev1.Service) bool {
		return now.Spec.Type == corev1.ServiceTypeLoadBalancer && now.Spec.HealthCheckNodePort != 0
	})
	now := service("orders-master")
	assert.Equal(t, "orders", now.Labels["team"])
	assert.Equal(t, "internal", now.Annotations["example.org/scheme"])
	assert.NotZero(t, now.Spec.Ports[0].NodePort)
	assert.Equal(t, before.Spec.ClusterIP, now.Spec.ClusterIP)
	assert.Equal(t, headless.Spec.ClusterIP, service("orders").Spec.ClusterIP)
	assert.Equal(t, corev1.ServiceTypeClusterIP, service("orders-0").Spec.Type)

	s.patch("orders", `{"spec":{"service":null}}`)
	rest("the Services are as before", func(now *corev1.Service) bool { return now.Spec.Type == corev1.ServiceTypeClusterIP })
	assert.Equal(t, before.Spec, service("orders-master").Spec)
	assert.NotContains(t, service("orders-master").Labels, "team")
	assert.NotContains(t, service("orders-master").Annotations, "example.org/scheme")

	assert.Equal(t, pods, uids(), "no pod may change")
	assert.Empty(t, s.moves("orders", began))
	acked := w.finish()
	assert.Empty(t, s.missing(s.direct(s.master("orders"), password), acked), "no acknowledged write may be lost")
}
