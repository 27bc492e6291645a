package hooks

import (
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

// step is how far a shard may go now, towards what its spec wants.
type step struct {
	replicas int32                // pods that the StatefulSet may have
	members  int32                // pods that belong to the shard: with those that are about to leave
	handoff  []string             // pods that must not be master
	replace  map[string]types.UID // pods that the sidecar is to replace
	rolling  bool                 // a new template is being rolled out
	blocked  bool                 // it must wait, and its StatefulSet stay as it is
	pending  bool                 // something is still to be done
	reason   string               // one word
	message  string               // what is awaited
}

// nextStep decides for one shard, given the hash of the template that its pods should have.
func (in rollout) nextStep(s shard, template string) step {
	set := in.statefulSet(s)
	now := in.scale(s, set)
	if set == nil || now.replicas == 0 && replicasOf(set) == 0 {
		return now
	}
	return in.rollOut(s, set, template, now)
}

// scale decides how many pods there may be.
func (in rollout) scale(s shard, set *appsv1.StatefulSet) step {
	observed := replicasOf(set)
	if s.wanted < observed {
		return in.scaleDown(s, observed)
	}
	published := in.publishedOrdinals(s, s.wanted)
	now := step{replicas: max(published, observed)}
	now.members = now.replicas
	if published < s.wanted {
		pod := podName(s.name, published)
		now.pending, now.reason = true, reasonWaitingForAddress
		if in.children.Services[in.key(pod)] == nil && in.children.ConfigMaps[in.key(configName(in.name))] != nil {
			// The other children were made.
			now.message = fmt.Sprintf("waiting for the Service %s; if that lasts, another instance has one of this name, and one of the two needs another name", pod)
		} else if in.serviceAddress(pod) == "" {
			now.message = fmt.Sprintf("waiting for the Service address of %s", pod)
		} else {
			now.message = fmt.Sprintf("waiting for the address of %s to be published to its pod", pod)
		}
	} else if observed < s.wanted {
		now.pending, now.reason = true, reasonScalingUp
		now.message = fmt.Sprintf("adding pods to %s: %d of %d are there", s.name, observed, s.wanted)
	}
	return now
}

// scaleDown holds the pods that are to go until the sidecar says, of the present topology, that none of them is needed.
func (in rollout) scaleDown(s shard, observed int32) step {
	now := step{replicas: observed, members: observed, pending: true, reason: reasonScalingDown}
	for i := s.wanted; i < observed; i++ {
		now.handoff = append(now.handoff, podName(s.name, i))
	}
	if status := in.shardStatus(s.index); status != nil && in.scaleAnswered(s) && status.ScaleTo > 0 {
		now.replicas = min(observed, max(s.wanted, status.ScaleTo))
	}
	now.message = fmt.Sprintf("waiting for the pods above %s to be given up before they are removed", podName(s.name, s.wanted-1))
	if now.replicas < observed {
		now.message = fmt.Sprintf("removing pods from %s: %d of %d are left to go", s.name, observed-s.wanted, observed)
	}
	return now
}

// scaleAnswered reports whether the topology's status answers a spec that wanted as many pods as the parent does now.
func (in rollout) scaleAnswered(s shard) bool {
	if !current(in.topology) {
		return false
	}
	for i := range in.topology.Spec.Shards {
		if in.topology.Spec.Shards[i].Index == s.index {
			return in.topology.Spec.Shards[i].Replicas == s.wanted
		}
	}
	return false
}

// linkUp reports whether the topology's status, of the present spec, shows a pod with its link up.
func (in rollout) linkUp(s shard, pod string) bool {
	status := in.shardStatus(s.index)
	if status == nil || !current(in.topology) {
		return false
	}
	for i := range status.Nodes {
		if status.Nodes[i].Pod == pod {
			return status.Nodes[i].Link == v1alpha1.LinkUp
		}
	}
	return false
}
