package claims

import (
	"maps"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

// refusalRetry is how long an expansion that was refused is not asked for again: nothing tells when the class or the quota has changed.
const refusalRetry = time.Minute

// Input is all that is known of the volumes of an instance.
type Input struct {
	// Now is the time of the observation.
	Now time.Time
	// Topology of the instance, with its last status.
	Topology *v1alpha1.KVRocksTopology
	// Claims of the instance by name. They are not known while Unreadable is true.
	Claims     map[string]*corev1.PersistentVolumeClaim
	Unreadable bool
	// Pods are the data pods that exist, by name. The claim of each was there before it.
	Pods map[string]*corev1.Pod
	// Refusals are the last answers to expansions that were refused, by claim.
	Refusals map[string]Refusal
}

// Refusal is what the API server answered to an expansion.
type Refusal struct {
	// Size that was asked for; a refusal of another one does not count any more.
	Size resource.Quantity
	// Message of the API server.
	Message string
	// At is when.
	At time.Time
}

// Expansion is a claim that is to ask for Size.
type Expansion struct {
	Claim *corev1.PersistentVolumeClaim
	Size  resource.Quantity
}

// Due returns the expansions to ask for now, by the names of the claims. While the instance is being deleted there are none.
func Due(in Input) []Expansion {
	if in.Unreadable || in.Topology.Spec.Release {
		return nil
	}
	var due []Expansion
	for _, v := range volumes(in) {
		if !v.bound() || v.requested().Cmp(v.size) >= 0 || v.capacity().Cmp(v.size) >= 0 {
			continue
		}
		if v.refusal != nil && in.Now.Sub(v.refusal.At) < refusalRetry {
			continue
		}
		due = append(due, Expansion{Claim: v.claim, Size: v.size})
	}
	return due
}

// StillRefused returns the refusals of the sizes that are wanted now. A size that was taken back and is wanted again is asked for at once.
func StillRefused(in Input) map[string]Refusal {
	kept := map[string]Refusal{}
	for _, v := range volumes(in) {
		if v.refusal != nil {
			kept[v.name] = *v.refusal
		}
	}
	return kept
}

// volume is one that the instance is to have.
type volume struct {
	name    string                        // of its claim
	size    resource.Quantity             // wanted
	claim   *corev1.PersistentVolumeClaim // nil while there is none
	etcd    bool
	hidden  bool     // its pod exists, so that the claim must, too
	refusal *Refusal // of the wanted size
}

// volumes returns those of the pods that stay, and of etcd's members, by name. A volume that is kept of a pod which was scaled away grows
// when the pod is back: nothing would expand its file system before.
func volumes(in Input) []volume {
	var all []volume
	storage := in.Topology.Spec.Storage
	if storage == nil {
		return nil
	}
	add := func(v volume) {
		v.claim = in.Claims[v.name]
		if r, ok := in.Refusals[v.name]; ok && r.Size.Cmp(v.size) == 0 {
			v.refusal = &r
		}
		all = append(all, v)
	}
	for i := range in.Topology.Spec.Shards {
		shard := &in.Topology.Spec.Shards[i]
		for _, m := range shard.Members {
			if !shard.Leaving && !slices.Contains(shard.Handoff, m.Pod) {
				name := v1alpha1.VolumeData + "-" + m.Pod
				add(volume{name: name, size: storage.Size, hidden: in.Pods[m.Pod] != nil && in.Claims[name] == nil})
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(in.Claims)) {
		if in.Claims[name].Labels[v1alpha1.LabelComponent] == v1alpha1.ComponentEtcd && storage.EtcdSize != nil {
			add(volume{name: name, size: *storage.EtcdSize, etcd: true})
		}
	}
	return all
}

func (v *volume) bound() bool {
	return v.claim != nil && v.claim.DeletionTimestamp == nil && v.claim.Status.Phase == corev1.ClaimBound
}

// requested returns what the claim asks for.
func (v *volume) requested() *resource.Quantity {
	return v.claim.Spec.Resources.Requests.Storage()
}

// capacity returns what the volume has.
func (v *volume) capacity() *resource.Quantity {
	return v.claim.Status.Capacity.Storage()
}
