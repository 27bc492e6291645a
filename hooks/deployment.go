package hooks

import (
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

// sentinelDir is where a sentinel keeps its configuration file, which it rewrites.
const sentinelDir = "/data"

// sentinelDeployment runs the sentinels. One at a time is replaced, and none is added beforehand: each replaced sentinel
// leaves a ghost with its peers, and an extra one would leave another. A changed password replaces none: the sidecar gives it to
// them live, as to data nodes. pods is what its pods are to become, which may have to wait for a grant.
func (in builder) sentinelDeployment() (deployment child, pods *corev1.PodSpec, err error) {
	selector := in.selector(v1alpha1.ComponentSentinel)
	template, err := hashed(in.sentinelPods())
	if err != nil {
		return child{}, nil, err
	}
	wanted := template.Spec
	template, ungranted := in.grantedDeploymentTemplate(in.name, template)
	deployment = in.object("apps/v1", "Deployment", in.name, v1alpha1.ComponentSentinel)
	spec := appsv1.DeploymentSpec{
		Replicas: new(in.spec.Replicas),
		// A new sentinel knows no master until the sidecar has told it. Without a pause all of them could be new at once,
		// and none be left to call a failover.
		MinReadySeconds:      5,
		Selector:             selectorOf(selector),
		Template:             template,
		RevisionHistoryLimit: new(int32(3)),
		Strategy: appsv1.DeploymentStrategy{
			Type:          appsv1.RollingUpdateDeploymentStrategyType,
			RollingUpdate: &appsv1.RollingUpdateDeployment{MaxUnavailable: new(intstr.FromInt32(1)), MaxSurge: new(intstr.FromInt32(0))},
		},
	}
	keepSelector(&spec, in.children.Deployments[in.key(in.name)])
	in.annotateGeneration(&deployment, in.children.Deployments[in.key(in.name)], ungranted)
	deployment.Spec = spec
	return deployment, &wanted, nil
}

// sentinelTemplate returns the pod template of the sentinels, without what a podTemplate adds.
func (in builder) sentinelTemplate() corev1.PodTemplateSpec {
	template := in.podTemplate(in.labels(v1alpha1.ComponentSentinel), in.selector(v1alpha1.ComponentSentinel), in.dataPlacement())
	template.Spec.TerminationGracePeriodSeconds = in.grace(10)
	sentinel := in.container(v1alpha1.ContainerSentinel, sentinelDir)
	sentinel.Env = append(sentinel.Env, corev1.EnvVar{Name: "POD_IP", ValueFrom: fieldRef("status.podIP")})
	sentinel.Lifecycle = in.preStopSleep()
	template.Spec.Containers = []corev1.Container{sentinel}
	template.Spec.Volumes = append(in.volumes(), emptyDir(v1alpha1.VolumeData))
	return template
}
