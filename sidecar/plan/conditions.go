package plan

import (
	"fmt"
	"strings"
	"time"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Reasons of the conditions.
const (
	// PrimaryAvailable.

	// ReasonMasterServing: the master answers, is attached and labelled.
	ReasonMasterServing = "MasterServing"
	// ReasonAttaching: the master is proved and is being put into the Services.
	ReasonAttaching = "Attaching"
	// ReasonWaitingForMembers: no master can be chosen before the named members answer.
	ReasonWaitingForMembers = "WaitingForMembers"
	// ReasonPromoting: a member is being made master.
	ReasonPromoting = "Promoting"
	// ReasonMasterDown: the recorded master does not serve, and it is not yet time to replace it.
	ReasonMasterDown = "MasterDown"
	// ReasonSentinelElecting: the sentinels are replacing the master.
	ReasonSentinelElecting = "SentinelElecting"
	// ReasonHandingOver: writes are stopped for a planned move.
	ReasonHandingOver = "HandingOver"
	// ReasonWouldLoseWrites: the member with the most data lacks more writes than spec.failover.maxLostWrites allows.
	ReasonWouldLoseWrites = "WouldLoseWrites"
	// ReasonControllerUnavailable: kvrocks-controller does not answer, and without it no master can be replaced.
	ReasonControllerUnavailable = "ControllerUnavailable"
	// ReasonCreating: the cluster is being created.
	ReasonCreating = "Creating"
	// ReasonRebuilding: kvrocks-controller has lost its record of the cluster, and it is made again from what the nodes say.
	ReasonRebuilding = "Rebuilding"

	// ReasonShardsMissing: the volumes remember slots of shards that the cluster does not have; the message says what to do.
	ReasonShardsMissing = "ShardsMissing"

	// ReplicationHealthy.

	// ReasonReplicasLinked: every wanted replica is attached and its link is up.
	ReasonReplicasLinked = "ReplicasLinked"
	// ReasonNoReplicas: none is wanted.
	ReasonNoReplicas = "NoReplicasWanted"
	// ReasonReplicasMissing: some wanted replica is not attached or its link is not up.
	ReasonReplicasMissing = "ReplicasMissing"
	// ReasonReplicasLagging: some wanted replica replicates and is too far behind to be in sync.
	ReasonReplicasLagging = "ReplicasLagging"
	// ReasonJoining: a shard is not in the cluster yet.
	ReasonJoining = "Joining"

	// SentinelAgreed; the others are those of [quorum.View.Agreement].

	// ReasonReleasing: the monitors are being removed because the instance is being deleted.
	ReasonReleasing = "Releasing"

	// StorageHealthy.

	// ReasonVolumesHaveRoom: no volume is as full as spec.storage.warnPercent says.
	ReasonVolumesHaveRoom = "VolumesHaveRoom"
	// ReasonVolumeNearlyFull: some volume is; everything works.
	ReasonVolumeNearlyFull = "VolumeNearlyFull"
	// ReasonVolumeFull: some volume has no space left. PrimaryAvailable has it as well when it is that of a master, which then
	// refuses writes.
	ReasonVolumeFull = "VolumeFull"
	// ReasonMaxSizeReached: some database has reached max-db-size and refuses writes.
	ReasonMaxSizeReached = "MaxSizeReached"
	// ReasonSyncLacksSpace: some volume has no room for a full sync.
	ReasonSyncLacksSpace = "SyncLacksSpace"

	// ConfigApplied and CredentialsApplied.

	// ReasonApplied: done.
	ReasonApplied = "Applied"
	// ReasonApplying: under way.
	ReasonApplying = "Applying"
	// ReasonRefused: a node refused it; the message quotes the node.
	ReasonRefused = "Refused"
	// ReasonUnknownSettings: True, but kvrocks ignores the settings that the message names, because it does not know them.
	ReasonUnknownSettings = "UnknownSettings"
	// ReasonRestartRequired: a node takes the setting only when it starts.
	ReasonRestartRequired = "RestartRequired"
	// ReasonSecretUnreadable: the password could not be read.
	ReasonSecretUnreadable = "SecretUnreadable"
)

// judge returns the verdicts on an instance, be it one shard or many.
type judge interface {
	primaryVerdict() (v verdict, ok bool)
	replicationVerdict() (v verdict, ok bool)
	sentinelVerdict() (v verdict, ok bool)
	storageVerdict() (v verdict, ok bool)
	// configVerdict: when known is false nothing was read in this pass, and the last verdict stands.
	configVerdict() (v verdict, ok, known bool)
	credentialsVerdict() (v verdict, ok bool)
}

// conditions returns the conditions that every kind of data instance has.
func conditions(t *v1alpha1.KVRocksTopology, now time.Time, j judge) []metav1.Condition {
	all := make([]metav1.Condition, 0, 7)
	add := func(kind string, v verdict, ok bool) {
		all = append(all, newCondition(t, now, kind, truth(ok), v))
	}
	v, ok := j.primaryVerdict()
	add(v1alpha1.ConditionPrimaryAvailable, v, ok)
	v, ok = j.replicationVerdict()
	add(v1alpha1.ConditionReplicationHealthy, v, ok)
	if t.Spec.Release {
		// Unknown, so that the transition tells when the release began.
		all = append(all, newCondition(t, now, v1alpha1.ConditionSentinelAgreed, metav1.ConditionUnknown,
			verdict{ReasonReleasing, "the monitors are being removed"}))
	} else {
		v, ok = j.sentinelVerdict()
		add(v1alpha1.ConditionSentinelAgreed, v, ok)
	}
	v, ok = j.storageVerdict()
	add(v1alpha1.ConditionStorageHealthy, v, ok)
	if v, ok, known := j.configVerdict(); known {
		add(v1alpha1.ConditionConfigApplied, v, ok)
	} else if last := conditionOf(t.Status.Conditions, v1alpha1.ConditionConfigApplied); last != nil {
		all = append(all, *last)
	}
	v, ok = j.credentialsVerdict()
	add(v1alpha1.ConditionCredentialsApplied, v, ok)
	return all
}

// newCondition dates a condition: the time of its last transition is carried over while the status stays the same.
func newCondition(
	t *v1alpha1.KVRocksTopology, now time.Time, kind string, s metav1.ConditionStatus, v verdict,
) metav1.Condition {
	c := metav1.Condition{
		Type: kind, Status: s, Reason: v.reason, Message: v.message,
		ObservedGeneration: t.Generation, LastTransitionTime: metav1.NewTime(now),
	}
	if before := conditionOf(t.Status.Conditions, kind); before != nil && before.Status == s {
		c.LastTransitionTime = before.LastTransitionTime
	}
	return c
}

func conditionOf(all []metav1.Condition, kind string) *metav1.Condition {
	for i := range all {
		if all[i].Type == kind {
			return &all[i]
		}
	}
	return nil
}

func truth(ok bool) metav1.ConditionStatus {
	if ok {
		return metav1.ConditionTrue
	}
	return metav1.ConditionFalse
}

func (p *pass) primaryVerdict() (verdict, bool) {
	switch m := p.proven; {
	case m == nil || p.waiting.reason != "":
		return p.waiting, false
	case !m.was.Attached || m.was.Role != v1alpha1.RoleMaster:
		return verdict{ReasonAttaching, m.name + " is master and is being attached"}, false
	}
	if p.proven.node.Refusal != "" {
		reason := ReasonVolumeFull
		if p.proven.node.Refusal == RefusalMaxSize {
			reason = ReasonMaxSizeReached
		}
		return verdict{reason, p.proven.refusalText()}, false
	}
	return verdict{ReasonMasterServing, p.master + " is the master"}, true
}

func (p *pass) replicationVerdict() (verdict, bool) {
	if p.shard.Replicas <= 1 {
		return verdict{ReasonNoReplicas, "one pod has no replicas"}, true
	}
	var missing, behind []string
	staying := int32(0)
	for i := range p.members {
		m := &p.members[i]
		if m.leaving {
			continue
		}
		staying++
		switch link := p.linkOf(m); {
		case m.name == p.master || link == v1alpha1.LinkUp:
		case link == v1alpha1.LinkLagging:
			behind = append(behind, m.name+" "+p.lagText(m))
		default:
			missing = append(missing, fmt.Sprintf("%s (%s)", m.name, link))
		}
	}
	switch {
	case p.master == "":
		return verdict{ReasonReplicasMissing, "there is no master to follow"}, false
	case len(missing) > 0:
		return verdict{ReasonReplicasMissing, "not replicating: " + strings.Join(missing, ", ")}, false
	case len(behind) > 0:
		return verdict{ReasonReplicasLagging, "not in sync, behind " + p.master + ": " + strings.Join(behind, ", ")}, false
	case staying < p.shard.Replicas:
		return verdict{ReasonReplicasMissing, fmt.Sprintf("%d pods are still to come", p.shard.Replicas-staying)}, false
	}
	return verdict{ReasonReplicasLinked, "every replica is linked to " + p.master}, true
}

func (p *pass) credentialsVerdict() (verdict, bool) {
	if e := p.in.Credentials.Err; e != "" {
		return verdict{ReasonSecretUnreadable, e}, false
	}
	for i := range p.members {
		if m := &p.members[i]; m.exists && m.node.Reach == Refused {
			return verdict{ReasonRefused, m.name + " refuses every known password: " + m.node.Err}, false
		}
	}
	if stale := p.in.Credentials.Stale; len(stale) > 0 {
		return verdict{ReasonApplying, "giving the present password to " + strings.Join(stale, ", ")}, false
	}
	if p.sentinels.AuthUnknown {
		return verdict{ReasonApplying, "giving the present password to the sentinels"}, false
	}
	return verdict{ReasonApplied, "every node uses the wanted password"}, true
}
