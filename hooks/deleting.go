package hooks

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

// mayRemovePods reports whether the pods of an instance that is being deleted may go: the sidecar has released it, there is
// no topology to release, or a person decided not to wait for that.
func (in *instance) mayRemovePods() bool {
	return in.topology == nil || released(in.topology) || in.cr.Annotations[v1alpha1.AnnotationRelease] == v1alpha1.ReleaseSkipped
}

// deletingStatus returns the status of an instance that is being deleted; mayRemovePods: its pods go.
func (in statusBuilder) deletingStatus(mayRemovePods bool) *v1alpha1.KVRocksStatus {
	message := in.remainingMessage()
	if !mayRemovePods {
		message = in.releaseMessage()
	}
	status, c := in.lastStatus()
	if mayRemovePods {
		// Its pods end: what was known of them is not so any more.
		status.Shards, status.SlotMap, status.Master, status.Slots, status.ShardsReady = nil, nil, "", "", ""
		for i := range c.list {
			kind := c.list[i].Type
			c.list[i] = c.newCondition(kind, metav1.ConditionFalse, reasonDeleting, "the instance is being deleted")
		}
	}
	status.Phase, status.Reason = v1alpha1.PhaseDeleting, message
	c.set(v1alpha1.ConditionReady, metav1.ConditionFalse, reasonDeleting, message)
	c.set(v1alpha1.ConditionProgressing, metav1.ConditionTrue, reasonDeleting, message)
	status.Conditions = c.list
	return status
}

// releaseMessage returns what the sidecar has yet to do before the pods may go, and what a person can do when it does not.
func (in statusBuilder) releaseMessage() string {
	t := in.topology
	if !t.Spec.Release {
		return "asking the sidecar to release the instance"
	}
	hint := fmt.Sprintf("to delete without it: kubectl -n %s annotate kvrocks %s %s=%s", in.namespace, in.name, v1alpha1.AnnotationRelease, v1alpha1.ReleaseSkipped)
	if !current(t) {
		return fmt.Sprintf("waiting%s for the sidecar, which has answered generation %d of the KVRocksTopology %s and not the request for release of generation %d; "+
			"look at it: kubectl -n kvrocks-system get deployment kvrocks-sidecar; %s", in.sinceDeletion(), t.Status.ObservedGeneration, t.Name, t.Generation, hint)
	}
	what := "the sidecar is removing what refers to the instance"
	if seen := meta.FindStatusCondition(t.Status.Conditions, v1alpha1.ConditionSentinelAgreed); seen != nil && seen.Message != "" {
		what += ": " + seen.Message
	}
	return fmt.Sprintf("waiting%s until it is released; %s; %s", in.sinceDeletion(), what, hint)
}

// sinceDeletion returns when the deletion was asked for.
func (in statusBuilder) sinceDeletion() string {
	if in.cr.DeletionTimestamp == nil {
		return ""
	}
	return " since " + in.cr.DeletionTimestamp.UTC().Format(time.RFC3339)
}

// remainingMessage returns which pod, StatefulSet or Deployment is still there. Of several pods it names the one whose time to end was
// over first.
func (in statusBuilder) remainingMessage() string {
	if len(in.pods) > 0 {
		return in.remainingPodMessage()
	}
	var left []string
	name := func(kind string, o metav1.Object) {
		text := kind + " " + o.GetName()
		if finalizers := o.GetFinalizers(); o.GetDeletionTimestamp() != nil && len(finalizers) > 0 {
			text += " (held by its finalizer " + finalizers[0] + ")"
		}
		left = append(left, text)
	}
	for _, o := range sortedByKey(in.children.StatefulSets) {
		name("StatefulSet", o)
	}
	for _, o := range sortedByKey(in.children.Deployments) {
		name("Deployment", o)
	}
	if len(left) == 0 {
		return "everything of it has ended"
	}
	return "waiting for its workloads to go: " + strings.Join(left, ", ")
}

func (in statusBuilder) remainingPodMessage() string {
	due := func(pod *corev1.Pod) int64 {
		if pod.DeletionTimestamp == nil {
			return math.MaxInt64
		}
		return pod.DeletionTimestamp.Unix()
	}
	pods := slices.SortedFunc(maps.Values(in.pods), func(a, b *corev1.Pod) int {
		return cmp.Or(cmp.Compare(due(a), due(b)), cmp.Compare(a.Name, b.Name))
	})
	pod := pods[0]
	var facts []string
	if pod.Spec.NodeName != "" {
		facts = append(facts, "on the node "+pod.Spec.NodeName)
	}
	if pod.DeletionTimestamp != nil {
		facts = append(facts, "due to have ended by "+pod.DeletionTimestamp.UTC().Format(time.RFC3339))
	}
	if len(pod.Finalizers) > 0 {
		facts = append(facts, "held by its finalizer "+pod.Finalizers[0])
	}
	text := fmt.Sprintf("waiting for %d pods to end, %s among them", len(pods), pod.Name)
	if len(facts) > 0 {
		text += " (" + strings.Join(facts, ", ") + ")"
	}
	return fmt.Sprintf("%s; if its machine is lost, delete it by force: kubectl -n %s delete pod %s --force --grace-period=0", text, in.namespace, pod.Name)
}

// lastStatus returns the status of an instance for which nothing is decided now: it shows what the observed objects and the
// sidecar say, and of everything else what was shown before. The conditions Ready and Progressing are left to the caller.
func (in statusBuilder) lastStatus() (*v1alpha1.KVRocksStatus, *conditions) {
	status := in.cr.Status.DeepCopy()
	status.ObservedGeneration = 0 // added by Metacontroller
	in.countPods(status)
	if sizes := in.volumeSizes(); sizes != nil {
		status.Volumes = sizes
	}
	if t := in.topology; t != nil && t.Spec.Type != v1alpha1.TypeSentinel {
		status.Shards, status.Master = nil, ""
		for i := range t.Status.Shards {
			status.Shards = append(status.Shards, in.shardView(shard{index: t.Status.Shards[i].Index}))
		}
		status.Migrations = t.Status.Migrations
		if n := len(t.Status.Failovers); n > 0 {
			status.LastFailover = &t.Status.Failovers[n-1]
		}
		switch {
		case t.Spec.Type == v1alpha1.TypeCluster:
			status.Slots, status.SlotMap = slotSummary(status.Shards)
		case len(status.Shards) > 0:
			status.Master = status.Shards[0].Master
		}
	}
	c := &conditions{in: in}
	for i := range in.cr.Status.Conditions {
		switch kind := in.cr.Status.Conditions[i].Type; {
		case kind == v1alpha1.ConditionReady || kind == v1alpha1.ConditionProgressing:
		case kind == v1alpha1.ConditionDegraded || in.topology == nil || meta.FindStatusCondition(in.topology.Status.Conditions, kind) == nil:
			c.list = append(c.list, in.cr.Status.Conditions[i])
		default:
			c.addReported(kind)
		}
	}
	return status, c
}

// countPods counts as dataStatus and sentinelStatus do. How many are wanted is what was shown before.
func (in statusBuilder) countPods(status *v1alpha1.KVRocksStatus) {
	status.Replicas, status.ReadyReplicas = 0, 0
	count := func(labels map[string]string, component string, replicas, ready int32) {
		if labels[v1alpha1.LabelComponent] == component {
			status.Replicas = max(status.Replicas, replicas)
			status.ReadyReplicas += ready
		}
	}
	for _, set := range sortedByKey(in.children.StatefulSets) {
		count(set.Labels, v1alpha1.ComponentData, set.Status.Replicas, set.Status.ReadyReplicas)
	}
	for _, d := range sortedByKey(in.children.Deployments) {
		count(d.Labels, v1alpha1.ComponentSentinel, d.Status.Replicas, d.Status.ReadyReplicas)
	}
	if _, wanted, ok := strings.Cut(status.Ready, "/"); ok {
		status.Ready = fmt.Sprintf("%d/%s", status.ReadyReplicas, wanted)
	}
}
