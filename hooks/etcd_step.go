package hooks

import (
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/hooks/podstate"
)

// lostAfterRestarts is how often a member must have failed before it counts as lost, about half a minute.
const lostAfterRestarts = 3

func (in *instance) etcdSet() *appsv1.StatefulSet {
	return in.children.StatefulSets[in.key(etcdName(in.name))]
}

// etcdStep returns how many members there may be now: all, or none.
//
// A member that has lost its volume cannot come back by itself: with initial-cluster-state "new" its peers tell it that it
// "has already been bootstrapped", and with "existing" it panics at the leader's first message, because it has forgotten what
// it had confirmed (etcd 3.6.16; both measured). Nor does a fixed list of members allow another number of them. But all that
// etcd holds can be made again from the data nodes. So in these cases it begins again: all members go, with their volumes,
// and come back empty. Meanwhile no master can be replaced. If enough members live to serve, that waits for a calm moment.
func (in rollout) etcdStep(template string, busy bool) step {
	wanted := in.spec.Cluster.Etcd.Replicas
	now := step{replicas: wanted, members: wanted}
	set := in.etcdSet()
	if set == nil {
		return now.wait(reasonCreating, "waiting for the StatefulSet %s", etcdName(in.name))
	}
	observed := replicasOf(set)
	if observed == 0 {
		if pod := in.remainingEtcdPod(set); pod != "" {
			now.replicas = 0
			return now.wait(reasonRestarting, "starting etcd again: waiting for %s to end", pod)
		}
		return now.wait(reasonRestarting, "starting etcd again")
	}
	why, urgent := in.etcdRestartReason(set, template)
	switch {
	case why == "":
		return now
	case !urgent && (busy || !in.controllerMayBeAway()):
		now.replicas, now.blocked = observed, true
		return now.wait(reasonRestarting, "etcd must start again, because %s; waiting until every shard has its master, no pod is replaced and no slot moves", why)
	}
	now.replicas = 0
	return now.wait(reasonRestarting, "starting etcd again, because %s", why)
}

// etcdRestartReason returns why the members must begin again; "" when they need not. It is urgent when they do not serve.
func (in rollout) etcdRestartReason(set *appsv1.StatefulSet, template string) (why string, urgent bool) {
	wanted := in.spec.Cluster.Etcd.Replicas
	switch observed := replicasOf(set); {
	case observed != wanted:
		return fmt.Sprintf("it is to have %d members instead of %d", wanted, observed), false
	case in.spec.Storage == nil && set.Spec.Template.Annotations[annotationTemplate] != template:
		return "its members have a new template and no volumes that would outlive them", false
	}
	var lost *corev1.Pod
	var youngest metav1.Time
	ready := int32(0)
	for i := range wanted {
		pod := in.pods[podName(set.Name, i)]
		switch {
		case pod == nil || pod.DeletionTimestamp != nil:
			return "", false // it may come back as it was
		case podstate.Ready(pod):
			ready++
			if youngest.Before(&pod.CreationTimestamp) {
				youngest = pod.CreationTimestamp
			}
		case memberLost(pod):
			lost = pod
		}
	}
	switch {
	case lost == nil:
		return "", false
	case ready <= wanted/2:
		return lost.Name + " cannot start, and too few others serve", true
	case youngest.Before(&lost.CreationTimestamp):
		return lost.Name + " came back without what it had", false
	}
	// A member that fails since the last start would only fail again.
	return "", false
}

// memberLost reports whether etcd itself fails again and again in a pod: what another container of it does says nothing of the member.
func memberLost(pod *corev1.Pod) bool {
	for i := range pod.Status.ContainerStatuses {
		c := &pod.Status.ContainerStatuses[i]
		if waiting := c.State.Waiting; c.Name == v1alpha1.ContainerEtcd && waiting != nil && waiting.Reason == podstate.ReasonCrashLoop {
			return c.RestartCount >= lostAfterRestarts
		}
	}
	return false
}

// remainingEtcdPod returns the name of a member that is still there; "" when there is none. The volumes go with the pods.
func (in rollout) remainingEtcdPod(set *appsv1.StatefulSet) string {
	for i := range int32(3) {
		if name := podName(set.Name, i); in.pods[name] != nil {
			return name
		}
	}
	if set.Status.Replicas > 0 {
		return podName(set.Name, 0)
	}
	return ""
}

// controllerMayBeAway reports whether no shard would suffer if kvrocks-controller were away for some seconds: none ever had a master, or
// all have one now, and no slot is on its way.
func (in rollout) controllerMayBeAway() bool {
	if in.topology == nil {
		return true
	}
	status := &in.topology.Status
	served := false
	for i := range status.Shards {
		served = served || status.Shards[i].Master != ""
		if status.Shards[i].Outage != nil {
			return false
		}
	}
	for i := range status.Migrations {
		if status.Migrations[i].State == v1alpha1.MigrationRunning {
			return false
		}
	}
	available := meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionPrimaryAvailable)
	return !served || available != nil && available.Status == metav1.ConditionTrue
}
