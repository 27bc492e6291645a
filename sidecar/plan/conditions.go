package plan

import (
	"fmt"
	"strings"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/condition"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/storage"
)

func (p *facts) PrimaryVerdict() (condition.Verdict, bool) {
	switch m := p.proven; {
	case m == nil || p.waiting.Reason != "":
		return p.waiting, false
	case !m.was.Attached || m.was.Role != v1alpha1.RoleMaster:
		return condition.Verdict{Reason: condition.ReasonAttaching, Message: m.name + " is master and is being attached"}, false
	}
	if p.proven.node.Refusal != "" {
		reason := condition.ReasonVolumeFull
		if p.proven.node.Refusal == storage.RefusalMaxSize {
			reason = condition.ReasonMaxSizeReached
		}
		return condition.Verdict{Reason: reason, Message: p.proven.refusalText()}, false
	}
	return condition.Verdict{Reason: condition.ReasonMasterServing, Message: p.recorded.Master + " is the master"}, true
}

func (p *facts) ReplicationVerdict() (condition.Verdict, bool) {
	if p.shard.Replicas <= 1 {
		return condition.Verdict{Reason: condition.ReasonNoReplicas, Message: "one pod has no replicas"}, true
	}
	var missing, behind []string
	staying := int32(0)
	for _, m := range p.members {
		if m.leaving {
			continue
		}
		staying++
		switch link := p.linkOf(m); {
		case m.name == p.recorded.Master || link == v1alpha1.LinkUp:
		case link == v1alpha1.LinkLagging:
			behind = append(behind, m.name+" "+p.bounds.Text(p.recorded.lag(m, p.proven)))
		default:
			missing = append(missing, fmt.Sprintf("%s (%s)", m.name, link))
		}
	}
	switch {
	case p.recorded.Master == "":
		return condition.Verdict{Reason: condition.ReasonReplicasMissing, Message: "there is no master to follow"}, false
	case len(missing) > 0:
		return condition.Verdict{Reason: condition.ReasonReplicasMissing, Message: "not replicating: " + strings.Join(missing, ", ")}, false
	case len(behind) > 0:
		return condition.Verdict{Reason: condition.ReasonReplicasLagging, Message: "not in sync, behind " + p.recorded.Master + ": " + strings.Join(behind, ", ")}, false
	case staying < p.shard.Replicas:
		return condition.Verdict{Reason: condition.ReasonReplicasMissing, Message: fmt.Sprintf("%d pods are still to come", p.shard.Replicas-staying)}, false
	}
	if p.in.Topology.Spec.Type == v1alpha1.TypeCluster { // which compares its shards
		return condition.Verdict{Reason: condition.ReasonReplicasLinked}, true
	}
	return condition.Replicating("every replica is linked to "+p.recorded.Master, p.appendVersions(make([]string, 0, len(p.members)))), true
}

// appendVersions appends those of the members.
func (p *facts) appendVersions(to []string) []string {
	for _, m := range p.members {
		to = append(to, p.versionOf(m))
	}
	return to
}

func (p *facts) CredentialsVerdict() (condition.Verdict, bool) {
	if e := p.in.Credentials.Err; e != "" {
		return condition.Verdict{Reason: condition.ReasonSecretUnreadable, Message: e}, false
	}
	for _, m := range p.members {
		if m.exists && m.node.Reach == Refused {
			return condition.Verdict{Reason: condition.ReasonRefused, Message: m.name + " refuses every known password: " + m.node.Err}, false
		}
	}
	if stale := p.in.Credentials.Stale; len(stale) > 0 {
		return condition.Verdict{Reason: condition.ReasonApplying, Message: "giving the present password to " + strings.Join(stale, ", ")}, false
	}
	if p.sentinels.AuthUnknown {
		return condition.Verdict{Reason: condition.ReasonApplying, Message: "giving the present password to the sentinels"}, false
	}
	return condition.Verdict{Reason: condition.ReasonApplied, Message: "every node uses the wanted password"}, true
}
