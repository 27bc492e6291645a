package plan

import (
	"fmt"
	"maps"
	"slices"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// SentinelInstance plans one pass of a sentinel instance: monitors that no topology claims are removed. A name that is
// claimed is seen to in the pass of the instance that claims it.
func SentinelInstance(in SentinelInput) Plan {
	var p Plan
	spec := &in.Topology.Spec
	answered := int32(0)
	steps, changing := in.passwordStep()
	credentials := in.credentialsVerdict(changing)
	if p.Actions = steps; len(changing) > 0 {
		p.Again = againWait
	}
	p.Status = v1alpha1.KVRocksTopologyStatus{
		ObservedGeneration: in.Topology.Generation,
		Released:           spec.Release, // Nothing outside refers to sentinels.
	}
	for _, pod := range slices.Sorted(maps.Keys(in.Views)) {
		v := in.Views[pod]
		s := v1alpha1.SentinelStatus{Pod: pod, Reachable: v.Reach == Answered, Message: v.Err}
		if s.Reachable {
			answered++
			s.Masters = slices.Sorted(maps.Keys(v.Masters))
		}
		for _, name := range s.Masters {
			if !in.Claimed[name] {
				p.Actions = append(p.Actions, Unmonitor{Sentinel: pod, MasterName: name})
				p.Again = againWait
			}
		}
		p.Status.Sentinels = append(p.Status.Sentinels, s)
	}
	tilted := slices.DeleteFunc(slices.Sorted(maps.Keys(in.Views)), func(pod string) bool {
		return in.Views[pod].Reach != Answered || !in.Views[pod].Tilt
	})
	v := verdict{ReasonAgreed, fmt.Sprintf("%d of %d sentinels answer", answered, spec.Sentinels)}
	if answered < v1alpha1.Quorum(spec.Sentinels) {
		v.reason = ReasonQuorumLost
	} else if answered < spec.Sentinels {
		v.reason = ReasonSentinelUnreachable
	} else if len(tilted) > 0 {
		v = tiltVerdict(tilted)
	}
	p.Status.Conditions = []metav1.Condition{
		newCondition(in.Topology, in.Now, v1alpha1.ConditionSentinelAgreed, truth(v.reason == ReasonAgreed), v),
		newCondition(in.Topology, in.Now, v1alpha1.ConditionCredentialsApplied, truth(credentials.reason == ReasonApplied), credentials),
	}
	return p
}
