package hooks

import (
	"encoding/json"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

// paused reports whether a person holds every planned change.
func (in *instance) paused() bool {
	return in.cr.Annotations[v1alpha1.AnnotationPaused] == v1alpha1.PausedValue
}

// pause keeps every observed child as it is, and has the sidecar begin no planned change. The status is that of what would be made now: it
// is Ready if nothing of it is held.
func pause(in *instance) (answer, error) {
	held, err := carryOut(in)
	if err != nil {
		return answer{}, err
	}
	kept, err := keepAllButTopology(in)
	if err != nil {
		return answer{}, err
	}
	if in.topology != nil {
		if in.topology.Spec.ParentGeneration == in.cr.Generation {
			kept.replaceWith(&held.children, "Deployment", controllerName(in.name)) // with the epoch that the sidecar asks for
		}
		kept.add(newBuilder(in).withPause(in.topology))
	}
	return answer{children: kept, status: statusBuilder{in}.pausedStatus(held.status)}, kept.err
}

// replaceWith declares one of the children as others do, if they do.
func (c *children) replaceWith(others *children, kind, name string) {
	declared := func(raw json.RawMessage) bool { return declares(string(raw), kind, name) }
	i, j := slices.IndexFunc(c.list, declared), slices.IndexFunc(others.list, declared)
	if i >= 0 && j >= 0 {
		c.list[i] = others.list[j]
	}
}

// withPause returns the observed topology, paused. A password that a person changes in a Secret of their own is not held: the pods read that
// Secret themselves.
func (in builder) withPause(observed *v1alpha1.KVRocksTopology) child {
	spec := *observed.Spec.DeepCopy()
	spec.Paused = true
	if spec.Migration != nil {
		spec.Migration.Paused = true
	}
	if in.spec.PasswordSecretRef != nil && equality.Semantic.DeepEqual(in.spec.PasswordSecretRef, spec.PasswordSecret) {
		spec.PasswordSecretVersion = in.passwordSecretVersion()
	}
	return in.topologyChild(observed.Labels[v1alpha1.LabelComponent], spec)
}

// pausedStatus returns the status of a paused instance, made from the one that it would have if it were not.
func (in statusBuilder) pausedStatus(status *v1alpha1.KVRocksStatus) *v1alpha1.KVRocksStatus {
	const how = "remove the annotation " + v1alpha1.AnnotationPaused + " to go on"
	c := &conditions{in: in, list: status.Conditions}
	ready, progressing := c.get(v1alpha1.ConditionReady), c.get(v1alpha1.ConditionProgressing)
	held := "nothing is held"
	switch {
	case ready.Reason == reasonInvalidSpec:
		held = ready.Message
	case in.topology == nil:
		held = "nothing is made"
	case in.topology.Spec.ParentGeneration != in.cr.Generation:
		held = fmt.Sprintf("generation %d of the spec is not carried out", in.cr.Generation)
	case progressing.Status == metav1.ConditionTrue:
		held = "a change is held in the middle of it: " + progressing.Message
	}
	message := "no planned change is begun, failover goes on; " + held + "; " + how
	if held != "nothing is held" && ready.Reason != reasonInvalidSpec {
		c.replace(v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonPaused, message)
	}
	c.replace(v1alpha1.ConditionProgressing, metav1.ConditionFalse, v1alpha1.ReasonPaused, message)
	c.set(v1alpha1.ConditionPaused, metav1.ConditionTrue, v1alpha1.ReasonPaused, message)
	if ready.Reason != reasonInvalidSpec && (ready.Status == metav1.ConditionTrue || held != "nothing is held") {
		status.Phase, status.Reason = v1alpha1.PhasePaused, message
	}
	status.Conditions = c.list
	return status
}
