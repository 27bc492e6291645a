package hooks

import (
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kvrocks/kvrocks-operator/hooks/podstate"
)

// rollOut returns the pods that are to be replaced because they do not run what the StatefulSet's template says: the spec has
// changed, or `kubectl rollout restart` was run. The StatefulSet itself replaces none of them (OnDelete). The sidecar
// does, in its own order (see sidecar/plan/replace.go): one at a time, and the master last, so that a roll costs one
// handover whatever the master's ordinal is.
//
//   - Nothing is listed before the StatefulSet's controller has seen the template: a pod deleted before that would come
//     back as it was.
//   - Pods that are about to be removed are not replaced. The sidecar moves a master off them once a pod with the new template
//     can take it.
//   - One shard of a cluster at a time is updated; the others wait for their turn.
func (in rollout) rollOut(s shard, set *appsv1.StatefulSet, template string, now step) step {
	pods := shardPods{set: set, template: template, count: replicasOf(set), staying: min(replicasOf(set), s.wanted), byName: in.pods}
	if pods.mustRestartAll(in.keepsVolumes(), in.mayHaveServed(s, set)) {
		// The old template cannot work and nothing serves: begin again, without waiting for any pod to be ready, which takes
		// its peers. Volumes stay.
		now.replicas, now.handoff, now.members = 0, nil, s.wanted
		return now.wait(reasonRestarting, "no pod of %s could start; starting all of them again with the new template", s.name)
	}
	now.rolling = pods.anyOutdated() || !pods.ready()
	if pods.templateObserved() {
		now.replace = in.allOutdated(s, pods)
	}
	switch {
	case !pods.anyOutdated():
		return now
	case s.notItsTurn:
		return now.wait(reasonRollingUpdate, "updating %s after the shards before it", s.name)
	}
	return in.explainRoll(s, pods, now)
}

// explainRoll returns what a roll waits for, by the rules that the sidecar goes by.
func (in rollout) explainRoll(s shard, pods shardPods, now step) step {
	next, awaited := in.nextOutdated(s, pods), in.awaitedInRoll(s, pods)
	name := podName(s.name, next)
	switch {
	case awaited < 0 || awaited == next || !podstate.Ready(pods.at(next)):
	case pods.outdated(awaited):
		return now.wait(reasonRollingUpdate, "waiting for %s to be ready before %s is updated", podName(s.name, awaited), name)
	default:
		return now.wait(reasonRollingUpdate, "waiting for %s to be ready with the new template", podName(s.name, awaited))
	}
	if name == in.reportedMaster(s) && pods.staying > 1 {
		return now.wait(reasonHandingOver, "handing the master over before %s is updated", name)
	}
	return now.wait(reasonRollingUpdate, "updating %s", name)
}

// nextOutdated returns the ordinal of the pod that is to be replaced next: one that does not serve before those that do, the highest
// first, and the master last.
func (in rollout) nextOutdated(s shard, pods shardPods) int32 {
	next, best := int32(0), -1
	for k := pods.staying - 1; k >= 0; k-- {
		rank := 0
		switch {
		case !pods.outdated(k):
			continue
		case podName(s.name, k) == in.reportedMaster(s):
		case podstate.Ready(pods.at(k)):
			rank = 1
		default:
			rank = 2
		}
		if rank > best {
			next, best = k, rank
		}
	}
	return next
}

// awaitedInRoll returns the highest ordinal of a pod that does not serve, of those with the new template first; -1 when all do. A
// pod that its old template keeps from starting is not waited for.
func (in rollout) awaitedInRoll(s shard, pods shardPods) int32 {
	found := int32(-1)
	for k := pods.staying - 1; k >= 0; k-- {
		serves := podstate.Ready(pods.at(k)) && (pods.staying == 1 || in.linkUp(s, podName(s.name, k)))
		switch {
		case serves, pods.outdated(k) && podstate.CannotStart(pods.at(k)):
		case !pods.outdated(k):
			return k
		case found < 0:
			found = k
		}
	}
	return found
}

// wait returns the step with what the step waits for, unless it waits for something else already.
func (now step) wait(reason, format string, args ...any) step {
	if !now.pending {
		now.pending, now.reason, now.message = true, reason, fmt.Sprintf(format, args...)
	}
	return now
}

// mayHaveServed reports whether the shard may ever have had a master. The topology is made before the StatefulSet; one that is
// younger was lost and made again, and what it does not report is not known.
func (in rollout) mayHaveServed(s shard, set *appsv1.StatefulSet) bool {
	return in.topology == nil || in.reportedMaster(s) != "" ||
		set.CreationTimestamp.Before(&in.topology.CreationTimestamp)
}

// shardPods are the pods that an observed StatefulSet has.
type shardPods struct {
	set      *appsv1.StatefulSet
	template string // wanted: its hash
	count    int32  // pods that the StatefulSet asks for
	staying  int32  // those of them that are not about to be removed
	byName   map[string]*corev1.Pod
}

// at returns the pod with an ordinal; nil when it is not there.
func (p shardPods) at(ordinal int32) *corev1.Pod { return p.byName[podName(p.set.Name, ordinal)] }

// templateObserved reports whether the StatefulSet has the wanted template and its controller knows it, so that a pod which is
// made now gets it.
func (p shardPods) templateObserved() bool {
	return p.set.Spec.Template.Annotations[annotationTemplate] == p.template &&
		p.set.Status.ObservedGeneration == p.set.Generation
}

// outdated reports whether a pod is there and was made from another template than the present one: one that the spec no
// longer asks for, or, as its revision says, one that was changed since (`kubectl rollout restart`).
func (p shardPods) outdated(ordinal int32) bool {
	pod := p.at(ordinal)
	if pod == nil {
		return false
	}
	of, wanted := pod.Labels[appsv1.ControllerRevisionHashLabelKey], p.set.Status.UpdateRevision
	changed := p.templateObserved() && of != "" && wanted != "" && of != wanted
	return changed || pod.Annotations[annotationTemplate] != p.template
}

// allOutdated returns the outdated pods that may be replaced, with their UIDs; nil when there are none. Of a shard that must wait
// for its turn, and of the pods that are about to be removed, these are those that cannot start: others may depend on what they
// hold. A master that does not serve, and whose data would go with its pod, is spared.
func (in rollout) allOutdated(s shard, pods shardPods) map[string]types.UID {
	var all map[string]types.UID
	for k := range pods.count {
		name := podName(s.name, k)
		if idle := s.notItsTurn || k >= pods.staying; idle && (!pods.outdated(k) || !podstate.CannotStart(pods.at(k))) {
			continue
		}
		spared := name == in.reportedMaster(s) && pods.staying > 1 && in.spec.Storage == nil && !podstate.Ready(pods.at(k))
		if pods.outdated(k) && !spared {
			if all == nil {
				all = map[string]types.UID{}
			}
			all[name] = pods.at(k).UID
		}
	}
	return all
}

func (p shardPods) anyOutdated() bool {
	for k := range p.staying {
		if p.outdated(k) {
			return true
		}
	}
	return false
}

// ready reports whether every pod that stays is.
func (p shardPods) ready() bool {
	for k := range p.staying {
		if !podstate.Ready(p.at(k)) {
			return false
		}
	}
	return true
}

// mustRestartAll reports whether nothing serves, an old template keeps pods from starting, and nothing can be lost by removing
// all pods: no master was ever reported, or every pod is stuck and the data is on volumes that are kept.
func (p shardPods) mustRestartAll(volumes, served bool) bool {
	if p.count == 0 || served && !volumes {
		return false
	}
	var blocked, seen int32
	for k := range p.count {
		pod := p.at(k)
		if podstate.Ready(pod) {
			return false
		}
		if pod != nil {
			seen++
		}
		if p.outdated(k) && podstate.CannotStart(pod) {
			blocked++
		}
	}
	if seen < min(p.set.Status.Replicas, p.count) {
		return false // the StatefulSet has more pods than are observed
	}
	return blocked == p.count || blocked > 0 && !served
}
