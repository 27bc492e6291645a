package hooks

import (
	"slices"
	"strconv"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/hooks/podstate"
)

// upgrade is what a new version of the operator would change of the pods. A template that differs although no person changed
// the spec is not rolled out before the sidecar grants it: otherwise every instance would roll at the moment of the upgrade.
type upgrade struct {
	templates     []string // hashes of all templates that the workloads are to have
	ungranted     []string // of those that wait for the grant
	dataUngranted bool     // templates of data pods are among those that wait
}

// templateGeneration returns the generation of the KVRocks that the template of a workload was made for: the present one, unless the
// template waits for the grant.
func (in rollout) templateGeneration() string { return strconv.FormatInt(in.cr.Generation, 10) }

// grantedTemplate returns the template that a workload may have now, given the wanted one; ungranted is true when that is
// the one which it has, because the wanted one waits for the grant. Templates of the version that did not note generations count as changed by the operator.
func (in rollout) grantedTemplate(
	observed metav1.Object, has *corev1.PodTemplateSpec, wanted corev1.PodTemplateSpec,
) (template corev1.PodTemplateSpec, ungranted bool) {
	hash := wanted.Annotations[annotationTemplate]
	in.upgrade.templates = append(in.upgrade.templates, hash)
	made := observed.GetAnnotations()[annotationGeneration]
	changedByPerson := made != "" && made != in.templateGeneration()
	granted := in.topology != nil && slices.Contains(in.topology.Status.Upgrade, hash)
	if has.Annotations[annotationTemplate] == hash || changedByPerson || granted {
		return wanted, false
	}
	in.upgrade.ungranted = append(in.upgrade.ungranted, hash)
	return *has.DeepCopy(), true
}

// grantedSetTemplate returns the same of a StatefulSet; the wanted template while there is none.
func (in rollout) grantedSetTemplate(set *appsv1.StatefulSet, wanted corev1.PodTemplateSpec) (template corev1.PodTemplateSpec, ungranted bool) {
	if set == nil {
		return wanted, false
	}
	return in.grantedTemplate(set, &set.Spec.Template, wanted)
}

// grantedDataTemplate returns the same of a shard's StatefulSet.
func (in rollout) grantedDataTemplate(s shard, wanted corev1.PodTemplateSpec) (template corev1.PodTemplateSpec, ungranted bool) {
	template, ungranted = in.grantedSetTemplate(in.statefulSet(s), wanted)
	in.upgrade.dataUngranted = in.upgrade.dataUngranted || ungranted
	return template, ungranted
}

// grantedDeploymentTemplate returns the same of a Deployment; the wanted template while there is none.
func (in rollout) grantedDeploymentTemplate(name string, wanted corev1.PodTemplateSpec) (template corev1.PodTemplateSpec, ungranted bool) {
	deployment := in.children.Deployments[in.key(name)]
	if deployment == nil {
		return wanted, false
	}
	return in.grantedTemplate(deployment, &deployment.Spec.Template, wanted)
}

// annotateGeneration writes the generation that a workload's template was made for onto it. A template that waits was
// made for the generation that is noted; where none is, for the present one at the latest.
func (in rollout) annotateGeneration(c *child, observed metav1.Object, ungranted bool) {
	generation := in.templateGeneration()
	if ungranted {
		if made := observed.GetAnnotations()[annotationGeneration]; made != "" {
			generation = made
		}
	}
	if c.Metadata.Annotations == nil {
		c.Metadata.Annotations = make(map[string]string, 1)
	}
	c.Metadata.Annotations[annotationGeneration] = generation
}

// ungrantedConfig returns what a ConfigMap holds while the templates of the pods that read it wait for the grant: the scripts and settings that
// go with them, since pods read them at each start. Keys without a dot are addresses of pods, which are always current.
func (in rollout) ungrantedConfig(name string, data map[string]string) map[string]string {
	observed := in.children.ConfigMaps[in.key(name)]
	if observed == nil {
		return data
	}
	kept := make(map[string]string, len(data))
	for key, value := range data {
		if !strings.Contains(key, ".") {
			kept[key] = value
		}
	}
	for key, value := range observed.Data {
		if strings.Contains(key, ".") {
			kept[key] = value
		}
	}
	return kept
}

// upgradeRequest returns what the sidecar is asked to grant: the templates that wait, and those that were granted until every pod
// runs with them. While the list is not empty the instance counts as being upgraded.
func (in rollout) upgradeRequest() []string {
	all := slices.Clone(in.upgrade.ungranted)
	if in.topology != nil && in.rolling() {
		for _, hash := range in.topology.Status.Upgrade {
			if slices.Contains(in.upgrade.templates, hash) {
				all = append(all, hash)
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// rolling reports whether a pod is missing, not ready, or made from another template than the present ones.
func (in rollout) rolling() bool {
	for _, set := range in.children.StatefulSets {
		if set != nil && (!generationObserved(set) || set.Status.ReadyReplicas < replicasOf(set)) {
			return true
		}
	}
	for _, deployment := range in.children.Deployments {
		if deployment != nil && (!generationObserved(deployment) || deployment.Spec.Replicas != nil &&
			min(deployment.Status.UpdatedReplicas, deployment.Status.ReadyReplicas) < *deployment.Spec.Replicas) {
			return true
		}
	}
	for _, pod := range in.pods {
		if !podstate.Ready(pod) || !slices.Contains(in.upgrade.templates, pod.Annotations[annotationTemplate]) {
			return true
		}
	}
	return false
}

// keepImages keeps the images that a running instance has where the spec names none: another version of the operator has other
// defaults, and an image is changed by a person alone.
func (in *instance) keepImages() {
	given := &in.cr.Spec
	keep := func(given string, image *string, template *corev1.PodTemplateSpec, container string) {
		if given != "" || template == nil {
			return
		}
		for i := range template.Spec.Containers {
			if c := &template.Spec.Containers[i]; c.Name == container && c.Image != "" {
				*image = c.Image
			}
		}
	}
	if in.spec.Type == v1alpha1.TypeSentinel {
		keep(given.Image, &in.spec.Image, in.deploymentTemplate(in.name), v1alpha1.ContainerSentinel)
		return
	}
	if set := in.firstDataSet(); set != nil {
		keep(given.Image, &in.spec.Image, &set.Spec.Template, v1alpha1.ContainerKVRocks)
	}
	if in.spec.Type != v1alpha1.TypeCluster {
		return
	}
	var etcd, controller string
	if given.Cluster != nil {
		etcd, controller = given.Cluster.Etcd.Image, given.Cluster.Controller.Image
	}
	if set := in.etcdSet(); set != nil {
		keep(etcd, &in.spec.Cluster.Etcd.Image, &set.Spec.Template, v1alpha1.ContainerEtcd)
	}
	keep(controller, &in.spec.Cluster.Controller.Image, in.deploymentTemplate(controllerName(in.name)), v1alpha1.ContainerController)
}

// deploymentTemplate returns the template of an observed Deployment; nil when there is none.
func (in *instance) deploymentTemplate(name string) *corev1.PodTemplateSpec {
	if deployment := in.children.Deployments[in.key(name)]; deployment != nil {
		return &deployment.Spec.Template
	}
	return nil
}
