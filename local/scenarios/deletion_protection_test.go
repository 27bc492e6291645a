package scenarios

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// The API server refuses to delete a protected instance, alone or with all of its namespace, and says what to do; and a protected
// namespace. Nothing of it is being deleted then.
func TestAProtectedInstanceIsNotDeleted(t *testing.T) {
	t.Parallel()
	s := begin(t)
	s.apply(`
apiVersion: kvrocks.apache.org/v1alpha1
kind: KVRocks
metadata: {name: orders}
spec: {type: standard, replicas: 1, deletionProtection: true}
`)
	s.ready("orders", readyWithin)
	crs := s.dyn.Resource(kvrocksResource).Namespace(s.namespace)
	const wayOut = "patch kvrocks orders --type=merge -p '{\"spec\":{\"deletionProtection\":false}}'"
	require.ErrorContains(t, crs.Delete(s.ctx, "orders", metav1.DeleteOptions{}), wayOut)
	require.ErrorContains(t, crs.DeleteCollection(s.ctx, metav1.DeleteOptions{}, metav1.ListOptions{}), wayOut)

	label := func(value string) {
		_, err := s.kube.CoreV1().Namespaces().Patch(s.ctx, s.namespace, types.MergePatchType,
			[]byte(`{"metadata":{"labels":{"kvrocks.apache.org/deletion-protection":`+value+`}}}`), metav1.PatchOptions{})
		require.NoError(t, err)
	}
	label(`"true"`)
	require.ErrorContains(t, s.kube.CoreV1().Namespaces().Delete(s.ctx, s.namespace, metav1.DeleteOptions{}),
		"kubectl label namespace "+s.namespace+" kvrocks.apache.org/deletion-protection-")
	label("null")

	cr, err := s.kvrocks("orders")
	require.NoError(t, err)
	assert.Nil(t, cr.DeletionTimestamp)
	s.patch("orders", `{"spec":{"deletionProtection":false}}`)
	s.ready("orders", readyWithin)
	s.remove("orders")
	s.removed("orders")
}
