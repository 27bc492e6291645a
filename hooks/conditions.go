package hooks

import (
	"slices"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

// Reasons of the conditions that the hooks derive themselves. The others come from the sidecar's report.
const (
	reasonInvalidSpec  = "InvalidSpec"  // the spec got past admission although it is wrong
	reasonNotManaged   = "NotManaged"   // the instance is in a namespace that is not in the operator's scope
	reasonDeleting     = "Deleting"     // waiting for the sidecar to release the instance
	reasonAsWanted     = "AsWanted"     // all is as the spec wants it
	reasonSettled      = "Settled"      // no change is being carried out
	reasonNotReported  = "NotReported"  // the sidecar has not reported yet
	reasonPodsNotReady = "PodsNotReady" // some pods are missing or not ready

	// Reasons of Progressing, and of Ready while it is not True.
	reasonWaitingForAddress = "WaitingForAddress" // a pod is held back until its Service has an address that is published to it
	reasonUpgradePending    = "UpgradePending"    // a new version of the operator makes other pods, and this instance must wait for its turn
	reasonScalingUp         = "ScalingUp"         // pods are being added
	reasonScalingDown       = "ScalingDown"       // pods are to go, or are going
	reasonRollingUpdate     = "RollingUpdate"     // pods are being replaced by ones with a new template
	reasonHandingOver       = "HandingOver"       // a pod must not be replaced before the sidecar has made another one the master
	reasonRestarting        = "Restarting"        // no pod could start with the old template; all are started again with the new one
	reasonCreating          = "Creating"          // a child is not there yet
	reasonApplying          = "Applying"          // what the spec makes of a child is not observed yet
	reasonShardOwnsSlots    = "ShardOwnsSlots"    // a shard that is to go owns slots, which a person must move
	reasonDraining          = "Draining"          // the slots of a shard that is to go are being moved
	reasonRemovingShard     = "RemovingShard"     // a shard without slots leaves the cluster
	reasonMigrating         = "MigratingSlots"    // slots move, as spec.migrate or spec.cluster asks
	reasonMigrationFailed   = "MigrationFailed"   // slots that were to move did not
	reasonRestartPending    = "RestartPending"    // (ConfigApplied) a pod is still to be restarted with the present settings

	// reasonSentinelNotFound is the sidecar's: the sentinel instance that should watch this one does not exist.
	reasonSentinelNotFound = "SentinelNotFound"
)

// conditions collects the conditions of one status.
type conditions struct {
	in   statusBuilder
	list []metav1.Condition
}

// set adds a condition that the hook derived. The hook has no clock: a condition that stays keeps its time, and one that
// changes takes the time of the newest fact that was observed.
func (c *conditions) set(kind string, status metav1.ConditionStatus, reason, message string) {
	c.list = append(c.list, c.newCondition(kind, status, reason, message))
}

// newCondition returns the condition that set adds.
func (c *conditions) newCondition(kind string, status metav1.ConditionStatus, reason, message string) metav1.Condition {
	condition := metav1.Condition{
		Type: kind, Status: status, Reason: reason, Message: message,
		ObservedGeneration: c.in.cr.Generation,
		LastTransitionTime: c.in.newestFact(),
	}
	if old := meta.FindStatusCondition(c.in.cr.Status.Conditions, kind); old != nil {
		if old.Status == status {
			condition.LastTransitionTime = old.LastTransitionTime
		} else if condition.LastTransitionTime.Before(&old.LastTransitionTime) {
			condition.LastTransitionTime = old.LastTransitionTime
		}
	}
	if condition.LastTransitionTime.IsZero() {
		condition.LastTransitionTime = metav1.Unix(1, 0) // a null would be refused; only a fixture without any time gets here
	}
	return condition
}

// reportedConditions returns a list that begins with some of the sidecar's conditions.
func (in statusBuilder) reportedConditions(kinds []string) *conditions {
	c := &conditions{in: in}
	for _, kind := range kinds {
		c.addReported(kind)
	}
	if slices.Contains(kinds, v1alpha1.ConditionConfigApplied) {
		in.reportPendingRestarts(c)
	}
	return c
}

// addReported adds a condition as the sidecar reports it, or as Unknown until it does.
func (c *conditions) addReported(kind string) {
	if c.in.topology != nil {
		if seen := meta.FindStatusCondition(c.in.topology.Status.Conditions, kind); seen != nil && !seen.LastTransitionTime.IsZero() {
			condition := *seen
			condition.ObservedGeneration = c.in.generationOf(seen)
			if condition.ObservedGeneration > 0 {
				c.list = append(c.list, condition)
				return
			}
		}
	}
	c.set(kind, metav1.ConditionUnknown, reasonNotReported, "the sidecar has not reported on this yet")
}

// generationOf returns the generation of the parent that a condition of the observed topology is about; 0 when that is not
// known. The sidecar names the generation of the topology; the present one is of spec.parentGeneration, and what is about an
// earlier one stays what it was shown to be about.
func (in statusBuilder) generationOf(seen *metav1.Condition) int64 {
	if in.topology.Generation != 0 && seen.ObservedGeneration == in.topology.Generation && in.topology.Spec.ParentGeneration > 0 {
		return in.topology.Spec.ParentGeneration
	}
	if shown := meta.FindStatusCondition(in.cr.Status.Conditions, seen.Type); shown != nil {
		return min(shown.ObservedGeneration, in.cr.Generation)
	}
	return 0
}

// firstProblem returns the first condition of the sidecar's that is not True, or not about the present generation; "" when there
// is none. That the sentinel instance does not exist keeps nothing from working, nor does a volume that fills up: when one is full,
// the others say what does not work.
func (c *conditions) firstProblem() (reason, message string) {
	for i := range c.list {
		switch seen := &c.list[i]; {
		case seen.Type == v1alpha1.ConditionStorageHealthy:
		case seen.Type == v1alpha1.ConditionStorageReady && seen.Status == metav1.ConditionUnknown: // of an older sidecar, or one that does not see the claims
		case seen.Status != metav1.ConditionTrue && seen.Reason != reasonSentinelNotFound:
			return seen.Reason, seen.Message
		case seen.ObservedGeneration != c.in.cr.Generation:
			return reasonNotReported, "the sidecar has not reported " + seen.Type + " of the present generation yet"
		}
	}
	return "", ""
}

// flaw returns the condition of an instance that works and is not as it should be: its sentinel does not exist, so that its master
// would not be replaced in time, or a volume fills up; nil when there is none.
func (c *conditions) flaw() *metav1.Condition {
	if agreed := c.get(v1alpha1.ConditionSentinelAgreed); agreed.Reason == reasonSentinelNotFound {
		return &agreed
	}
	if storage := c.get(v1alpha1.ConditionStorageHealthy); storage.Status == metav1.ConditionFalse {
		return &storage
	}
	return nil
}

// get returns a condition of the list; Unknown when it is not there.
func (c *conditions) get(kind string) metav1.Condition {
	if found := meta.FindStatusCondition(c.list, kind); found != nil {
		return *found
	}
	return metav1.Condition{Type: kind, Status: metav1.ConditionUnknown}
}

// newestFact returns the newest time that stands anywhere in what was observed.
func (in statusBuilder) newestFact() metav1.Time {
	if !in.newest.IsZero() {
		return in.newest
	}
	newest := in.cr.CreationTimestamp
	see := func(t *metav1.Time) {
		if t != nil && newest.Before(t) {
			newest = *t
		}
	}
	see(in.cr.DeletionTimestamp)
	for _, pod := range in.pods {
		see(&pod.CreationTimestamp)
		for i := range pod.Status.Conditions {
			see(&pod.Status.Conditions[i].LastTransitionTime)
		}
	}
	for _, set := range in.children.StatefulSets {
		if set != nil {
			see(&set.CreationTimestamp)
		}
	}
	for _, deployment := range in.children.Deployments {
		if deployment != nil {
			see(&deployment.CreationTimestamp)
			for i := range deployment.Status.Conditions {
				see(&deployment.Status.Conditions[i].LastTransitionTime)
			}
		}
	}
	if in.topology != nil {
		see(&in.topology.CreationTimestamp)
		for i := range in.topology.Status.Conditions {
			see(&in.topology.Status.Conditions[i].LastTransitionTime)
		}
	}
	in.newest = *newest.DeepCopy()
	return in.newest
}

// dataConditions returns the sidecar's conditions that a data instance always has.
func (in statusBuilder) dataConditions() []string {
	kinds := []string{v1alpha1.ConditionPrimaryAvailable, v1alpha1.ConditionReplicationHealthy, v1alpha1.ConditionStorageHealthy}
	if in.cr.MonitoredBy() != "" {
		kinds = append(kinds, v1alpha1.ConditionSentinelAgreed)
	}
	kinds = append(kinds, v1alpha1.ConditionConfigApplied, v1alpha1.ConditionCredentialsApplied)
	if in.spec.Storage != nil {
		kinds = append(kinds, v1alpha1.ConditionStorageReady)
	}
	if in.spec.Primary != "" || len(in.spec.Primaries) > 0 {
		kinds = append(kinds, v1alpha1.ConditionPrimaryPlaced)
	}
	return kinds
}
