package plan

import (
	"maps"
	"slices"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/period"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/quorum"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// SentinelInstance plans one pass of a sentinel instance: monitors that no topology claims are removed. A name that is
// claimed is seen to in the pass of the instance that claims it.
func SentinelInstance(in SentinelInput) Plan {
	var p Plan
	spec := &in.Topology.Spec
	steps, changing := in.passwordStep()
	credentials := in.credentialsVerdict(changing)
	if p.Actions = steps; len(changing) > 0 {
		p.Again = period.Wait
	}
	p.Status = v1alpha1.KVRocksTopologyStatus{
		ObservedGeneration: in.Topology.Generation,
		Released:           spec.Release, // Nothing outside refers to sentinels.
	}
	for _, pod := range slices.Sorted(maps.Keys(in.Views)) {
		v := in.Views[pod]
		s := v1alpha1.SentinelStatus{Pod: pod, Reachable: v.Reach == Answered, Message: v.Err}
		if s.Reachable {
			s.Masters = slices.Sorted(maps.Keys(v.Masters))
		}
		for _, name := range s.Masters {
			if !in.Claimed[name] {
				p.Actions = append(p.Actions, Unmonitor{Sentinel: pod, MasterName: name})
				p.Again = period.Wait
			}
		}
		p.Status.Sentinels = append(p.Status.Sentinels, s)
	}
	sentinels := Sentinels{Configured: true, Exists: true, Want: spec.Sentinels, Views: in.Views}
	view := sentinels.view("", "", nil)
	reason, message := view.Health()
	p.Status.Conditions = []metav1.Condition{
		newCondition(in.Topology, in.Now, v1alpha1.ConditionSentinelAgreed, truth(reason == quorum.ReasonAgreed), verdict{reason, message}),
		newCondition(in.Topology, in.Now, v1alpha1.ConditionCredentialsApplied, truth(credentials.reason == ReasonApplied), credentials),
	}
	return p
}
