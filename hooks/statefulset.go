package hooks

import (
	"strconv"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/hooks/kvrocksconf"
)

// dataTemplate returns the pod template of a shard, without what a podTemplate adds and without its hash.
func (in builder) dataTemplate(s shard) corev1.PodTemplateSpec {
	selector := in.shardSelector(s)
	labels := in.labels(v1alpha1.ComponentData)
	labels[v1alpha1.LabelShard] = s.label()
	template := in.podTemplate(labels, selector, in.dataPlacement())
	in.annotateConfig(template.Annotations)
	// A handover takes up to 20 s of it. kvrocks ends within about a second of SIGTERM; a large memtable takes longer to flush.
	template.Spec.TerminationGracePeriodSeconds = in.grace(60)
	template.Spec.ReadinessGates = gates()
	container := in.container(v1alpha1.ContainerKVRocks, kvrocksconf.DataDir)
	container.Env = append(container.Env, corev1.EnvVar{Name: "DRAIN_SECONDS", Value: strconv.Itoa(int(*in.spec.DrainSeconds))})
	container.Lifecycle = &corev1.Lifecycle{PreStop: &corev1.LifecycleHandler{Exec: &corev1.ExecAction{
		Command: []string{"/bin/sh", configDir + "/" + stopScript},
	}}}
	template.Spec.Containers = []corev1.Container{container}
	template.Spec.InitContainers = []corev1.Container{in.recallContainer()}
	template.Spec.Volumes = in.volumes()
	if in.spec.Storage == nil {
		template.Spec.Volumes = append(template.Spec.Volumes, emptyDir(v1alpha1.VolumeData))
	}
	return template
}

// recallContainer tells the sidecar, by its termination message, which volume the pod has and what that remembers.
func (in builder) recallContainer() corev1.Container {
	c := corev1.Container{
		Name: v1alpha1.ContainerRecall, Image: in.spec.Image, ImagePullPolicy: in.spec.ImagePullPolicy,
		Command: []string{"/bin/sh", configDir + "/" + recallScript},
		VolumeMounts: []corev1.VolumeMount{
			{Name: configVolume, MountPath: configDir, ReadOnly: true},
			{Name: v1alpha1.VolumeData, MountPath: kvrocksconf.DataDir},
		},
		SecurityContext: containerSecurity(),
	}
	if in.spec.Resources != nil {
		c.Resources = *in.spec.Resources // a quota may ask for some, and a pod needs only the most of any container
	}
	return c
}

// dataSet returns the StatefulSet of a shard, with as many replicas as the step allows. Its pods are replaced by the sidecar: see
// rollOut.
func (in builder) dataSet(s shard, template corev1.PodTemplateSpec, ungranted bool, now step) child {
	selector := in.setSelector(v1alpha1.ComponentData)
	selector[v1alpha1.LabelShard] = s.label()
	set := in.object("apps/v1", "StatefulSet", s.name, v1alpha1.ComponentData)
	set.Metadata.Labels[v1alpha1.LabelShard] = s.label()
	spec := appsv1.StatefulSetSpec{
		Replicas:             &now.replicas,
		ServiceName:          in.name,
		Selector:             selectorOf(selector),
		Template:             template,
		RevisionHistoryLimit: new(int32(3)),
		// In order, the readiness gate of one pod would hold back the next.
		PodManagementPolicy: appsv1.ParallelPodManagement,
		// Kubernetes would go by ordinals, so that a master on a high one has to be moved more than once.
		UpdateStrategy: appsv1.StatefulSetUpdateStrategy{Type: appsv1.OnDeleteStatefulSetStrategyType},
	}
	if storage := in.spec.Storage; storage != nil {
		spec.VolumeClaimTemplates = []corev1.PersistentVolumeClaim{in.claim(storage.Class, storage.Size)}
		spec.PersistentVolumeClaimRetentionPolicy = &appsv1.StatefulSetPersistentVolumeClaimRetentionPolicy{
			WhenDeleted: appsv1.PersistentVolumeClaimRetentionPolicyType(storage.Reclaim),
			WhenScaled:  appsv1.PersistentVolumeClaimRetentionPolicyType(storage.Reclaim),
		}
	}
	keepImmutable(&spec, in.statefulSet(s))
	in.annotateGeneration(&set, in.statefulSet(s), ungranted)
	set.Spec = spec
	return set
}

// claim returns the volume of each pod, in the form that the API server's defaults give it: a shorter form would differ from
// the live object on every sync.
func (in builder) claim(class string, size resource.Quantity) corev1.PersistentVolumeClaim {
	claim := corev1.PersistentVolumeClaim{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "PersistentVolumeClaim"},
		ObjectMeta: metav1.ObjectMeta{
			Name: v1alpha1.VolumeData, Labels: map[string]string{
				v1alpha1.LabelKVRocks: in.name, v1alpha1.LabelManagedBy: v1alpha1.ManagedByValue,
			},
		},
		Spec: corev1.PersistentVolumeClaimSpec{
			AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
			VolumeMode:  new(corev1.PersistentVolumeFilesystem),
			Resources: corev1.VolumeResourceRequirements{
				Requests: corev1.ResourceList{corev1.ResourceStorage: size},
			},
		},
		Status: corev1.PersistentVolumeClaimStatus{Phase: corev1.ClaimPending},
	}
	if class != "" {
		claim.Spec.StorageClassName = &class
	}
	return claim
}
