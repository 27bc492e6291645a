package hooks

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

func TestAnInstanceOutsideOfTheScopeSaysThatItIsNotManaged(t *testing.T) {
	w := newWorld(t, example(t, "standard-minimal.yaml"))
	scope := Scope{Namespaces: []string{"warehouse", "billing"}}
	for range 3 {
		response, err := scope.Sync(w.request())
		require.NoError(t, err)
		assert.Empty(t, response.Children)
		w.apply(response)
	}
	ready := meta.FindStatusCondition(w.cr.Status.Conditions, v1alpha1.ConditionReady)
	require.NotNil(t, ready)
	assert.Equal(t, metav1.ConditionFalse, ready.Status)
	assert.Equal(t, "NotManaged", ready.Reason)
	assert.Contains(t, ready.Message, "manages the namespaces billing, warehouse only")
	response, err := scope.Finalize(w.request())
	require.NoError(t, err)
	assert.True(t, response.Finalized)
}

func TestAnInstanceThatLeavesTheScopeKeepsRunningAndCanBeDeleted(t *testing.T) {
	w := settled(t, example(t, "standard-minimal.yaml"))
	scope := Scope{Namespaces: []string{"warehouse"}}
	before := w.fingerprintOfChildren()
	response, err := scope.Sync(w.request())
	require.NoError(t, err)
	w.apply(response)
	assert.Equal(t, before, w.fingerprintOfChildren())
	available := meta.FindStatusCondition(w.cr.Status.Conditions, v1alpha1.ConditionPrimaryAvailable)
	require.NotNil(t, available)
	assert.Equal(t, metav1.ConditionUnknown, available.Status, "nothing observes it any more")

	// The sidecar never releases it, and Metacontroller may have no right to change anything there.
	now := metav1.Now()
	w.cr.DeletionTimestamp = &now
	answer, err := scope.Finalize(w.request())
	require.NoError(t, err)
	assert.True(t, answer.Finalized, "its children are collected when it is gone")
	w.apply(&answer.SyncResponse)
	assert.Equal(t, before, w.fingerprintOfChildren())
	assert.Contains(t, meta.FindStatusCondition(w.cr.Status.Conditions, v1alpha1.ConditionReady).Message, "has let the instance go")
}

func TestAnInstanceWithinTheScopeIsAnsweredAsWithoutOne(t *testing.T) {
	w := settled(t, example(t, "standard-minimal.yaml"))
	want, err := Sync(w.request())
	require.NoError(t, err)
	for _, scope := range []Scope{{}, {Namespaces: []string{}}, {Namespaces: []string{"warehouse", "shop"}}} {
		got, err := scope.Sync(w.request())
		require.NoError(t, err)
		assert.Equal(t, want, got)
	}
	_, err = Scope{Namespaces: []string{"shop"}}.Sync(nil)
	require.ErrorIs(t, err, ErrNoParent)
}
