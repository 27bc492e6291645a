package hooks

import (
	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

// selector returns the labels that match the pods of one component of an instance. The name and the component alone would match pods of others, such
// as those of a Helm release of that name. All of these labels are on pods of every version of the operator, so what selects
// by them may change while pods run.
func (in *instance) selector(component string) map[string]string {
	return selectorFor(in.name, component)
}

// selectorFor returns those that match the pods of a component of the instance of that name.
func selectorFor(instance, component string) map[string]string {
	return map[string]string{
		v1alpha1.LabelInstance:  instance,
		v1alpha1.LabelComponent: component,
		v1alpha1.LabelManagedBy: v1alpha1.ManagedByValue,
	}
}

// shardSelector returns the labels that match the pods of a shard.
func (in *instance) shardSelector(s shard) map[string]string {
	selector := in.selector(v1alpha1.ComponentData)
	selector[v1alpha1.LabelShard] = s.label()
	return selector
}

// setSelector returns the selector of a StatefulSet. Kubernetes copies it onto the claims, which outlive the instance and have no
// owner, so LabelInstance is not in it; see [v1alpha1.LabelKVRocks].
func (in *instance) setSelector(component string) map[string]string {
	return map[string]string{
		v1alpha1.LabelKVRocks:   in.name,
		v1alpha1.LabelComponent: component,
		v1alpha1.LabelManagedBy: v1alpha1.ManagedByValue,
	}
}

func selectorOf(labels map[string]string) *metav1.LabelSelector {
	return &metav1.LabelSelector{MatchLabels: labels}
}

// keepImmutable gives spec what the API server refuses to change of a StatefulSet that is there, perhaps made by an older
// version of the operator. Metacontroller would try in vain for ever, and apply nothing else meanwhile.
func keepImmutable(spec *appsv1.StatefulSetSpec, observed *appsv1.StatefulSet) {
	if observed == nil {
		return
	}
	spec.Selector = observed.Spec.Selector
	spec.ServiceName = observed.Spec.ServiceName
	spec.PodManagementPolicy = observed.Spec.PodManagementPolicy
	spec.VolumeClaimTemplates = observed.Spec.VolumeClaimTemplates
}

// keepSelector does so for a Deployment.
func keepSelector(spec *appsv1.DeploymentSpec, observed *appsv1.Deployment) {
	if observed != nil && observed.Spec.Selector != nil {
		spec.Selector = observed.Spec.Selector
	}
}
