// Package condition makes the conditions of an instance from the verdicts on it.
package condition

import (
	"slices"
	"time"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/release"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Verdict is the reason and the message of a condition.
type Verdict struct{ Reason, Message string }

// Judge returns the verdicts on an instance, be it one shard or many.
type Judge interface {
	PrimaryVerdict() (v Verdict, ok bool)
	ReplicationVerdict() (v Verdict, ok bool)
	SentinelVerdict() (v Verdict, ok bool)
	StorageVerdict() (v Verdict, ok bool)
	// ConfigVerdict: when known is false nothing was read in this pass, and the last verdict stands.
	ConfigVerdict() (v Verdict, ok, known bool)
	CredentialsVerdict() (v Verdict, ok bool)
	PlacedVerdict() (v Verdict, ok bool)
}

// All returns the conditions that every kind of data instance has.
func All(t *v1alpha1.KVRocksTopology, now time.Time, j Judge) []metav1.Condition {
	all := make([]metav1.Condition, 0, 7)
	add := func(kind string) func(v Verdict, ok bool) {
		return func(v Verdict, ok bool) { all = append(all, New(t, now, kind, ok, v)) }
	}
	add(v1alpha1.ConditionPrimaryAvailable)(j.PrimaryVerdict())
	add(v1alpha1.ConditionReplicationHealthy)(j.ReplicationVerdict())
	if t.Spec.Release {
		// Unknown, so that the transition tells when the release began.
		all = append(all, with(metav1.ConditionUnknown, t, now, v1alpha1.ConditionSentinelAgreed,
			Verdict{ReasonReleasing, "the monitors are being removed"}))
	} else {
		add(v1alpha1.ConditionSentinelAgreed)(j.SentinelVerdict())
	}
	add(v1alpha1.ConditionStorageHealthy)(j.StorageVerdict())
	if v, ok, known := j.ConfigVerdict(); known {
		add(v1alpha1.ConditionConfigApplied)(v, ok)
	} else if last := meta.FindStatusCondition(t.Status.Conditions, v1alpha1.ConditionConfigApplied); last != nil {
		all = append(all, *last)
	}
	add(v1alpha1.ConditionCredentialsApplied)(j.CredentialsVerdict())
	if t.Spec.Paused {
		add(v1alpha1.ConditionPaused)(Verdict{v1alpha1.ReasonPaused, "no planned change is begun; failover goes on"}, true)
	}
	if slices.ContainsFunc(t.Spec.Shards, func(s v1alpha1.TopologyShard) bool { return s.Primary != "" }) {
		add(v1alpha1.ConditionPrimaryPlaced)(j.PlacedVerdict())
	}
	return all
}

// Replicating returns the verdict on nodes that replicate as they are to: the message, or that they are of different releases.
func Replicating(message string, releases []string) Verdict {
	if mixed := release.Mixed(releases); mixed != "" {
		return Verdict{ReasonMixedVersions, message + "; " + mixed}
	}
	return Verdict{ReasonReplicasLinked, message}
}

// New returns a condition that is True or False. The time of its last transition is carried over while that stays the same.
func New(t *v1alpha1.KVRocksTopology, now time.Time, kind string, ok bool, v Verdict) metav1.Condition {
	status := metav1.ConditionFalse
	if ok {
		status = metav1.ConditionTrue
	}
	return with(status, t, now, kind, v)
}

func with(s metav1.ConditionStatus, t *v1alpha1.KVRocksTopology, now time.Time, kind string, v Verdict) metav1.Condition {
	c := metav1.Condition{
		Type: kind, Status: s, Reason: v.Reason, Message: v.Message,
		ObservedGeneration: t.Generation, LastTransitionTime: metav1.NewTime(now),
	}
	if before := meta.FindStatusCondition(t.Status.Conditions, kind); before != nil && before.Status == s {
		c.LastTransitionTime = before.LastTransitionTime
	}
	return c
}
