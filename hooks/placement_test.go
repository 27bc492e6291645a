package hooks

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

func onNodes(label string) *corev1.Affinity {
	return &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{
		PreferredDuringSchedulingIgnoredDuringExecution: []corev1.PreferredSchedulingTerm{{
			Weight: 1, Preference: corev1.NodeSelectorTerm{MatchExpressions: []corev1.NodeSelectorRequirement{
				{Key: label, Operator: corev1.NodeSelectorOpExists},
			}},
		}},
	}}
}

func TestANodePreferenceKeepsTheSpreadingOfPods(t *testing.T) {
	for _, file := range []string{"standard-minimal.yaml", "cluster-minimal.yaml", "sentinel-minimal.yaml"} {
		cr := example(t, file)
		cr.Spec.Affinity = onNodes("nvme")
		w := settled(t, cr)
		for name, template := range w.templates() {
			assert.Equal(t, onNodes("nvme").NodeAffinity, template.Spec.Affinity.NodeAffinity, name)
			require.NotNil(t, template.Spec.Affinity.PodAntiAffinity, name)
			assert.Len(t, template.Spec.Affinity.PodAntiAffinity.PreferredDuringSchedulingIgnoredDuringExecution, 1, name)
		}
		assert.False(t, w.changes(w.sync), "the request must stay as it was")
	}
}

func TestSpreadingThatIsGivenIsTakenAsItIs(t *testing.T) {
	cr := example(t, "standard-minimal.yaml")
	cr.Spec.Affinity = &corev1.Affinity{PodAntiAffinity: &corev1.PodAntiAffinity{}}
	assert.Equal(t, cr.Spec.Affinity, settled(t, cr).templates()["demo"].Spec.Affinity)
}

func TestEachComponentOfAClusterHasItsOwnPlacementAndResources(t *testing.T) {
	cr := example(t, "cluster-minimal.yaml")
	own := &metav1.LabelSelector{MatchLabels: map[string]string{"app.kubernetes.io/component": "data"}}
	cr.Spec.NodeSelector = map[string]string{"pool": "data"}
	cr.Spec.Toleration = []corev1.Toleration{{Key: "data", Operator: corev1.TolerationOpExists}}
	cr.Spec.Affinity = onNodes("nvme")
	cr.Spec.Affinity.PodAntiAffinity = &corev1.PodAntiAffinity{
		RequiredDuringSchedulingIgnoredDuringExecution: []corev1.PodAffinityTerm{{LabelSelector: own, TopologyKey: "zone"}},
	}
	cr.Spec.TopologySpreadConstraints = []corev1.TopologySpreadConstraint{
		{MaxSkew: 1, TopologyKey: "zone", WhenUnsatisfiable: corev1.DoNotSchedule, LabelSelector: own},
		{MaxSkew: 1, TopologyKey: "rack", WhenUnsatisfiable: corev1.ScheduleAnyway},
	}
	cr.Spec.Cluster = &v1alpha1.ClusterSpec{Etcd: v1alpha1.EtcdSpec{
		Resources: &corev1.ResourceRequirements{Limits: corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("2Gi")}},
		Placement: v1alpha1.Placement{
			NodeSelector: map[string]string{"pool": "etcd"}, Tolerations: []corev1.Toleration{}, PriorityClassName: "etcd-first",
			Affinity: onNodes("ssd"),
		},
	}}
	templates := settled(t, cr).templates()

	data := templates["shards-0"].Spec
	assert.Equal(t, cr.Spec.Affinity, data.Affinity)
	assert.Len(t, data.TopologySpreadConstraints, 2)
	assert.Empty(t, data.PriorityClassName)

	etcd := templates["shards-etcd"].Spec
	assert.Equal(t, map[string]string{"pool": "etcd"}, etcd.NodeSelector)
	assert.Empty(t, etcd.Tolerations)
	assert.Equal(t, "etcd-first", etcd.PriorityClassName)
	assert.Equal(t, onNodes("ssd").NodeAffinity, etcd.Affinity.NodeAffinity)
	require.NotNil(t, etcd.Affinity.PodAntiAffinity)
	spread := etcd.Affinity.PodAntiAffinity.PreferredDuringSchedulingIgnoredDuringExecution
	require.Len(t, spread, 1)
	assert.Equal(t, "etcd", spread[0].PodAffinityTerm.LabelSelector.MatchLabels["app.kubernetes.io/component"])
	limits := etcd.Containers[0].Resources
	assert.Equal(t, "2Gi", limits.Limits.Memory().String())
	assert.NotContains(t, limits.Requests, corev1.ResourceMemory, "memory is as given")
	assert.Equal(t, "1", limits.Limits.Cpu().String())

	controller := templates["shards-controller"].Spec
	assert.Equal(t, cr.Spec.NodeSelector, controller.NodeSelector)
	assert.Contains(t, controller.Tolerations, cr.Spec.Toleration[0])
	assert.Equal(t, onNodes("nvme").NodeAffinity, controller.Affinity.NodeAffinity)
	assert.Empty(t, controller.Affinity.PodAntiAffinity.RequiredDuringSchedulingIgnoredDuringExecution, "it is about data nodes")
	require.Len(t, controller.TopologySpreadConstraints, 1)
	assert.Equal(t, "controller", controller.TopologySpreadConstraints[0].LabelSelector.MatchLabels["app.kubernetes.io/component"])
}

// A ResourceQuota on limits admits no pod of which one container has none.
func TestEtcdAndTheControllerHaveRequestsAndLimits(t *testing.T) {
	templates := settled(t, example(t, "cluster-minimal.yaml")).templates()
	for _, name := range []string{"shards-etcd", "shards-controller"} {
		r := templates[name].Spec.Containers[0].Resources
		for _, resource := range []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory} {
			request, limit := r.Requests[resource], r.Limits[resource]
			assert.Positive(t, request.Sign(), "%s %s", name, resource)
			assert.LessOrEqual(t, request.Cmp(limit), 0, "%s %s", name, resource)
		}
	}
}

// templates are the pod templates of an instance, by the names of what has them.
func (w *world) templates() map[string]*corev1.PodTemplateSpec {
	all := map[string]*corev1.PodTemplateSpec{}
	for _, set := range w.seen.StatefulSets {
		all[set.Name] = &set.Spec.Template
	}
	for _, deployment := range w.seen.Deployments {
		all[deployment.Name] = &deployment.Spec.Template
	}
	return all
}
