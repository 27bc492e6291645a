package hooks

import (
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
)

// rollOut decides how far an update of the pod template may go: the StatefulSet replaces pods from the highest ordinal
// down to the partition, and this moves the partition.
//
//   - A new template is declared together with a partition above every pod, so nothing moves in that moment.
//   - The partition never rises while the template stays, so a pod that was released stays released.
//   - A pod is released once the sidecar has reported that it is not the master although it was asked to be none, when
//     every pod above it runs the new template with its link up, and no other pod is out of service. A pod that is itself
//     out of service does not have to wait for others.
//   - A shard with one pod has nobody to hand over to: it is updated at once.
//   - One shard of a cluster at a time is updated; the others are held.
func (in *instance) rollOut(s shard, set *appsv1.StatefulSet, template string, now step) step {
	pods := in.shardPods(s, set, template)
	if pods.hopeless(in.keepsVolumes(), in.served(s, set)) {
		// The old template cannot work and nothing serves: begin again, or the StatefulSet would wait for ever for the first
		// replaced pod to be ready, which takes its peers. Volumes stay.
		now.replicas, now.partition, now.handoff, now.members = 0, 0, nil, s.wanted
		return now.wait(reasonRestarting, "no pod of %s could start; starting all of them again with the new template", s.name)
	}
	now.partition = pods.count
	if set.Spec.Template.Annotations[annotationTemplate] == template {
		now.partition = min(now.partition, partitionOf(set))
	}
	if now.replicas < replicasOf(set) || s.wanted < pods.count {
		return now // one change at a time: first the pods that leave
	}
	if s.held && now.partition > 0 {
		return now.wait(reasonRollingUpdate, "updating %s after the shards before it", s.name)
	}
	if pods.count == 1 {
		now.partition = 0
	}
	now = in.release(s, pods, now)
	now.rolling = now.partition > 0 || !pods.settled()
	return now
}

// release moves the partition down by as much as is safe, and says what it waits for.
func (in *instance) release(s shard, pods shardPods, now step) step {
	for k := pods.count - 1; k >= now.partition; k-- {
		if name := podName(s.name, k); pods.outdated(k) {
			now.handoff = handoffOf(pods, name)
			return now.wait(reasonRollingUpdate, "updating %s", name)
		} else if pods.count > 1 && now.partition > 0 && (!podReady(pods.at(k)) || !in.linked(s, name)) {
			now.handoff = handoffOf(pods, name)
			return now.wait(reasonRollingUpdate, "waiting for %s to be ready with the new template", name)
		}
	}
	for now.partition > 0 {
		k := now.partition - 1
		name := podName(s.name, k)
		if pods.updated(k) && podReady(pods.at(k)) && in.linked(s, name) {
			now.partition = k
			continue
		}
		now.handoff = handoffOf(pods, name)
		switch other := pods.outOfService(k); {
		case pods.updated(k):
			now.partition = k
			return now.wait(reasonRollingUpdate, "waiting for %s to be ready with the new template", name)
		case !in.handedOff(s, name):
			return now.wait(reasonHandingOver, "handing the master over before %s is updated", name)
		case pods.at(k) == nil && pods.unseen:
			return now.wait(reasonRollingUpdate, "waiting to see the pod %s", name)
		case podReady(pods.at(k)) && other != "":
			return now.wait(reasonRollingUpdate, "waiting for %s to be ready before %s is updated", other, name)
		}
		now.partition = k
		return now.wait(reasonRollingUpdate, "updating %s", name)
	}
	return now
}

func handoffOf(pods shardPods, name string) []string {
	if pods.count == 1 {
		return nil // nobody to hand over to
	}
	return []string{name}
}

// wait says what the step waits for, unless it waits for something else already.
func (now step) wait(reason, format string, args ...any) step {
	if !now.pending {
		now.pending, now.reason, now.message = true, reason, fmt.Sprintf(format, args...)
	}
	return now
}

// served reports whether the shard may ever have had a master. The topology is made before the StatefulSet; one that is
// younger was lost and made again, and what it does not report is not known.
func (in *instance) served(s shard, set *appsv1.StatefulSet) bool {
	return in.topology == nil || in.reportedMaster(s) != "" ||
		set.CreationTimestamp.Before(&in.topology.CreationTimestamp)
}

func partitionOf(set *appsv1.StatefulSet) int32 {
	if u := set.Spec.UpdateStrategy.RollingUpdate; u != nil && u.Partition != nil {
		return max(*u.Partition, 0)
	}
	return 0
}

// shardPods are the pods that an observed StatefulSet has.
type shardPods struct {
	name     string // of the StatefulSet
	template string // wanted: its hash
	count    int32  // pods that the StatefulSet asks for
	byName   map[string]*corev1.Pod
	unseen   bool // the StatefulSet has more pods than are observed
}

func (in *instance) shardPods(s shard, set *appsv1.StatefulSet, template string) shardPods {
	pods := shardPods{
		name: s.name, template: template, byName: in.pods,
		count: replicasOf(set),
	}
	var seen int32
	for k := range pods.count {
		if pods.at(k) != nil {
			seen++
		}
	}
	pods.unseen = seen < min(set.Status.Replicas, pods.count)
	return pods
}

// at is nil when the pod is not there.
func (p shardPods) at(ordinal int32) *corev1.Pod { return p.byName[podName(p.name, ordinal)] }

// updated reports whether a pod is there and was made from the wanted template.
func (p shardPods) updated(ordinal int32) bool {
	pod := p.at(ordinal)
	return pod != nil && pod.Annotations[annotationTemplate] == p.template
}

// outdated reports whether a pod is there and was made from another template.
func (p shardPods) outdated(ordinal int32) bool { return p.at(ordinal) != nil && !p.updated(ordinal) }

// settled reports whether every pod was made from the wanted template and is ready.
func (p shardPods) settled() bool {
	for k := range p.count {
		if !p.updated(k) || !podReady(p.at(k)) {
			return false
		}
	}
	return true
}

// outOfService names a pod other than ordinal that is not ready and may still become so; "" when there is none. A pod that
// its template keeps from starting does not hold back an update, which may be what repairs it.
func (p shardPods) outOfService(ordinal int32) string {
	for k := range p.count {
		pod := p.at(k)
		repairable := p.outdated(k) && stuck(pod)
		if k != ordinal && !podReady(pod) && !repairable {
			return podName(p.name, k)
		}
	}
	return ""
}

// hopeless reports whether nothing serves, an old template keeps pods from starting, and nothing can be lost by removing
// all pods: no master was ever reported, or every pod is stuck and the data is on volumes that are kept.
func (p shardPods) hopeless(volumes, served bool) bool {
	if p.count == 0 || p.unseen || served && !volumes {
		return false
	}
	var blocked int32
	for k := range p.count {
		if podReady(p.at(k)) {
			return false
		}
		if p.outdated(k) && stuck(p.at(k)) {
			blocked++
		}
	}
	return blocked == p.count || blocked > 0 && !served
}
