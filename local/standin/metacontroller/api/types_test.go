package api_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kvrocks/kvrocks-operator/local/standin/metacontroller/api"
)

func TestDefaultsOfAWebhook(t *testing.T) {
	cc, err := api.FromUnstructured(&unstructured.Unstructured{Object: map[string]any{
		"metadata": map[string]any{"name": "c"},
		"spec": map[string]any{"hooks": map[string]any{
			"sync": map[string]any{"webhook": map[string]any{
				"path":    "/sync",
				"service": map[string]any{"name": "hooks", "namespace": "system"},
			}},
			"finalize": map[string]any{"version": "v2", "webhook": map[string]any{
				"path":    "/finalize",
				"timeout": "3s",
				"service": map[string]any{"name": "hooks", "namespace": "system", "port": int64(8443), "protocol": "https"},
			}},
		}},
	}})
	require.NoError(t, err)

	sync, finalize := cc.Spec.Hooks.Sync, cc.Spec.Hooks.Finalize
	assert.Equal(t, api.V1, sync.EffectiveVersion())
	assert.Equal(t, 10*time.Second, sync.Webhook.EffectiveTimeout())
	url, err := sync.Webhook.EffectiveURL()
	require.NoError(t, err)
	assert.Equal(t, "http://hooks.system:80/sync", url)

	assert.Equal(t, api.V2, finalize.EffectiveVersion())
	assert.Equal(t, 3*time.Second, finalize.Webhook.EffectiveTimeout())
	url, err = finalize.Webhook.EffectiveURL()
	require.NoError(t, err)
	assert.Equal(t, "https://hooks.system:8443/finalize", url)
}

func TestUpdateMethods(t *testing.T) {
	for method, want := range map[api.UpdateMethod]api.UpdateMethod{
		"": api.OnDelete, api.OnDelete: api.OnDelete, api.InPlace: api.InPlace, api.Recreate: api.Recreate,
	} {
		got, err := api.ChildResource{UpdateStrategy: &api.UpdateStrategy{Method: method}}.Method()
		require.NoError(t, err)
		assert.Equal(t, want, got)
	}
	_, err := api.ChildResource{UpdateStrategy: &api.UpdateStrategy{Method: "RollingInPlace"}}.Method()
	assert.ErrorContains(t, err, "RollingInPlace")
}
