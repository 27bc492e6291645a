package hooks

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/metacontroller"
)

// older are requests of settled instances of version 0.1.0, as that version and Kubernetes had made them.
func older() []string { return []string{"sentinel-full", "standard-full", "cluster-full"} }

// declared returns the children of a kind in an answer, by their keys in a request.
func declared[T any](t *testing.T, response *metacontroller.SyncResponse, kind string) map[string]*T {
	t.Helper()
	all := map[string]*T{}
	for _, raw := range response.Children {
		var head metav1.PartialObjectMetadata
		require.NoError(t, json.Unmarshal(raw, &head))
		if head.Kind != kind {
			continue
		}
		child := new(T)
		require.NoError(t, json.Unmarshal(raw, child))
		all[metacontroller.Key(head.Namespace, head.Name)] = child
	}
	return all
}

// Whatever this version changes of templates and of the scripts that go with them, it changes nothing of running instances
// before the sidecar grants it.
func TestAnUpgradeOfTheOperatorChangesNoPodUntilItIsGranted(t *testing.T) {
	for _, name := range older() {
		t.Run(name, func(t *testing.T) {
			request := olderRequest(t, name)
			response, err := Sync(request)
			require.NoError(t, err)
			sets, deployments := declared[appsv1.StatefulSet](t, response, "StatefulSet"), declared[appsv1.Deployment](t, response, "Deployment")
			for key, set := range sets {
				was := request.Children.StatefulSets[key]
				assert.JSONEq(t, string(pretty(t, was.Spec.Template)), string(pretty(t, set.Spec.Template)), key)
				assert.Equal(t, *was.Spec.Replicas, *set.Spec.Replicas)
			}
			for key, deployment := range deployments {
				was := request.Children.Deployments[key]
				assert.JSONEq(t, string(pretty(t, was.Spec.Template)), string(pretty(t, deployment.Spec.Template)), key)
			}
			assert.Positive(t, len(sets)+len(deployments))
			for key, config := range declared[corev1.ConfigMap](t, response, "ConfigMap") {
				assert.Equal(t, request.Children.ConfigMaps[key].Data, config.Data, key)
			}
			for _, topology := range declared[v1alpha1.KVRocksTopology](t, response, "KVRocksTopology") {
				assert.NotEmpty(t, topology.Spec.Upgrade)
				for _, shard := range topology.Spec.Shards {
					assert.Empty(t, shard.Replace)
				}
			}
		})
	}
}

// otherVersion is what a version of the operator with other templates would have left: their hash, in sets and pods.
func otherVersion(w *world) {
	age := func(template *corev1.PodTemplateSpec) {
		template.Annotations[annotationTemplate] = "of-another-version"
		template.Labels["made-by"] = "another-version"
	}
	for name, set := range w.seen.StatefulSets {
		age(&set.Spec.Template)
		delete(w.seen.StatefulSets[name].Annotations, lastApplied)
	}
	for name, deployment := range w.seen.Deployments {
		age(&deployment.Spec.Template)
		delete(w.seen.Deployments[name].Annotations, lastApplied)
	}
	for _, pod := range w.pods {
		pod.Annotations[annotationTemplate] = "of-another-version"
	}
	for _, config := range w.seen.ConfigMaps {
		config.Data["of-another.version"] = "here"
	}
}

func (w *world) otherPods() int {
	n := 0
	for _, pod := range w.pods {
		if pod.Annotations[annotationTemplate] == "of-another-version" {
			n++
		}
	}
	return n
}

func TestAChangeThatNoPersonMadeWaitsForTheGrant(t *testing.T) {
	for _, file := range []string{"sentinel-minimal.yaml", "standard-minimal.yaml", "cluster-minimal.yaml"} {
		t.Run(file, func(t *testing.T) {
			w := settled(t, example(t, file))
			otherVersion(w)
			w.noUpgrades = true
			pods := len(w.pods)
			w.settle()
			assert.Equal(t, pods, w.otherPods(), "none was replaced")
			ready, progressing := meta.FindStatusCondition(w.cr.Status.Conditions, v1alpha1.ConditionReady), meta.FindStatusCondition(w.cr.Status.Conditions, v1alpha1.ConditionProgressing)
			assert.Equal(t, metav1.ConditionTrue, ready.Status, ready.Message)
			assert.Equal(t, metav1.ConditionTrue, progressing.Status)
			assert.Equal(t, "UpgradePending", progressing.Reason)
			for _, config := range w.seen.ConfigMaps {
				assert.Equal(t, "here", config.Data["of-another.version"], config.Name)
			}

			w.noUpgrades = false
			w.settle()
			assert.Zero(t, w.otherPods())
			assert.Empty(t, w.topology().Spec.Upgrade, "the next instance may begin")
			assert.Equal(t, "Settled", meta.FindStatusCondition(w.cr.Status.Conditions, v1alpha1.ConditionProgressing).Reason)
			for _, config := range w.seen.ConfigMaps {
				assert.NotContains(t, config.Data, "of-another.version", config.Name)
			}
		})
	}
}

// A ConfigMap that was deleted meanwhile has nothing that could be kept.
func TestScriptsAreMadeAgainWhileTheirTemplateWaits(t *testing.T) {
	for _, file := range []string{"sentinel-minimal.yaml", "standard-minimal.yaml"} {
		w := settled(t, example(t, file))
		otherVersion(w)
		w.noUpgrades = true
		w.settle()
		config := metacontroller.Key(w.cr.Namespace, configName(w.cr.Name))
		delete(w.seen.ConfigMaps, config)
		w.settle()
		assert.NotEmpty(t, w.seen.ConfigMaps[config].Data[startScript], file)
	}
}

func TestAPersonsChangeDoesNotWait(t *testing.T) {
	w := settled(t, example(t, "standard-minimal.yaml"))
	otherVersion(w)
	w.noUpgrades = true
	w.settle()
	w.change(func(cr *v1alpha1.KVRocks) { cr.Spec.PriorityClassName = "first" })
	w.settle()
	assert.Zero(t, w.otherPods(), "it brings the new template along")
	assert.Equal(t, "first", w.set().Spec.Template.Spec.PriorityClassName)
}

func TestTheDefaultImageOfARunningInstanceStays(t *testing.T) {
	for _, file := range []string{"sentinel-minimal.yaml", "standard-minimal.yaml", "cluster-minimal.yaml"} {
		cr := example(t, file)
		w := settled(t, cr)
		const former = "docker.io/library/former:1"
		otherVersion(w)
		for _, template := range w.templates() {
			template.Spec.Containers[0].Image = former
		}
		w.cr = w.cr.DeepCopy() // w.change would write the defaults
		w.cr.Generation++
		w.cr.Spec.Image = ""
		if w.cr.Spec.Cluster != nil {
			w.cr.Spec.Cluster.Etcd.Image, w.cr.Spec.Cluster.Controller.Image = "", ""
		}
		w.sync()
		for name, template := range w.templates() {
			assert.Equal(t, former, template.Spec.Containers[0].Image, name)
		}
		assert.Equal(t, former, w.cr.Status.Image)
		w.change(func(cr *v1alpha1.KVRocks) { cr.Spec.Image = newImage })
		w.sync()
		assert.Equal(t, newImage, w.cr.Status.Image)
	}
}
