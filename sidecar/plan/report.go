package plan

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/condition"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/storage"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// finish puts the plan together.
func (p standardShard) finish() Plan {
	v, ok := p.StorageVerdict()
	p.tellStorage(p.in.Topology, v, ok)
	p.tellPause(p.in.Topology)
	p.limitPeriod()
	status := p.status(p.in, p.released)
	status.Shards = []v1alpha1.TopologyShardStatus{p.reportShard(p.mayLeave())}
	status.Conditions = condition.All(p.in.Topology, p.now, p)
	return p.plan(status)
}

// reportShard returns the shard as it is; mayLeave says whether the members beyond the wanted number may go.
func (p *facts) reportShard(mayLeave bool) v1alpha1.TopologyShardStatus {
	shard := v1alpha1.TopologyShardStatus{
		Index:           p.shard.Index,
		Master:          p.recorded.Master,
		PrimarySwitched: p.recorded.primarySwitched(p.shard.Primary),
		ScaleTo:         p.members.scaleTo(p.shard.Replicas, mayLeave),
		Outage:          p.outage,
		Nodes:           make([]v1alpha1.TopologyNode, len(p.members)),
	}
	for i, m := range p.members {
		if shard.Nodes[i] = p.reportNode(m); m.leaving && mayLeave {
			shard.Nodes[i].Role = "" // from now on the master may go on without it, which nothing may see
		}
	}
	slices.SortFunc(shard.Nodes, func(a, b v1alpha1.TopologyNode) int { return strings.Compare(a.Pod, b.Pod) })
	return shard
}

func (p *facts) reportNode(m *member) v1alpha1.TopologyNode {
	n := v1alpha1.TopologyNode{
		Pod:      m.name,
		Address:  m.address,
		Version:  p.recorded.versionOf(m),
		Role:     p.roleOf(m),
		Link:     p.linkOf(m),
		Attached: m.was.Attached,
		Message:  m.node.Err,
	}
	// Of a node that does not answer the last sequence stays: its volume still holds that much.
	n.Sequence, n.Volume = p.recorded.Sequence(m.name), p.recordedVolume(m, n.Role)
	if m.Answered() {
		n.Message = ""
		if p.proven != nil || p.recorded.Of(m) == p.recorded.Node(m.name) {
			n.Sequence = m.node.Sequence
		}
		if p.proven != nil && (n.Role == v1alpha1.RoleReplica || p.lagging(m)) {
			n.Lag = p.recorded.lag(m, p.proven)
		}
	}
	n.BehindSince, n.UsedPercent = p.behindSince(m), p.recorded.usedPercent(m)
	return n
}

// versionOf returns the version that the node of m said last, in the life of this process or of one before.
func (r *recorded) versionOf(m *member) string {
	if last := r.Node(m.name); m.node.Version == "" && last != nil {
		return last.Version
	}
	return m.node.Version
}

// behindSince returns since when the member is too far behind. While there is no proved master, or it does not answer, that stays.
func (p *facts) behindSince(m *member) *metav1.Time {
	last := p.recorded.Node(m.name)
	switch {
	case m == p.proven || p.proven != nil && p.inSync(m):
		return nil
	case last != nil && last.BehindSince != nil:
		return last.BehindSince
	case p.lagging(m):
		at := metav1.NewTime(p.now.Truncate(time.Second))
		return &at
	}
	return nil
}

// linkOf returns the link of a node to the proved master, or else to the recorded one.
func (p *facts) linkOf(m *member) v1alpha1.Link {
	master := p.proven
	if master == nil {
		master = p.members.named(p.recorded.Master)
	}
	switch {
	case m.node.Reach == Loading:
		return v1alpha1.LinkLoading
	case !m.Answered():
		return v1alpha1.LinkUnreachable
	case p.lagging(m) && m.linked(p.proven):
		return v1alpha1.LinkLagging
	case !m.was.Attached && !m.node.Syncing:
		return v1alpha1.LinkUnattached
	case m == master && m.isMaster():
		return v1alpha1.LinkUp
	case master == nil || m == master || !m.follows(master):
		return v1alpha1.LinkUnattached
	case m.node.Syncing:
		return v1alpha1.LinkSyncing
	case !m.linked(master):
		return v1alpha1.LinkDown
	}
	return v1alpha1.LinkUp
}

// state returns, in a few words, what keeps a member from serving.
func (m *member) state() string {
	switch {
	case !m.exists:
		return "no pod"
	case m.pod.Deleting:
		return "the pod is being deleted"
	case m.node.Reach == Unresponsive:
		return "it accepts connections and does not answer"
	case m.node.Reach == Loading:
		return "it is loading its database"
	case m.node.Reach == Refused:
		return "it refuses the password"
	case m.node.Reach == Unreachable && !m.pod.Running:
		return "its container does not run"
	case m.node.Reach == Unreachable:
		return "it does not answer"
	case m.node.Sequence == 0:
		return "it answers and was never written to"
	}
	return "it answers"
}

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
	return condition.Replicating("every replica is linked to "+p.recorded.Master, p.recorded.appendVersions(make([]string, 0, len(p.members)), p.members)), true
}

// appendVersions appends those of the members.
func (r *recorded) appendVersions(to []string, all members) []string {
	for _, m := range all {
		to = append(to, r.versionOf(m))
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
