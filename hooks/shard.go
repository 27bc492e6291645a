package hooks

import (
	"strconv"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

// shard is one StatefulSet of data nodes: the whole of a standard instance, or one of a cluster's.
type shard struct {
	index      int32
	name       string // of the StatefulSet; its pods are <name>-<ordinal>
	masterName string // registered with sentinel
	wanted     int32  // pods

	// Of a cluster:
	leaving    bool // the shard is to be removed
	gone       bool // it left the cluster: only its last pods remain
	notItsTurn bool // another shard is being updated
}

// statefulSet returns the observed StatefulSet of a shard; nil when there is none.
func (in *instance) statefulSet(s shard) *appsv1.StatefulSet {
	return in.children.StatefulSets[in.key(s.name)]
}

// replicasOf returns the number of pods that an observed StatefulSet asks for; 0 for none, and never more than we ever ask for.
func replicasOf(set *appsv1.StatefulSet) int32 {
	switch {
	case set == nil:
		return 0
	case set.Spec.Replicas == nil:
		return 1 // the default of the API
	default:
		return min(max(*set.Spec.Replicas, 0), maxOrdinals)
	}
}

// ordinals returns one more than the highest ordinal of the shard that ever had a Service. Services stay for as long as the
// instance lives: a sentinel may still list the address of a pod that was scaled away, so that address must not be given
// to another pod, and a pod that returns gets its own again.
func (in *instance) ordinals(s shard) int32 {
	return min(max(s.wanted, replicasOf(in.statefulSet(s)), in.serviceOrdinals[s.name]), maxOrdinals)
}

// countServices returns, by the name of a StatefulSet, one more than the highest ordinal of a pod that has a Service.
func countServices(namespace string, services map[string]*corev1.Service) map[string]int32 {
	highest := map[string]int32{}
	for key, service := range services {
		name, inNamespace := strings.CutPrefix(key, namespace+"/")
		at := strings.LastIndexByte(name, '-')
		if service == nil || !inNamespace || at < 0 {
			continue
		}
		if n, ok := parseOrdinal(name[at+1:], maxOrdinals); ok {
			highest[name[:at]] = max(highest[name[:at]], n+1)
		}
	}
	return highest
}

// maxOrdinals bounds the pods of a shard: spec.replicas is at most 99.
const maxOrdinals = 100

// publishedOrdinals returns how many leading ordinals, up to limit, may have a pod: those whose address is known and published.
func (in *instance) publishedOrdinals(s shard, limit int32) int32 {
	for i := range limit {
		pod := podName(s.name, i)
		if address := in.serviceAddress(pod); address == "" || in.publishedAddress(pod) != address {
			return i
		}
	}
	return limit
}

// members returns the first count pods of a shard whose address is known.
func (in *instance) members(s shard, count int32) []v1alpha1.Member {
	members := make([]v1alpha1.Member, 0, count)
	for i := range count {
		pod := podName(s.name, i)
		if address := in.serviceAddress(pod); address != "" {
			members = append(members, v1alpha1.Member{Pod: pod, Address: address})
		}
	}
	return members
}

// label returns the value of the shard label.
func (s shard) label() string { return strconv.Itoa(int(s.index)) }
