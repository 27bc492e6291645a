package simulation

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/hooks/hookstest"
	"github.com/kvrocks/kvrocks-operator/metacontroller"
)

// simSet is a StatefulSet as its controller knows it.
type simSet struct {
	data     bool // its pods are those of a shard
	replicas int32
	template *corev1.PodTemplateSpec
	revision string
	number   int // of the template
}

// observeSets is the StatefulSet controller and that of Deployments: they learn of a change after a while, and count pods.
func (h *hooked) observeSets() {
	for name := range h.sets {
		if h.seen.StatefulSets[metacontroller.Key(namespace, name)] == nil {
			delete(h.sets, name)
		}
	}
	for _, set := range sorted(h.seen.StatefulSets) {
		if h.d.healed || h.d.rng.IntN(2) == 0 {
			h.observeSet(set)
		}
	}
	for _, d := range sorted(h.seen.Deployments) {
		n := *d.Spec.Replicas
		d.Status = appsv1.DeploymentStatus{
			ObservedGeneration: d.Generation, Replicas: n, UpdatedReplicas: n, ReadyReplicas: n, AvailableReplicas: n,
		}
	}
}

func (h *hooked) observeSet(set *appsv1.StatefulSet) {
	known := h.sets[set.Name]
	if known == nil || set.Status.ObservedGeneration != set.Generation {
		known = &simSet{
			data: set.Labels[v1alpha1.LabelComponent] == v1alpha1.ComponentData, replicas: hookstest.Replicas(set),
			template: set.Spec.Template.DeepCopy(), revision: hookstest.Revision(h.t, set),
		}
		if known.data {
			known.number = h.numberOf(known)
		}
		h.sets[set.Name] = known
	}
	status := appsv1.StatefulSetStatus{ObservedGeneration: set.Generation, UpdateRevision: known.revision}
	if !known.data { // etcd's are not part of the world
		status.Replicas, status.ReadyReplicas, status.UpdatedReplicas = known.replicas, known.replicas, known.replicas
		set.Status = status
		return
	}
	for _, name := range h.d.names {
		p := h.d.pods[name]
		if hookstest.SetOf(name) != set.Name || !p.exists || p.forced {
			continue
		}
		status.Replicas++
		if h.d.podReady(name) {
			status.ReadyReplicas++
		}
		if p.revisionName == known.revision {
			status.UpdatedReplicas++
		}
	}
	set.Status = status
}

// numberOf numbers the templates of pods, and notes which never start.
func (h *hooked) numberOf(set *simSet) int {
	number, known := h.templates[set.revision]
	if !known {
		number = len(h.templates)
		h.templates[set.revision] = number
		h.d.broken[number] = strings.HasSuffix(set.template.Spec.Containers[0].Image, brokenImage)
		h.d.say("template %d of %s, broken: %v", number, set.revision, h.d.broken[number])
	}
	return number
}

func ordinalOf(pod string) int32 {
	n, err := strconv.Atoi(pod[strings.LastIndexByte(pod, '-')+1:])
	if err != nil {
		return -1
	}
	return int32(n)
}

func (h *hooked) wants(pod string) bool {
	set := h.sets[hookstest.SetOf(pod)]
	return set != nil && ordinalOf(pod) < set.replicas
}

func (h *hooked) template(pod string) int {
	if set := h.sets[hookstest.SetOf(pod)]; set != nil {
		return set.number
	}
	return -1
}

func (h *hooked) made(pod string, p *simPod) {
	set := h.sets[hookstest.SetOf(pod)]
	p.revision, p.revisionName, p.template, p.madeAt = set.number, set.revision, set.template, h.d.now
	p.mounted = h.configText()
}

// leave is a pod that its StatefulSet does not want any more: it ends with grace.
func (h *hooked) leave(pod string) {
	d, p, n := h.d, h.d.pods[pod], h.d.nodes[pod]
	set := h.sets[hookstest.SetOf(pod)]
	switch {
	case h.cr.DeletionTimestamp != nil:
		if !h.reported.Released {
			d.violated("%s is removed, and the instance was not released", pod)
		}
	case set != nil && set.replicas > 0 && n.master && p.attached && p.running:
		d.violated("%s is scaled away, and it is an attached master", pod)
	}
	d.say("%s is removed", pod)
	p.deleting, p.due = true, d.now.Add(d.some(20))
}

// podReady is what the kubelet says of a pod, some time after the gate was granted.
func (d *dataPlane) podReady(name string) bool {
	p := d.pods[name]
	return p.exists && p.running && p.attached && !d.now.Before(p.readySince)
}

// apiPods are the pods as the API server has them.
func (h *hooked) apiPods() map[string]*corev1.Pod {
	all := map[string]*corev1.Pod{}
	for _, name := range h.d.names {
		if p := h.d.pods[name]; p.exists && !p.forced {
			all[metacontroller.Key(namespace, name)] = h.apiPod(name, p)
		}
	}
	return all
}

func (h *hooked) apiPod(name string, p *simPod) *corev1.Pod {
	pod := &corev1.Pod{ObjectMeta: *p.template.ObjectMeta.DeepCopy(), Spec: p.template.Spec}
	pod.Name, pod.Namespace, pod.UID = name, namespace, types.UID("uid-"+p.ip)
	pod.CreationTimestamp = metav1.NewTime(p.madeAt)
	pod.Labels[appsv1.ControllerRevisionHashLabelKey] = p.revisionName
	if p.role != "" {
		pod.Labels[v1alpha1.LabelRole] = string(p.role)
	}
	if p.deleting {
		pod.DeletionTimestamp = &metav1.Time{Time: p.madeAt}
	}
	attached, ready := corev1.ConditionFalse, corev1.ConditionFalse
	since := metav1.NewTime(p.madeAt)
	if p.attached {
		attached = corev1.ConditionTrue
	}
	if h.d.podReady(name) {
		ready, since = corev1.ConditionTrue, metav1.NewTime(p.readySince)
	}
	pod.Status.Phase, pod.Status.PodIP = corev1.PodRunning, p.ip
	pod.Status.Conditions = []corev1.PodCondition{
		{Type: v1alpha1.AttachedGate, Status: attached, LastTransitionTime: since},
		{Type: corev1.PodReady, Status: ready, LastTransitionTime: since},
	}
	container := corev1.ContainerStatus{Name: v1alpha1.ContainerKVRocks, Ready: p.running}
	waiting := func(reason string) corev1.ContainerState {
		return corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason}}
	}
	switch {
	case h.d.broken[p.revision]:
		pod.Status.InitContainerStatuses = []corev1.ContainerStatus{{Name: v1alpha1.ContainerRecall, State: waiting("ImagePullBackOff")}}
		container.State = waiting("PodInitializing")
	case p.running:
		container.State.Running = &corev1.ContainerStateRunning{}
	case p.backingOff:
		container.State = waiting("CrashLoopBackOff")
	default:
		container.State = waiting("ContainerCreating")
	}
	pod.Status.ContainerStatuses = []corev1.ContainerStatus{container}
	return pod
}

// configText is the kvrocks.conf that a pod mounts.
func (h *hooked) configText() string {
	config := h.seen.ConfigMaps[metacontroller.Key(namespace, h.cr.Name+"-config")]
	if config == nil {
		return ""
	}
	return config.Data["kvrocks.conf"]
}

// settingsIn are the settings of a kvrocks.conf.
func settingsIn(text string) map[string]string {
	all := map[string]string{}
	for line := range strings.Lines(text) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), " "); ok && !strings.HasPrefix(name, "#") {
			all[name] = strings.TrimSpace(value)
		}
	}
	return all
}

func sorted[T any](objects map[string]*T) []*T {
	list := make([]*T, 0, len(objects))
	for _, key := range slices.Sorted(maps.Keys(objects)) {
		list = append(list, objects[key])
	}
	return list
}
