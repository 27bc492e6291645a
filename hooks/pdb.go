package hooks

import (
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// disruptionBudget lets one pod at a time be evicted. name is that of the Deployment or StatefulSet.
func (in builder) disruptionBudget(name, component string, selector map[string]string) child {
	budget := in.object("policy/v1", "PodDisruptionBudget", name, component)
	budget.Spec = policyv1.PodDisruptionBudgetSpec{MaxUnavailable: new(intstr.FromInt32(1)), Selector: selectorOf(selector)}
	return budget
}
