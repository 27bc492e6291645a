package apply_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kvrocks/kvrocks-operator/local/standin/metacontroller/apply"
)

func object(t *testing.T, text string) *unstructured.Unstructured {
	t.Helper()
	return &unstructured.Unstructured{Object: parse(t, text)}
}

const (
	parentJSON  = `{"apiVersion":"g/v1","kind":"P","metadata":{"name":"p","namespace":"n","uid":"u"}}`
	desiredJSON = `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a","namespace":"n"},"data":{"k":"1"}}`
)

func TestCreateAddsOwnerAndLastApplied(t *testing.T) {
	desired := object(t, desiredJSON)
	created, err := apply.Create(desired, object(t, parentJSON))
	require.NoError(t, err)
	assert.Equal(t, object(t, desiredJSON), desired, "desired was modified")
	assert.JSONEq(t, desiredJSON, created.GetAnnotations()[apply.LastAppliedAnnotation])
	yes := true
	assert.Equal(t, []metav1.OwnerReference{{
		APIVersion: "g/v1", Kind: "P", Name: "p", UID: "u", Controller: &yes, BlockOwnerDeletion: &yes,
	}}, created.GetOwnerReferences())
}

func TestCreateKeepsAReferenceToTheParent(t *testing.T) {
	desired := object(t, desiredJSON)
	desired.SetOwnerReferences([]metav1.OwnerReference{{UID: "u", Name: "p"}})
	created, err := apply.Create(desired, object(t, parentJSON))
	require.NoError(t, err)
	assert.Len(t, created.GetOwnerReferences(), 1)
}

// live returns what the API server may hold some time after desiredJSON was created.
func live(t *testing.T) *unstructured.Unstructured {
	t.Helper()
	created, err := apply.Create(object(t, desiredJSON), object(t, parentJSON))
	require.NoError(t, err)
	created.SetUID("c")
	created.SetResourceVersion("5")
	created.SetGeneration(1)
	created.Object["status"] = map[string]any{"x": int64(1)}
	return created
}

func TestUpdateSeesNoDifferenceWhereThereIsNone(t *testing.T) {
	desired := object(t, desiredJSON)
	desired.Object["status"] = map[string]any{"x": int64(2)}
	desired.SetResourceVersion("old")
	desired.SetUID("other")
	desired.SetAnnotations(map[string]string{apply.LastAppliedAnnotation: "rubbish"})
	observed := live(t)

	// The first pass records what it applied, with the fields that have no effect.
	next, changed, err := apply.Update(observed, desired)
	require.NoError(t, err)
	assert.True(t, changed)
	assert.Equal(t, observed.Object["status"], next.Object["status"])
	assert.Equal(t, "5", next.GetResourceVersion())
	assert.EqualValues(t, "c", next.GetUID())

	_, changed, err = apply.Update(next, desired)
	require.NoError(t, err)
	assert.False(t, changed)

	_, changed, err = apply.Update(live(t), object(t, desiredJSON))
	require.NoError(t, err)
	assert.False(t, changed)
}

func TestUpdateKeepsSystemFieldsUnset(t *testing.T) {
	desired := object(t, desiredJSON)
	desired.Object["metadata"].(map[string]any)["creationTimestamp"] = nil
	desired.Object["metadata"].(map[string]any)["selfLink"] = "x"
	next, _, err := apply.Update(live(t), desired)
	require.NoError(t, err)
	assert.NotContains(t, next.Object["metadata"], "creationTimestamp")
	assert.NotContains(t, next.Object["metadata"], "selfLink")
}

func TestUpdateRefusesADamagedAnnotation(t *testing.T) {
	observed := live(t)
	observed.SetAnnotations(map[string]string{apply.LastAppliedAnnotation: "{"})
	_, _, err := apply.Update(observed, object(t, desiredJSON))
	assert.ErrorContains(t, err, apply.LastAppliedAnnotation)
}

// TestUpdateTakesNoiseForADifference holds the traps that the operator's
// builders must avoid: each makes a PUT in every pass.
func TestUpdateTakesNoiseForADifference(t *testing.T) {
	for name, c := range map[string]struct{ observed, desired string }{
		"explicit null": {
			`{"spec": {"a": 1}}`, `{"spec": {"a": 1, "b": null}}`,
		},
		"targetPort 0 against its default": {
			`{"spec": {"ports": [{"port": 80, "targetPort": 80}]}}`, `{"spec": {"ports": [{"port": 80, "targetPort": 0}]}}`,
		},
		"quantity not in canonical form": {
			`{"spec": {"cpu": "500m"}}`, `{"spec": {"cpu": "0.5"}}`,
		},
		"short volumeClaimTemplates": {
			`{"spec": {"volumeClaimTemplates": [{"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data"}}]}}`,
			`{"spec": {"volumeClaimTemplates": [{"metadata": {"name": "data"}}]}}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			observed, desired := object(t, c.observed), object(t, c.desired)
			for _, o := range []*unstructured.Unstructured{observed, desired} {
				o.SetName("a")
			}
			// However often the API server answers a PUT with its own form, the next pass differs again.
			next, changed, err := apply.Update(observed, desired)
			require.NoError(t, err)
			require.True(t, changed)
			next.Object["spec"] = observed.Object["spec"]
			_, changed, err = apply.Update(next, desired)
			require.NoError(t, err)
			assert.True(t, changed)
		})
	}
}
