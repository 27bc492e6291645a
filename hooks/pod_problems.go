package hooks

import (
	"fmt"
	"maps"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/hooks/podstate"
)

// whyNotReady returns what keeps a pod, and thereby the shards, from being ready.
func (in statusBuilder) whyNotReady(shards []shard) string {
	for _, s := range shards {
		for i := range s.wanted {
			name := podName(s.name, i)
			switch pod := in.pods[name]; {
			case pod == nil:
				return fmt.Sprintf("waiting for the pod %s to be made", name)
			case !podstate.Ready(pod):
				return podstate.NotReady(pod)
			}
		}
	}
	return "waiting for the StatefulSet to see its pods ready"
}

// whyPodsNotReady returns what keeps a pod of a component from being ready.
func (in statusBuilder) whyPodsNotReady(component string) string {
	why := in.firstOf(func(pod *corev1.Pod) string {
		if pod.Labels[v1alpha1.LabelComponent] != component || podstate.Ready(pod) {
			return ""
		}
		return podstate.NotReady(pod)
	})
	if why == "" {
		return "waiting for pods to be made"
	}
	return why
}

// firstOf returns what explain says of the first pod, by name, of which it says something: of one that has not ended before those
// that have, which may have been replaced already.
func (in statusBuilder) firstOf(explain func(*corev1.Pod) string) string {
	ended := ""
	for _, name := range slices.Sorted(maps.Keys(in.pods)) {
		why := explain(in.pods[name])
		switch {
		case why == "":
		case in.pods[name].Status.Phase != corev1.PodFailed:
			return why
		case ended == "":
			ended = why
		}
	}
	return ended
}

// firstPodProblem returns what keeps the instance from having its pods: those that cannot be made, and then what is wrong with the
// first pod that something is wrong with; "" when nothing is known to be.
func (in statusBuilder) firstPodProblem() string {
	if why := in.podCreationFailure(); why != "" {
		return why
	}
	return in.firstOf(podstate.Problem)
}

// podCreationFailure returns why pods of a StatefulSet or Deployment that lacks some cannot be made; "" when nothing is known to be in
// the way.
func (in statusBuilder) podCreationFailure() string {
	for _, set := range sortedByKey(in.children.StatefulSets) {
		if set.Status.Replicas >= replicasOf(set) || in.topology == nil {
			continue
		}
		for i := range in.topology.Status.PodFailures {
			if f := &in.topology.Status.PodFailures[i]; f.StatefulSet == set.Name {
				return fmt.Sprintf("the StatefulSet %s cannot make a pod: %s", set.Name, podstate.Truncated(f.Message))
			}
		}
	}
	for _, d := range sortedByKey(in.children.Deployments) {
		for i := range d.Status.Conditions {
			if c := &d.Status.Conditions[i]; c.Type == appsv1.DeploymentReplicaFailure && c.Status == corev1.ConditionTrue {
				return fmt.Sprintf("the Deployment %s cannot make a pod: %s", d.Name, podstate.Truncated(podstate.WithoutPodName(c.Message)))
			}
		}
	}
	return ""
}
