package hooks

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

// dataPlacement returns where the data nodes, or the sentinels of a sentinel instance, run.
func (in builder) dataPlacement() v1alpha1.Placement {
	return v1alpha1.Placement{
		NodeSelector:              in.spec.NodeSelector,
		Tolerations:               slices.Concat(in.spec.Tolerations, in.spec.Toleration),
		Affinity:                  in.spec.Affinity,
		TopologySpreadConstraints: in.spec.TopologySpreadConstraints,
		PriorityClassName:         in.spec.PriorityClassName,
	}
}

// componentPlacement returns where the pods of another component of a cluster run: what is given for it, and the rest as for the
// data nodes. Rules that name other pods are not inherited: written for the data nodes, they would place this component
// with, or keep it away from, the wrong pods.
func (in builder) componentPlacement(given v1alpha1.Placement) v1alpha1.Placement {
	p := in.dataPlacement()
	if given.NodeSelector != nil {
		p.NodeSelector = given.NodeSelector
	}
	if given.Tolerations != nil {
		p.Tolerations = given.Tolerations
	}
	if given.PriorityClassName != "" {
		p.PriorityClassName = given.PriorityClassName
	}
	switch {
	case given.Affinity != nil:
		p.Affinity = given.Affinity
	case p.Affinity != nil:
		p.Affinity = &corev1.Affinity{NodeAffinity: p.Affinity.NodeAffinity}
	}
	if given.TopologySpreadConstraints != nil {
		p.TopologySpreadConstraints = given.TopologySpreadConstraints
		return p
	}
	var spread []corev1.TopologySpreadConstraint
	for i := range p.TopologySpreadConstraints {
		if p.TopologySpreadConstraints[i].LabelSelector == nil {
			spread = append(spread, p.TopologySpreadConstraints[i])
		}
	}
	p.TopologySpreadConstraints = spread
	return p
}

// place writes a placement into a pod template; selector matches the pods made from it.
func place(spec *corev1.PodSpec, p v1alpha1.Placement, selector map[string]string) {
	spec.NodeSelector = p.NodeSelector
	spec.Tolerations = p.Tolerations
	spec.Affinity = affinity(p.Affinity, selector)
	spec.TopologySpreadConstraints = spread(p.TopologySpreadConstraints, selector)
	spec.PriorityClassName = p.PriorityClassName
}

// affinity returns what is given, and where that says nothing about pods that are to be apart, a preference for one pod of the
// component per node.
func affinity(given *corev1.Affinity, selector map[string]string) *corev1.Affinity {
	var all corev1.Affinity
	if given != nil {
		all = *given
	}
	if all.PodAntiAffinity == nil {
		all.PodAntiAffinity = &corev1.PodAntiAffinity{
			PreferredDuringSchedulingIgnoredDuringExecution: []corev1.WeightedPodAffinityTerm{{
				Weight: 100,
				PodAffinityTerm: corev1.PodAffinityTerm{
					LabelSelector: selectorOf(selector),
					TopologyKey:   corev1.LabelHostname,
				},
			}},
		}
	}
	return &all
}

// spread gives constraints that name no pods those of the component.
func spread(given []corev1.TopologySpreadConstraint, selector map[string]string) []corev1.TopologySpreadConstraint {
	var constraints []corev1.TopologySpreadConstraint
	for _, constraint := range given {
		if constraint.LabelSelector == nil {
			constraint.LabelSelector = selectorOf(selector)
		}
		constraints = append(constraints, constraint)
	}
	return constraints
}

// componentResources returns the given ones; cpu and memory, where neither a request nor a limit is given, are as in
// defaults. A ResourceQuota on limits would otherwise admit no pod.
func componentResources(given *corev1.ResourceRequirements, defaults corev1.ResourceRequirements) corev1.ResourceRequirements {
	all := corev1.ResourceRequirements{}
	if given != nil {
		all = *given.DeepCopy()
	}
	for _, name := range []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory} {
		_, requested := all.Requests[name]
		_, limited := all.Limits[name]
		if requested || limited {
			continue
		}
		if all.Requests == nil {
			all.Requests = corev1.ResourceList{}
		}
		if all.Limits == nil {
			all.Limits = corev1.ResourceList{}
		}
		all.Requests[name], all.Limits[name] = defaults.Requests[name], defaults.Limits[name]
	}
	return all
}

// requestsAndLimits returns requests and limits of cpu and memory.
func requestsAndLimits(cpu, memory, cpuLimit, memoryLimit string) corev1.ResourceRequirements {
	return corev1.ResourceRequirements{
		Requests: corev1.ResourceList{
			corev1.ResourceCPU: resource.MustParse(cpu), corev1.ResourceMemory: resource.MustParse(memory),
		},
		Limits: corev1.ResourceList{
			corev1.ResourceCPU: resource.MustParse(cpuLimit), corev1.ResourceMemory: resource.MustParse(memoryLimit),
		},
	}
}
