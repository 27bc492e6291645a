package claims

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan"
)

// Report is what is said of the volumes of an instance.
type Report struct {
	// Volumes are the largest sizes that claims ask for; nil when none is known.
	Volumes *v1alpha1.VolumeSizes
	// Condition is StorageReady; nil where there are no volumes.
	Condition *metav1.Condition
	// Events tell what began or ended since the last report.
	Events []plan.Event
}

// Judge returns the report on the volumes as they are. While the instance is being deleted, what was said last stays.
func Judge(in Input) Report {
	last := &in.Topology.Status
	before := meta.FindStatusCondition(last.Conditions, v1alpha1.ConditionStorageReady)
	switch {
	case in.Topology.Spec.Storage == nil:
		return Report{}
	case in.Topology.Spec.Release:
		return Report{Volumes: last.Volumes, Condition: before}
	case in.Unreadable:
		return Report{Volumes: last.Volumes, Condition: condition(in, metav1.ConditionUnknown, ReasonClaimsUnreadable,
			"the sidecar does not see the claims; if that lasts, let it list, watch and patch persistentvolumeclaims: apply the operator's manifests")}
	}
	all := volumes(in)
	reason, message := summary(in, all)
	status := metav1.ConditionFalse
	switch reason {
	case ReasonVolumesReady:
		status = metav1.ConditionTrue
	case ReasonClaimsUnlabelled:
		status = metav1.ConditionUnknown
	}
	r := Report{Volumes: largest(all), Condition: condition(in, status, reason, message)}
	if e := changed(before, r.Condition); e != nil {
		r.Events = append(r.Events, *e)
	}
	return r
}

// condition returns the condition; the time of its last transition is carried over while the status stays the same.
func condition(in Input, status metav1.ConditionStatus, reason, message string) *metav1.Condition {
	all := slices.Clone(in.Topology.Status.Conditions)
	meta.SetStatusCondition(&all, metav1.Condition{
		Type: v1alpha1.ConditionStorageReady, Status: status, Reason: reason, Message: message,
		ObservedGeneration: in.Topology.Generation, LastTransitionTime: metav1.NewTime(in.Now),
	})
	return meta.FindStatusCondition(all, v1alpha1.ConditionStorageReady)
}

// largest returns the largest sizes that claims ask for; nil when there are no claims.
func largest(all []volume) *v1alpha1.VolumeSizes {
	var sizes v1alpha1.VolumeSizes
	for i := range all {
		v := &all[i]
		if v.claim == nil {
			continue
		}
		size := &sizes.Data
		if v.etcd {
			size = &sizes.Etcd
		}
		if asked := v.requested(); *size == nil || asked.Cmp(**size) > 0 {
			*size = asked
		}
	}
	if sizes == (v1alpha1.VolumeSizes{}) {
		return nil
	}
	return &sizes
}

// summary returns the most urgent reason, and what each claim waits for, the most urgent first.
func summary(in Input, all []volume) (reason, message string) {
	waiting := map[state][]string{}
	var states []state
	for i := range all {
		s := all[i].state()
		if s.reason == "" {
			continue
		}
		if waiting[s] == nil {
			states = append(states, s)
		}
		waiting[s] = append(waiting[s], all[i].name)
	}
	if len(states) == 0 {
		return ReasonVolumesReady, "every volume has " + wanted(in.Topology.Spec.Storage)
	}
	slices.SortStableFunc(states, func(a, b state) int {
		return slices.Index(byUrgency[:], a.reason) - slices.Index(byUrgency[:], b.reason)
	})
	var parts []string
	for i, s := range states {
		if i == namedAtMost {
			parts = append(parts, "others wait as well")
			break
		}
		parts = append(parts, names(waiting[s])+": "+s.text)
	}
	return states[0].reason, strings.Join(parts, "; ")
}

// namedAtMost bounds the claims, and the things that they wait for, in a message.
const namedAtMost = 4

func names(all []string) string {
	if len(all) <= namedAtMost {
		return strings.Join(all, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(all[:namedAtMost], ", "), len(all)-namedAtMost)
}

func wanted(storage *v1alpha1.TopologyStorage) string {
	text := atLeast(storage.Size)
	if storage.EtcdSize != nil {
		text += ", those of etcd " + atLeast(*storage.EtcdSize)
	}
	return text
}

func atLeast(size resource.Quantity) string { return size.String() + " or more" }

// changed returns the event of an expansion that began, ended, or was refused since the condition before; nil when none did.
func changed(before, now *metav1.Condition) *plan.Event {
	was := ""
	if before != nil {
		was = before.Reason
	}
	if was == now.Reason {
		return nil
	}
	switch now.Reason {
	case ReasonVolumesReady:
		if expanding(was) {
			return &plan.Event{Reason: "VolumeExpanded", Message: now.Message}
		}
	case v1alpha1.ReasonVolumesExpanding, v1alpha1.ReasonResizePending:
		if !expanding(was) {
			return &plan.Event{Reason: "VolumeExpansionStarted", Message: now.Message}
		}
	case ReasonExpansionUnsupported, ReasonQuotaExceeded, ReasonExpansionRefused, ReasonExpansionFailed:
		return &plan.Event{Reason: now.Reason, Message: now.Message, Warning: true}
	}
	return nil
}

func expanding(reason string) bool {
	return reason == v1alpha1.ReasonVolumesExpanding || reason == v1alpha1.ReasonResizePending
}
