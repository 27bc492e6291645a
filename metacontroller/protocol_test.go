package metacontroller_test

import (
	"encoding/json"
	"os"
	"reflect"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kjson "sigs.k8s.io/json"
	"sigs.k8s.io/yaml"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/metacontroller"
)

// request is a sync request as Metacontroller 4.17 sends it.
const request = `{
  "controller": {"apiVersion": "metacontroller.k8s.io/v1alpha1", "kind": "CompositeController", "metadata": {"name": "kvrocks"}},
  "parent": {
    "apiVersion": "kvrocks.apache.org/v1alpha1", "kind": "KVRocks",
    "metadata": {"name": "orders", "namespace": "shop", "uid": "u1", "generation": 3},
    "spec": {"type": "standard", "replicas": 3}
  },
  "children": {
    "StatefulSet.apps/v1": {"shop/orders": {
      "apiVersion": "apps/v1", "kind": "StatefulSet",
      "metadata": {"name": "orders", "namespace": "shop"}, "spec": {"replicas": 3}
    }},
    "Deployment.apps/v1": {},
    "ConfigMap.v1": {"shop/orders-config": {"metadata": {"name": "orders-config"}, "data": {"kvrocks.conf": "port 6379"}}},
    "Secret.v1": {"shop/orders-auth": {"metadata": {"name": "orders-auth"}, "data": {"password": "c2VjcmV0"}}},
    "Service.v1": {"shop/orders-0": {"metadata": {"name": "orders-0"}, "spec": {"clusterIP": "10.96.3.17"}}},
    "PodDisruptionBudget.policy/v1": {},
    "KVRocksTopology.kvrocks.apache.org/v1alpha1": {"shop/orders": {
      "metadata": {"name": "orders"}, "status": {"observedGeneration": 7}
    }},
    "CronJob.batch/v1": {"shop/of-a-newer-release": {}}
  },
  "related": {
    "Pod.v1": {"shop/orders-0": {"metadata": {"name": "orders-0"}}},
    "KVRocks.kvrocks.apache.org/v1alpha1": {"shop/sentinel-1": {"metadata": {"name": "sentinel-1"}, "spec": {"type": "sentinel"}}}
  },
  "finalizing": true,
  "fieldOfANewerRelease": 1
}`

func TestSyncRequestDecodes(t *testing.T) {
	var r metacontroller.SyncRequest
	require.NoError(t, json.Unmarshal([]byte(request), &r))

	key := metacontroller.Key("shop", "orders")
	require.NotNil(t, r.Parent)
	assert.Equal(t, "orders", r.Parent.Name)
	assert.Equal(t, v1alpha1.InstanceType("standard"), r.Parent.Spec.Type)
	assert.True(t, r.Finalizing)
	assert.EqualValues(t, 3, *r.Children.StatefulSets[key].Spec.Replicas)
	assert.NotNil(t, r.Children.Deployments, "a declared kind without objects is present")
	assert.Equal(t, "port 6379", r.Children.ConfigMaps["shop/orders-config"].Data["kvrocks.conf"])
	assert.Equal(t, "secret", string(r.Children.Secrets["shop/orders-auth"].Data["password"]))
	assert.Equal(t, "10.96.3.17", r.Children.Services["shop/orders-0"].Spec.ClusterIP)
	assert.NotNil(t, r.Children.PodDisruptionBudgets)
	assert.EqualValues(t, 7, r.Children.Topologies[key].Status.ObservedGeneration)
	assert.Contains(t, r.Related.Pods, "shop/orders-0")
	assert.Contains(t, r.Related.KVRocks, "shop/sentinel-1")
}

func TestResponsesHaveOnlyTheFieldsOfTheProtocol(t *testing.T) {
	// What Metacontroller decodes strictly, by its documentation.
	type sync struct {
		Status             map[string]any   `json:"status"`
		Children           []map[string]any `json:"children"`
		ResyncAfterSeconds float64          `json:"resyncAfterSeconds"`
		Finalized          bool             `json:"finalized"`
	}
	type rule struct {
		APIVersion    string                `json:"apiVersion"`
		Resource      string                `json:"resource"`
		LabelSelector *metav1.LabelSelector `json:"labelSelector"`
		Namespace     string                `json:"namespace"`
		Names         []string              `json:"names"`
	}
	type customize struct {
		RelatedResources []rule `json:"relatedResources"`
	}
	child := json.RawMessage(`{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"}}`)
	synced := metacontroller.SyncResponse{
		Status: &v1alpha1.KVRocksStatus{}, Children: []json.RawMessage{child}, ResyncAfterSeconds: 1.5,
	}
	for name, c := range map[string]struct{ response, into any }{
		"sync":     {synced, &sync{}},
		"empty":    {metacontroller.SyncResponse{}, &sync{}},
		"finalize": {metacontroller.FinalizeResponse{SyncResponse: synced, Finalized: true}, &sync{}},
		"customize": {metacontroller.CustomizeResponse{RelatedResources: []metacontroller.RelatedResourceRule{{
			APIVersion: "v1", Resource: "pods", Namespace: "shop", LabelSelector: &metav1.LabelSelector{},
		}}}, &customize{}},
	} {
		t.Run(name, func(t *testing.T) {
			data, err := json.Marshal(c.response)
			require.NoError(t, err)
			unknown, err := kjson.UnmarshalStrict(data, c.into)
			require.NoError(t, err)
			assert.Empty(t, unknown)
		})
	}
	data, err := json.Marshal(metacontroller.FinalizeResponse{SyncResponse: synced, Finalized: true})
	require.NoError(t, err)
	var back sync
	require.NoError(t, json.Unmarshal(data, &back))
	assert.True(t, back.Finalized)
	assert.Len(t, back.Children, 1)
	assert.InDelta(t, 1.5, back.ResyncAfterSeconds, 0)
}

// TestCompositeControllerDeclaresTheChildren compares compositecontroller.yaml
// with the Children type: a kind that only one of them has would never be
// observed, or never be known to the hooks.
func TestCompositeControllerDeclaresTheChildren(t *testing.T) {
	data, err := os.ReadFile("compositecontroller.yaml")
	require.NoError(t, err)
	var controller struct {
		Spec struct {
			GenerateSelector bool
			ChildResources   []struct {
				APIVersion, Resource string
				UpdateStrategy       struct{ Method string }
			}
			Hooks map[string]struct {
				Version string
				Webhook struct{ Path string }
			}
		}
	}
	require.NoError(t, yaml.Unmarshal(data, &controller))
	assert.True(t, controller.Spec.GenerateSelector)

	kinds := map[string]string{
		"v1 configmaps": "ConfigMap.v1", "v1 secrets": "Secret.v1", "v1 services": "Service.v1",
		"apps/v1 statefulsets": "StatefulSet.apps/v1", "apps/v1 deployments": "Deployment.apps/v1",
		"policy/v1 poddisruptionbudgets":                "PodDisruptionBudget.policy/v1",
		"networking.k8s.io/v1 networkpolicies":          "NetworkPolicy.networking.k8s.io/v1",
		"kvrocks.apache.org/v1alpha1 kvrockstopologies": "KVRocksTopology.kvrocks.apache.org/v1alpha1",
	}
	var declared, known []string
	for _, child := range controller.Spec.ChildResources {
		declared = append(declared, kinds[child.APIVersion+" "+child.Resource])
		assert.Equal(t, "InPlace", child.UpdateStrategy.Method, child.Resource)
	}
	for _, field := range reflect.VisibleFields(reflect.TypeFor[metacontroller.Children]()) {
		known = append(known, field.Tag.Get("json"))
	}
	assert.ElementsMatch(t, known, declared)

	for _, hook := range []string{"sync", "finalize", "customize"} {
		assert.Equal(t, "v2", controller.Spec.Hooks[hook].Version, hook)
		assert.Equal(t, "/"+hook, controller.Spec.Hooks[hook].Webhook.Path)
	}
}

func FuzzSyncRequest(f *testing.F) {
	f.Add([]byte(request))
	f.Add([]byte(`{"parent": null, "children": {"ConfigMap.v1": {"a/b": null}}}`))
	f.Add([]byte(`{"children": []}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var first, second metacontroller.SyncRequest
		if json.Unmarshal(data, &first) != nil {
			return
		}
		encoded, err := json.Marshal(first)
		require.NoError(t, err, "what decodes must encode")
		require.NoError(t, json.Unmarshal(encoded, &second))
		again, err := json.Marshal(second)
		require.NoError(t, err)
		assert.Equal(t, string(encoded), string(again), "decoding keeps what it knows")
	})
}
