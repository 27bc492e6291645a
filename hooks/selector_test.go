package hooks

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/kvrocks/kvrocks-operator/metacontroller"
)

const labelInstance = "app.kubernetes.io/instance"

// selectorsIn returns, by where they stand in a child, the selectors of pods.
func selectorsIn(t *testing.T, value any, at string) map[string]labels.Selector {
	t.Helper()
	found := map[string]labels.Selector{}
	switch v := value.(type) {
	case map[string]any:
		for key, inner := range v {
			here := at + "." + key
			fields, isMap := inner.(map[string]any)
			switch {
			case key == "nodeSelector" || key == "namespaceSelector" || !isMap:
			case key == "selector" && fields["matchLabels"] == nil: // of a Service
				set := labels.Set{}
				for k, s := range fields {
					set[k], _ = s.(string)
				}
				found[here] = labels.SelectorFromSet(set)
				continue
			case key == "selector" || key == "labelSelector" || key == "podSelector":
				raw, err := json.Marshal(fields)
				require.NoError(t, err)
				var selector metav1.LabelSelector
				require.NoError(t, json.Unmarshal(raw, &selector))
				found[here], err = metav1.LabelSelectorAsSelector(&selector)
				require.NoError(t, err)
				continue
			}
			maps.Copy(found, selectorsIn(t, inner, here))
		}
	case []any:
		for _, inner := range v {
			maps.Copy(found, selectorsIn(t, inner, at))
		}
	}
	return found
}

func olderRequest(t testing.TB, name string) *metacontroller.SyncRequest {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", "older", name+".json"))
	require.NoError(t, err)
	request := new(metacontroller.SyncRequest)
	require.NoError(t, json.Unmarshal(raw, request))
	return request
}

// A Helm release named as the instance has pods with the same instance and component, and perhaps the same name.
func TestNoSelectorMatchesTheOnesOfAStranger(t *testing.T) {
	files, err := filepath.Glob("testdata/*/*/response.golden.json")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	seen := 0
	for _, file := range files {
		raw, err := os.ReadFile(file)
		require.NoError(t, err)
		var answer struct {
			Children []map[string]any `json:"children"`
			Status   struct {
				Selector string `json:"selector"`
			} `json:"status"`
		}
		require.NoError(t, json.Unmarshal(raw, &answer))
		stranger := labels.Set{
			"app.kubernetes.io/name": "kvrocks", labelInstance: "demo", "app.kubernetes.io/managed-by": "Helm",
		}
		check := func(where string, selector labels.Selector) {
			seen++
			for _, component := range []string{"data", "etcd", "sentinel", "controller"} {
				for _, instance := range []string{"demo", "orders", "sentinel", "shards", "sentinel-1", "full"} {
					stranger["app.kubernetes.io/component"], stranger[labelInstance] = component, instance
					assert.False(t, selector.Matches(stranger), "%s: %s selects %s", file, where, stranger)
				}
			}
		}
		for _, child := range answer.Children {
			name := child["metadata"].(map[string]any)["name"].(string)
			for at, selector := range selectorsIn(t, child["spec"], child["kind"].(string)+" "+name) {
				check(at, selector)
			}
		}
		if answer.Status.Selector != "" {
			selector, err := labels.Parse(answer.Status.Selector)
			require.NoError(t, err)
			check("status.selector", selector)
		}
	}
	assert.Greater(t, seen, 200)
}

// Running pods carry the labels that the version which made them knew.
func TestServicesStillSelectThePodsOfAnOlderVersion(t *testing.T) {
	for _, name := range older() {
		request := olderRequest(t, name)
		response, err := Sync(request)
		require.NoError(t, err)
		services := declared[corev1.Service](t, response, "Service")
		for key, service := range services {
			now := request.Children.Services[key]
			matched := func(selector map[string]string) (names []string) {
				for _, pod := range request.Related.Pods {
					if labels.SelectorFromSet(selector).Matches(labels.Set(pod.Labels)) {
						names = append(names, pod.Name)
					}
				}
				return names
			}
			require.NotNil(t, now, service.Name)
			assert.ElementsMatch(t, matched(now.Spec.Selector), matched(service.Spec.Selector), service.Name)
		}
		assert.NotEmpty(t, services)
	}
}

// The API server refuses such a change, and Metacontroller would try it for ever.
func TestWhatIsImmutableStaysAsAnOlderVersionMadeIt(t *testing.T) {
	for _, name := range older() {
		request := olderRequest(t, name)
		response, err := Sync(request)
		require.NoError(t, err)
		sets, deployments := declared[appsv1.StatefulSet](t, response, "StatefulSet"), declared[appsv1.Deployment](t, response, "Deployment")
		for key, set := range sets {
			was := request.Children.StatefulSets[key]
			require.NotNil(t, was, key)
			assert.Equal(t, was.Spec.Selector, set.Spec.Selector, key)
			assert.Equal(t, was.Spec.VolumeClaimTemplates, set.Spec.VolumeClaimTemplates, key)
			assert.Equal(t, was.Spec.ServiceName, set.Spec.ServiceName, key)
			assert.Equal(t, was.Spec.PodManagementPolicy, set.Spec.PodManagementPolicy, key)
			selector, err := metav1.LabelSelectorAsSelector(set.Spec.Selector)
			require.NoError(t, err)
			assert.True(t, selector.Matches(labels.Set(set.Spec.Template.Labels)), key)
		}
		for key, deployment := range deployments {
			assert.Equal(t, request.Children.Deployments[key].Spec.Selector, deployment.Spec.Selector, key)
		}
		assert.Positive(t, len(sets)+len(deployments), name)
	}
}

// Argo CD, which tracks by label, deletes what carries its label, has no owner and is not in its repository. Kubernetes
// copies the selector of a StatefulSet onto the claims.
func TestClaimsDoNotCarryTheInstanceLabelOfOthers(t *testing.T) {
	for _, name := range []string{"standard-full.yaml", "cluster-full.yaml"} {
		w := settled(t, example(t, name))
		require.NotEmpty(t, w.seen.StatefulSets)
		for key, set := range w.seen.StatefulSets {
			require.NotEmpty(t, set.Spec.VolumeClaimTemplates, key)
			claim := maps.Clone(set.Spec.VolumeClaimTemplates[0].Labels)
			maps.Copy(claim, set.Spec.Selector.MatchLabels)
			assert.NotContains(t, claim, labelInstance, key)
			assert.Equal(t, w.cr.Name, claim["kvrocks.apache.org/instance"], key)
		}
	}
}
