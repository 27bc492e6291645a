package apply_test

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kvrocks/kvrocks-operator/hooks"
	"github.com/kvrocks/kvrocks-operator/local/standin/metacontroller/apply"
	"github.com/kvrocks/kvrocks-operator/metacontroller"
)

// workloads returns the StatefulSets and Deployments that the operator's hooks declare, by name.
func workloads(t *testing.T, request *metacontroller.SyncRequest) map[string]*unstructured.Unstructured {
	t.Helper()
	response, err := hooks.Sync(request)
	require.NoError(t, err)
	all := map[string]*unstructured.Unstructured{}
	for _, raw := range response.Children {
		child := &unstructured.Unstructured{}
		require.NoError(t, child.UnmarshalJSON(raw))
		if kind := child.GetKind(); kind == "StatefulSet" || kind == "Deployment" {
			all[child.GetName()] = child
		}
	}
	require.NotEmpty(t, all)
	return all
}

// podSpec returns the spec of the pods of a workload.
func podSpec(t *testing.T, workload *unstructured.Unstructured) map[string]any {
	t.Helper()
	spec, ok, err := unstructured.NestedMap(workload.Object, "spec", "template", "spec")
	require.NoError(t, err)
	require.True(t, ok)
	return spec
}

// stored returns a workload as the API server keeps it: with the deprecated name of the service account beside the new one, from
// which it makes the new one again, and with defaults.
func stored(t *testing.T, workload *unstructured.Unstructured) *unstructured.Unstructured {
	t.Helper()
	workload = workload.DeepCopy()
	spec := podSpec(t, workload)
	if spec["serviceAccountName"] == nil && spec["serviceAccount"] != nil {
		spec["serviceAccountName"] = spec["serviceAccount"]
	}
	if spec["serviceAccountName"] != nil {
		spec["serviceAccount"] = spec["serviceAccountName"]
	}
	spec["restartPolicy"], spec["schedulerName"], spec["dnsPolicy"] = "Always", "default-scheduler", "ClusterFirst"
	for _, list := range []string{"containers", "initContainers"} {
		containers, _ := spec[list].([]any)
		for _, container := range containers {
			container.(map[string]any)["terminationMessagePath"] = "/dev/termination-log"
		}
	}
	volumes, _ := spec["volumes"].([]any)
	for _, volume := range volumes {
		sources, _, _ := unstructured.NestedSlice(volume.(map[string]any), "projected", "sources")
		for _, source := range sources {
			if token, ok := source.(map[string]any)["serviceAccountToken"].(map[string]any); ok {
				token["expirationSeconds"] = int64(3600)
			}
		}
		if sources != nil {
			require.NoError(t, unstructured.SetNestedSlice(volume.(map[string]any), sources, "projected", "sources"))
		}
	}
	require.NoError(t, unstructured.SetNestedMap(workload.Object, spec, "spec", "template", "spec"))
	return workload
}

// What a podTemplate adds to the pods is merged without a key that Metacontroller lacks: nothing is written again while it stays, and
// nothing is left when it is taken away.
func TestAPodTemplateLeavesNothingBehind(t *testing.T) {
	for _, name := range []string{"standard", "sentinel", "cluster"} {
		t.Run(name, func(t *testing.T) {
			raw, err := os.ReadFile("../../../../hooks/testdata/" + name + "/pod-template/request.json")
			require.NoError(t, err)
			request := new(metacontroller.SyncRequest)
			require.NoError(t, json.Unmarshal(raw, request))
			request.Parent.Generation++ // or a template that differs from the observed one would wait for the grant
			with := workloads(t, request)
			request.Parent.Generation++
			request.Parent.Spec.PodTemplate = nil
			if cluster := request.Parent.Spec.Cluster; cluster != nil {
				cluster.Etcd.PodTemplate, cluster.Controller.PodTemplate = nil, nil
			}
			without := workloads(t, request)
			for workload, declared := range with {
				created, err := apply.Create(declared, object(t, parentJSON))
				require.NoError(t, err)
				observed := stored(t, created)
				same, changed, err := apply.Update(observed, declared)
				require.NoError(t, err)
				assert.False(t, changed, "%s is written again: %v", workload, same)

				next, changed, err := apply.Update(observed, without[workload])
				require.NoError(t, err)
				assert.True(t, changed)
				assert.NotEqual(t, podSpec(t, observed), podSpec(t, next))
				assert.Equal(t, podSpec(t, stored(t, without[workload])), podSpec(t, stored(t, next)), workload)
			}
		})
	}
}
