package hooks

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/hooks/hookstest"
	"github.com/kvrocks/kvrocks-operator/metacontroller"
)

// The other actors of a world, each with one move: the StatefulSet controller, the kubelet and the sidecar. They follow
// the real ones' rules as far as the hooks depend on them.

// controller makes one move of the StatefulSet controller on every StatefulSet: Parallel pod management; a pod that
// is missing is made from the present template; with OnDelete none is replaced.
func (w *world) controller() {
	for _, name := range w.podNames() {
		if w.pods[name].DeletionTimestamp != nil {
			delete(w.pods, name) // its grace period is over
		}
	}
	for _, name := range w.podNames() {
		if w.seen.StatefulSets[metacontroller.Key(w.cr.Namespace, hookstest.SetOf(name))] == nil {
			w.removePod(name, "collected")
		}
	}
	for _, set := range sortedByKey(w.seen.StatefulSets) {
		w.runSet(set)
	}
}

func (w *world) runSet(set *appsv1.StatefulSet) {
	replicas := hookstest.Replicas(set)
	for k := range replicas {
		if name := podName(set.Name, k); w.pods[name] == nil {
			w.makePod(name, set)
		}
	}
	for _, name := range w.podsOf(set) {
		if w.ordinal(name) >= replicas {
			w.removePod(name, "scaled down")
		}
	}
	if set.Spec.UpdateStrategy.Type != appsv1.OnDeleteStatefulSetStrategyType {
		w.roll(set)
	}
	w.count(set)
}

// roll replaces the highest pod that has an old template, unless a higher one is not ready.
func (w *world) roll(set *appsv1.StatefulSet) {
	for k := hookstest.Replicas(set) - 1; k >= 0; k-- {
		pod := w.pods[podName(set.Name, k)]
		switch {
		case pod == nil || pod.DeletionTimestamp != nil:
			return
		case pod.Labels[appsv1.ControllerRevisionHashLabelKey] != hookstest.Revision(w.t, set):
			w.removePod(pod.Name, "updated")
			return
		case !hookstest.Ready(pod):
			return
		}
	}
}

func (w *world) podsOf(set *appsv1.StatefulSet) []string {
	return slices.DeleteFunc(w.podNames(), func(pod string) bool { return hookstest.SetOf(pod) != set.Name })
}

func (w *world) count(set *appsv1.StatefulSet) {
	status := appsv1.StatefulSetStatus{ObservedGeneration: set.Generation, UpdateRevision: hookstest.Revision(w.t, set)}
	updated := int32(0)
	for _, name := range w.podsOf(set) {
		pod := w.pods[name]
		status.Replicas++
		if hookstest.Ready(pod) {
			status.ReadyReplicas++
		}
		if pod.Labels[appsv1.ControllerRevisionHashLabelKey] == status.UpdateRevision {
			updated++
		}
	}
	status.UpdatedReplicas = updated
	set.Status = status
}

func (w *world) makePod(name string, set *appsv1.StatefulSet) {
	w.tick()
	template := set.Spec.Template.DeepCopy()
	pod := &corev1.Pod{ObjectMeta: template.ObjectMeta, Spec: template.Spec}
	pod.Name, pod.Namespace = name, w.cr.Namespace
	pod.UID = types.UID(fmt.Sprintf("uid-%s-%d", name, w.clock.Sub(epoch)/time.Second))
	pod.Labels[appsv1.ControllerRevisionHashLabelKey] = hookstest.Revision(w.t, set)
	pod.CreationTimestamp = metav1.NewTime(w.clock)
	w.pods[name] = pod
}

// removePod begins the end of a pod, and fails the test if that is unsafe.
func (w *world) removePod(name, why string) {
	pod := w.pods[name]
	if pod.DeletionTimestamp != nil {
		return
	}
	w.log("%s: %s", name, why)
	if w.onRemove != nil {
		w.onRemove(name, why)
	}
	w.tick()
	pod.DeletionTimestamp = &metav1.Time{Time: w.clock}
}

// kubelet starts the container of a pod, or finds that it cannot.
func (w *world) kubelet() {
	for _, name := range w.podNames() {
		pod := w.pods[name]
		if pod.DeletionTimestamp != nil || len(pod.Status.ContainerStatuses) > 0 {
			continue
		}
		w.tick()
		state := corev1.ContainerStatus{Name: v1alpha1.ContainerKVRocks, Ready: true}
		if w.broken[pod.Spec.Containers[0].Image] {
			state.Ready = false
			state.State.Waiting = &corev1.ContainerStateWaiting{Reason: "ImagePullBackOff"}
			if len(pod.Spec.InitContainers) > 0 { // they have the same image, and come first
				pod.Status.InitContainerStatuses = []corev1.ContainerStatus{{Name: v1alpha1.ContainerRecall, State: state.State}}
				state.State = corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "PodInitializing"}}
			}
		}
		pod.Status.ContainerStatuses = []corev1.ContainerStatus{state}
		w.setReady(pod, state.Ready && len(pod.Spec.ReadinessGates) == 0)
		return
	}
}

func (w *world) setReady(pod *corev1.Pod, ready bool) {
	status := corev1.ConditionFalse
	if ready {
		status = corev1.ConditionTrue
	}
	if hookstest.Ready(pod) == ready && len(pod.Status.Conditions) > 0 {
		return
	}
	w.tick()
	pod.Status.Conditions = []corev1.PodCondition{{
		Type: corev1.PodReady, Status: status, LastTransitionTime: metav1.NewTime(w.clock),
	}}
}

func running(pod *corev1.Pod) bool {
	return pod != nil && pod.DeletionTimestamp == nil &&
		len(pod.Status.ContainerStatuses) > 0 && pod.Status.ContainerStatuses[0].Ready
}

// sidecar makes one pass: it elects, hands over, attaches and reports.
func (w *world) sidecar() {
	topology := w.topology()
	if topology == nil {
		return
	}
	status := v1alpha1.KVRocksTopologyStatus{
		ObservedGeneration: topology.Generation, Released: topology.Spec.Release, Conditions: topology.Status.Conditions,
		ControllerEpoch: topology.Status.ControllerEpoch,
	}
	if _, set := topology.Spec.Config["hz"]; set {
		status.UnknownSettings = []string{"hz"} // a setting of Redis
	}
	if !w.noUpgrades {
		status.Upgrade = topology.Spec.Upgrade
	}
	for i := range topology.Spec.Shards {
		status.Shards = append(status.Shards, w.reportShard(&topology.Spec.Shards[i]))
	}
	healthy := true
	for i := range status.Shards {
		healthy = healthy && status.Shards[i].Master != ""
	}
	for i := range topology.Spec.Shards {
		w.replaceOne(&topology.Spec.Shards[i])
	}
	kinds := []string{v1alpha1.ConditionSentinelAgreed, v1alpha1.ConditionCredentialsApplied}
	if w.cr.Spec.Type != v1alpha1.TypeSentinel {
		kinds = []string{
			v1alpha1.ConditionPrimaryAvailable, v1alpha1.ConditionReplicationHealthy, v1alpha1.ConditionStorageHealthy,
			v1alpha1.ConditionSentinelAgreed, v1alpha1.ConditionConfigApplied, v1alpha1.ConditionCredentialsApplied,
		}
	}
	if w.cr.Spec.Type == v1alpha1.TypeCluster {
		kinds = append(kinds, v1alpha1.ConditionSlotsAssigned)
	}
	if wanted := topology.Spec.Storage; wanted != nil {
		kinds = append(kinds, v1alpha1.ConditionStorageReady)
		status.Volumes = &v1alpha1.VolumeSizes{Data: &wanted.Size, Etcd: wanted.EtcdSize}
	}
	if slices.ContainsFunc(topology.Spec.Shards, func(s v1alpha1.TopologyShard) bool { return s.Primary != "" }) {
		kinds = append(kinds, v1alpha1.ConditionPrimaryPlaced)
	}
	for _, kind := range kinds {
		w.report(&status, kind, healthy)
	}
	topology.Status = status
}

func (w *world) report(status *v1alpha1.KVRocksTopologyStatus, kind string, healthy bool) {
	condition := metav1.Condition{
		Type: kind, Status: conditionStatus(healthy), Reason: "Healthy", Message: "as it should be", ObservedGeneration: status.ObservedGeneration,
	}
	if !healthy {
		condition.Reason, condition.Message = "NoMaster", "no node has been proved to be the master"
	}
	old := meta.FindStatusCondition(status.Conditions, kind)
	switch {
	case old == nil || old.Status != condition.Status:
		w.tick()
		condition.LastTransitionTime = metav1.NewTime(w.clock)
	case old.ObservedGeneration == condition.ObservedGeneration:
		return
	default:
		condition.LastTransitionTime = old.LastTransitionTime
	}
	status.Conditions = slices.DeleteFunc(slices.Clone(status.Conditions), func(c metav1.Condition) bool { return c.Type == kind })
	status.Conditions = append(status.Conditions, condition)
}

// confirm has the sidecar report on the present topology what it reported on the one before.
func (w *world) confirm() {
	topology := w.topology()
	topology.Status.ObservedGeneration = topology.Generation
	for i := range topology.Status.Conditions {
		topology.Status.Conditions[i].ObservedGeneration = topology.Generation
	}
}

func (w *world) reportShard(spec *v1alpha1.TopologyShard) v1alpha1.TopologyShardStatus {
	w.elect(spec)
	master := w.masters[spec.Index]
	status := v1alpha1.TopologyShardStatus{Index: spec.Index, Master: master}
	if owned := w.slots[spec.Index]; w.cr.Spec.Type == v1alpha1.TypeCluster && owned != "" {
		for r := range strings.SplitSeq(owned, ",") {
			status.Slots = append(status.Slots, v1alpha1.SlotRange(r))
		}
	}
	if spec.Primary == master {
		status.PrimarySwitched = master
	} else if last := w.lastReported(spec.Index); last != nil && last.PrimarySwitched == spec.Primary {
		status.PrimarySwitched = spec.Primary
	}
	status.Removable = spec.Leaving && len(status.Slots) == 0
	safe := master != "" && !slices.Contains(spec.Handoff, master)
	for _, member := range spec.Members {
		pod := w.pods[member.Pod]
		node := v1alpha1.TopologyNode{Pod: member.Pod, Address: member.Address, Link: v1alpha1.LinkUnreachable}
		if running(pod) {
			node.Link = v1alpha1.LinkUnattached
		}
		if running(pod) && master != "" {
			node.Link, node.Attached, node.Role = v1alpha1.LinkUp, true, v1alpha1.RoleReplica
			if member.Pod == master {
				node.Role = v1alpha1.RoleMaster
			}
			w.setReady(pod, true)
		}
		status.Nodes = append(status.Nodes, node)
	}
	if safe && w.ordinal(master) < spec.Replicas {
		status.ScaleTo = spec.Replicas
	} else {
		status.ScaleTo = int32(len(spec.Members))
	}
	return status
}

// lastReported is what was last reported of a shard; nil when nothing was.
func (w *world) lastReported(index int32) *v1alpha1.TopologyShardStatus {
	for i := range w.topology().Status.Shards {
		if last := &w.topology().Status.Shards[i]; last.Index == index {
			return last
		}
	}
	return nil
}

// switchTo is the pod that is still to be made master because the spec names it.
func (w *world) switchTo(spec *v1alpha1.TopologyShard) string {
	if last := w.lastReported(spec.Index); last != nil && last.PrimarySwitched == spec.Primary || !running(w.pods[spec.Primary]) {
		return ""
	}
	return spec.Primary
}

// replaceOne deletes a listed pod: a replica when every other wanted pod serves, one that serves no client at once. The master
// is the last; elect hands over.
func (w *world) replaceOne(spec *v1alpha1.TopologyShard) {
	next := ""
	for _, member := range spec.Members {
		pod := w.pods[member.Pod]
		if pod == nil || pod.DeletionTimestamp != nil {
			return
		}
		listed := spec.Replace[member.Pod] == pod.UID
		switch alone := spec.Replicas == 1 && len(spec.Members) == 1; {
		case listed && (alone || !hookstest.Ready(pod)):
			w.removePod(member.Pod, "updated")
			return
		case !hookstest.Ready(pod):
			next = "-"
		case listed && member.Pod != w.masters[spec.Index] && next != "-":
			next = member.Pod
		}
	}
	if next != "" && next != "-" {
		w.removePod(next, "updated")
	}
}

// elect keeps the master unless it must not be one, or is gone while another node could be.
func (w *world) elect(spec *v1alpha1.TopologyShard) {
	master, candidate, outdated := w.masters[spec.Index], "", map[string]bool{}
	up := int32(0)
	for _, member := range spec.Members {
		name := member.Pod
		if !running(w.pods[name]) {
			continue
		}
		up++
		outdated[name] = spec.Replace[name] == w.pods[name].UID
		if name != master && !slices.Contains(spec.Handoff, name) && (candidate == "" || outdated[candidate]) {
			candidate = name
		}
	}
	lastOutdated := candidate != "" && !outdated[candidate] && outdated[master] && up == spec.Replicas
	for name := range outdated {
		lastOutdated = lastOutdated && (name == master || !outdated[name])
	}
	switch {
	case master == "" && up < spec.Replicas:
		// Never before: wait for all, one of them may hold data.
	case master != "" && w.switchTo(spec) != "" && w.switchTo(spec) != master:
		w.log("master %s -> %s, as named", master, spec.Primary)
		w.masters[spec.Index] = spec.Primary
		w.moves++
	case master == "" || !running(w.pods[master]) || slices.Contains(spec.Handoff, master) || lastOutdated:
		if candidate != "" {
			w.log("master %s -> %s", master, candidate)
			w.masters[spec.Index] = candidate
			w.moves++
		}
	}
}

func (w *world) podNames() []string {
	names := make([]string, 0, len(w.pods))
	for name := range w.pods {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func (w *world) ordinal(pod string) int32 {
	n, err := strconv.ParseInt(pod[len(hookstest.SetOf(pod))+1:], 10, 32)
	require.NoError(w.t, err)
	return int32(n)
}

// settle lets each actor act in turn until none has anything to do.
func (w *world) settle() {
	w.t.Helper()
	before := w.fingerprint()
	for range 500 {
		w.sync()
		w.controller()
		w.kubelet()
		w.deployments()
		w.sidecar()
		after := w.fingerprint()
		if after == before {
			return
		}
		before = after
	}
	w.t.Fatalf("it does not come to rest: %s", w.cr.Status.Reason)
}

// deployments reports every pod of a Deployment as ready.
func (w *world) deployments() {
	for _, d := range w.seen.Deployments {
		n := *d.Spec.Replicas
		d.Status = appsv1.DeploymentStatus{
			ObservedGeneration: d.Generation, Replicas: n, UpdatedReplicas: n, ReadyReplicas: n, AvailableReplicas: n,
		}
	}
}

// change edits the CR as a person does.
func (w *world) change(edit func(*v1alpha1.KVRocks)) {
	w.cr = w.cr.DeepCopy()
	edit(w.cr)
	w.cr.Spec = *w.cr.Spec.WithDefaults()
	w.cr.Generation++
}

// fingerprintOfChildren is everything that was declared.
func (w *world) fingerprintOfChildren() string {
	raw, err := json.Marshal(w.seen)
	require.NoError(w.t, err)
	return string(raw)
}

func (w *world) log(format string, args ...any) {
	w.story = append(w.story, fmt.Sprintf(format, args...))
}
