package kube

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/rest"
	clienttesting "k8s.io/client-go/testing"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/kube/kubetest"
)

func claimOf(instance, name string) *corev1.PersistentVolumeClaim {
	return &corev1.PersistentVolumeClaim{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: kubetest.Namespace, Name: name, UID: types.UID("uid-" + name), ResourceVersion: "100",
			Labels:      map[string]string{v1alpha1.LabelKVRocks: instance, v1alpha1.LabelManagedBy: v1alpha1.ManagedByValue},
			Annotations: map[string]string{"volume.kubernetes.io/selected-node": "a"},
		},
		Spec: corev1.PersistentVolumeClaimSpec{VolumeName: "pv-1", Resources: corev1.VolumeResourceRequirements{
			Requests: corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("1Gi")},
		}},
		Status: corev1.PersistentVolumeClaimStatus{Phase: corev1.ClaimBound},
	}
}

func TestAClaimIsExpandedAsItWasObserved(t *testing.T) {
	w := newWorld(t)
	claim := claimOf("orders", "data-orders-0")
	require.NoError(t, w.client.Tracker().Add(claim))
	claims := NewClaimWriter(w.client.CoreV1())
	written, err := claims.Expand(t.Context(), claim, resource.MustParse("20Gi"))
	require.NoError(t, err)
	assert.Equal(t, "20Gi", written.Spec.Resources.Requests.Storage().String())
	assert.Equal(t, []string{
		`data-orders-0/ {"metadata":{"uid":"uid-data-orders-0","resourceVersion":"100"},"spec":{"resources":{"requests":{"storage":"20Gi"}}}}`,
	}, w.patches())

	refusal := apierrors.NewForbidden(schema.GroupResource{Resource: "persistentvolumeclaims"}, claim.Name, context.DeadlineExceeded)
	w.client.PrependReactor("patch", "persistentvolumeclaims", func(clienttesting.Action) (bool, runtime.Object, error) { return true, nil, refusal })
	_, err = claims.Expand(t.Context(), claim, resource.MustParse("40Gi"))
	assert.True(t, apierrors.IsForbidden(err))
}

func TestClaimsOfAnInstance(t *testing.T) {
	client := fake.NewClientset()
	old := claimOf("", "data-orders-1") // of version 0.1.0
	delete(old.Labels, v1alpha1.LabelKVRocks)
	old.Labels[v1alpha1.LabelInstance] = "orders"
	for _, claim := range []*corev1.PersistentVolumeClaim{claimOf("orders", "data-orders-0"), old, claimOf("carts", "data-carts-0")} {
		require.NoError(t, client.Tracker().Add(claim))
	}
	writer := NewClaimWriter(client.CoreV1())
	topologies, err := NewTopologyClient(&rest.Config{})
	require.NoError(t, err)
	c, err := NewCache(nil, client, topologies, NewPodWriter(client.CoreV1(), time.Now), writer)
	require.NoError(t, err)
	_, ok := c.ClaimsOf(named("orders"))
	assert.False(t, ok, "nothing was read yet")
	informer := c.caches[""].claims
	go informer.RunWithContext(t.Context())
	require.Eventually(t, informer.HasSynced, 10*time.Second, 10*time.Millisecond)

	claims, ok := c.ClaimsOf(named("orders"))
	require.True(t, ok)
	require.Len(t, claims, 2)
	have := claims["data-orders-0"]
	require.NotNil(t, have)
	assert.Empty(t, have.Annotations, "not read here")
	assert.Equal(t, "1Gi", have.Spec.Resources.Requests.Storage().String())
	assert.Contains(t, claims, "data-orders-1")

	// What this process wrote shows before the informer does.
	newer := have.DeepCopy()
	newer.ResourceVersion = "900"
	writer.written.wrote(newer)
	claims, _ = c.ClaimsOf(named("orders"))
	assert.Equal(t, "900", claims["data-orders-0"].ResourceVersion)
}

func TestAChangeOfAClaimWakesItsInstance(t *testing.T) {
	w := watched(t)
	var woken []string
	h := handlers{cache: w.Cache, wake: func(instance types.NamespacedName) { woken = append(woken, instance.Name) }}
	before := claimOf("orders", "data-orders-0")
	h.ofClaims().OnAdd(before, false)
	h.ofClaims().OnUpdate(before, before.DeepCopy())
	after := before.DeepCopy()
	after.Status.Capacity = corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("20Gi")}
	h.ofClaims().OnUpdate(before, after)
	h.ofClaims().OnAdd(claimOf("gone", "data-gone-0"), false) // claims outlive instances
	h.ofClaims().OnDelete(after)
	assert.Equal(t, []string{"orders", "orders", "orders"}, woken)
}
