// Package sentinelset plans the passes of an instance of sentinels, with the change of their password. What they watch is seen to in the
// passes of the instances that they watch.
package sentinelset

import (
	"maps"
	"slices"
	"time"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/action"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/condition"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/period"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/quorum"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Input is all that the pass of a sentinel instance knows. In that pass monitors that no topology claims
// are removed; everything else about the sentinels is repaired in the pass of the instance that they monitor.
type Input struct {
	// Now is the time of the observation.
	Now time.Time
	// Topology of the sentinel instance, with its last status.
	Topology *v1alpha1.KVRocksTopology
	// Views are its pods; Masters of each view holds every name that the sentinel monitors.
	Views map[string]plan.SentinelView
	// Claimed are the master names that some topology of the namespace wants this instance to monitor.
	Claimed map[string]bool
	// Credentials says whether the wanted password could be read, and Password whether one is wanted.
	Credentials plan.Credentials
	Password    bool
}

// Plan plans one pass of a sentinel instance: monitors that no topology claims are removed. A name that is
// claimed is seen to in the pass of the instance that claims it.
func Plan(in Input) plan.Plan {
	var p plan.Plan
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
		s := v1alpha1.SentinelStatus{Pod: pod, Reachable: v.Reach == plan.Answered, Message: v.Err}
		if s.Reachable {
			s.Masters = slices.Sorted(maps.Keys(v.Masters))
		}
		for _, name := range s.Masters {
			if !in.Claimed[name] {
				p.Actions = append(p.Actions, action.Unmonitor{Sentinel: pod, MasterName: name})
				p.Again = period.Wait
			}
		}
		p.Status.Sentinels = append(p.Status.Sentinels, s)
	}
	sentinels := plan.Sentinels{Configured: true, Exists: true, Want: spec.Sentinels, Views: in.Views}
	view := sentinels.View("", "", nil)
	reason, message := view.Health()
	p.Status.Conditions = []metav1.Condition{
		condition.New(in.Topology, in.Now, v1alpha1.ConditionSentinelAgreed, reason == quorum.ReasonAgreed, condition.Verdict{Reason: reason, Message: message}),
		condition.New(in.Topology, in.Now, v1alpha1.ConditionCredentialsApplied, credentials.Reason == condition.ReasonApplied, credentials),
	}
	return p
}
