package hooks

import (
	"fmt"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

// minShownLag is the lag, in sequence numbers, from which a person should see it. Below it the status shows 0, so that
// ordinary traffic does not change it.
const minShownLag = 1000

// standardStatus returns the status of a standard instance.
func (in statusBuilder) standardStatus(s shard, now step, out *children) *v1alpha1.KVRocksStatus {
	status, complete := in.dataStatus([]shard{s})
	status.Master = status.Shards[0].Master
	now = in.pendingChange(now, out)
	if !now.pending && !complete {
		now.reason, now.message = reasonPodsNotReady, in.whyNotReady([]shard{s})
	}
	in.conclude(status, in.reportedConditions(in.dataConditions()), now, status.Master != "")
	return status
}

// dataStatus begins the status of an instance of the given shards. complete reports whether all their pods are ready.
func (in statusBuilder) dataStatus(shards []shard) (status *v1alpha1.KVRocksStatus, complete bool) {
	status = in.newStatus(v1alpha1.ComponentData)
	status.Volumes = in.volumeSizes()
	var wanted int32
	for _, s := range shards {
		wanted += s.wanted
		if set := in.statefulSet(s); set != nil {
			status.Replicas = max(status.Replicas, set.Status.Replicas)
			status.ReadyReplicas += set.Status.ReadyReplicas
		}
		status.Shards = append(status.Shards, in.shardView(s))
	}
	status.Ready = fraction(status.ReadyReplicas, wanted)
	if in.topology != nil {
		if n := len(in.topology.Status.Failovers); n > 0 {
			status.LastFailover = &in.topology.Status.Failovers[n-1]
		}
	}
	return status, status.ReadyReplicas >= wanted
}

// sentinelStatus returns the status of a sentinel instance.
func (in statusBuilder) sentinelStatus(out *children) *v1alpha1.KVRocksStatus {
	status := in.newStatus(v1alpha1.ComponentSentinel)
	wanted := in.spec.Replicas
	status.Quorum = v1alpha1.Quorum(wanted)
	if deployment := in.children.Deployments[in.key(in.name)]; deployment != nil {
		status.Replicas, status.ReadyReplicas = deployment.Status.Replicas, deployment.Status.ReadyReplicas
	}
	now := in.pendingChange(in.deploymentStep(in.name, v1alpha1.ComponentSentinel, "sentinels", wanted), out)
	status.Ready = fraction(status.ReadyReplicas, wanted)
	c := in.reportedConditions([]string{v1alpha1.ConditionSentinelAgreed, v1alpha1.ConditionCredentialsApplied})
	in.conclude(status, c, now, status.ReadyReplicas >= status.Quorum)
	return status
}

// refusedStatus returns the status of an instance for which nothing is done. What is observed stays visible.
func (in statusBuilder) refusedStatus(reason, message string) *v1alpha1.KVRocksStatus {
	status, c := in.lastStatus()
	status.Phase, status.Reason = v1alpha1.PhaseFailed, message
	c.set(v1alpha1.ConditionReady, metav1.ConditionFalse, reason, message)
	c.set(v1alpha1.ConditionProgressing, metav1.ConditionFalse, reason, message)
	status.Conditions = c.list
	return status
}

// newStatus begins a status with what every type has.
func (in statusBuilder) newStatus(component string) *v1alpha1.KVRocksStatus {
	return &v1alpha1.KVRocksStatus{
		Selector: labels.SelectorFromSet(in.selector(component)).String(), // of the scale subresource: an autoscaler's pods
		Image:    in.spec.Image,
	}
}

// conclude derives Ready, Progressing, Degraded, the phase and its reason from the step and the sidecar's conditions.
// served says whether the instance was ever complete enough to serve.
func (in statusBuilder) conclude(status *v1alpha1.KVRocksStatus, c *conditions, now step, served bool) {
	if now.reason == "" && !current(in.topology) {
		now = now.wait(reasonNotReported, "waiting for the sidecar to report on the change; if that lasts, look at the Deployment kvrocks-sidecar")
	}
	if now.reason == "" {
		now.reason, now.message = c.firstProblem()
		now.pending = underWay(now.reason)
	}
	ready := now.reason == ""
	if ready {
		now.reason, now.message = reasonAsWanted, "everything is as the spec wants it"
	} else {
		if why := in.firstPodProblem(); why != "" && !strings.Contains(now.message, why) {
			now.message += "; " + why
		}
		status.Reason = now.message
	}
	if flaw := c.flaw(); ready && flaw != nil {
		c.set(v1alpha1.ConditionDegraded, metav1.ConditionTrue, flaw.Reason, flaw.Message)
		status.Reason = flaw.Message
	} else {
		c.set(v1alpha1.ConditionDegraded, conditionStatus(!ready && !now.pending && served), now.reason, now.message)
	}
	c.set(v1alpha1.ConditionReady, conditionStatus(ready), now.reason, now.message)
	switch {
	case now.pending || !served:
		c.set(v1alpha1.ConditionProgressing, metav1.ConditionTrue, now.reason, now.message)
	case len(in.upgrade.ungranted) > 0:
		c.set(v1alpha1.ConditionProgressing, metav1.ConditionTrue, reasonUpgradePending,
			"this version of the operator makes other pods; waiting for the sidecar to let this instance be updated, a few at a time")
	default:
		c.set(v1alpha1.ConditionProgressing, metav1.ConditionFalse, reasonSettled, "no change is being carried out")
	}
	status.Phase = phase(ready, served, now.pending)
	status.Conditions = c.list
}

// underWay reports whether a reason is one of the sidecar's for a change that is being carried out, while nothing is wrong.
func underWay(reason string) bool {
	return expanding(reason) || reason == v1alpha1.ReasonSwitchingPrimary
}

// phase returns the word for an instance that has or has not got all that its spec wants.
func phase(ready, served, pending bool) v1alpha1.Phase {
	switch {
	case ready:
		return v1alpha1.PhaseRunning
	case !served:
		return v1alpha1.PhaseCreating
	case pending:
		return v1alpha1.PhaseUpdating
	default:
		return v1alpha1.PhaseDegraded
	}
}

// shardView returns a shard as a person wants to see it.
func (in statusBuilder) shardView(s shard) v1alpha1.ShardStatus {
	view := v1alpha1.ShardStatus{Index: s.index}
	seen := in.shardStatus(s.index)
	if seen == nil {
		return view
	}
	view.Master, view.Slots = seen.Master, seen.Slots
	for i := range seen.Nodes {
		node := &seen.Nodes[i]
		shown := v1alpha1.ShardNode{Pod: node.Pod, Role: node.Role, Link: node.Link}
		if node.Lag >= minShownLag {
			shown.Lag = node.Lag
		}
		view.Nodes = append(view.Nodes, shown)
	}
	return view
}

func fraction(ready, wanted int32) string { return fmt.Sprintf("%d/%d", ready, wanted) }

func conditionStatus(b bool) metav1.ConditionStatus {
	if b {
		return metav1.ConditionTrue
	}
	return metav1.ConditionFalse
}
