package simulation

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	corev1 "k8s.io/api/core/v1"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/hooks"
	"github.com/kvrocks/kvrocks-operator/hooks/hookstest"
	"github.com/kvrocks/kvrocks-operator/metacontroller"
)

const (
	namespace = "shop"
	// resync is how often the hook is called although nothing has changed.
	resync = 60 * time.Second
)

// hooked is the operator itself: hooks.Sync and hooks.Finalize make the topology from a KVRocks and from what Metacontroller sees, which
// is now and then out of date.
type hooked struct {
	t       testing.TB
	d       *dataPlane
	cr      *v1alpha1.KVRocks
	seen    metacontroller.Children
	applier hookstest.Applier
	sets    map[string]*simSet // the StatefulSets as their controller knows them
	// templates are numbered in the order in which pods were to have them.
	templates map[string]int
	// pods and reported are what Metacontroller's caches hold of pods and of the topology's status.
	pods     map[string]*corev1.Pod
	reported v1alpha1.KVRocksTopologyStatus
	// lastFacts are those of the last call, and lastCall its time.
	lastFacts string
	lastCall  time.Time
	// awayUntil is when the hook server answers again.
	awayUntil time.Time
	// gone: the instance has been deleted, and nothing is left of it.
	gone bool
	// editedAt is the time of the last change of the KVRocks.
	editedAt time.Time
	calls    int
}

func newHooked(t testing.TB, d *dataPlane, cr *v1alpha1.KVRocks) *hooked {
	t.Helper()
	h := &hooked{
		t: t, d: d, cr: cr, seen: hookstest.NoChildren(), sets: map[string]*simSet{}, templates: map[string]int{},
		applier: hookstest.Applier{Now: func() time.Time { return d.now }, Address: serviceAddress},
	}
	d.operator = h
	cr.Namespace, cr.Name, cr.UID, cr.Generation = namespace, "orders", "6a0e9c7e-0000-4000-8000-000000000001", 1
	cr.CreationTimestamp = metav1.NewTime(d.now)
	cr.Spec = *cr.Spec.WithDefaults()
	for range 3 { // until the addresses of the pods are known
		h.call()
		h.observeSets()
	}
	require.NotEmpty(t, d.topology.Spec.Shards)
	require.NotEmpty(t, d.topology.Spec.Shards[0].Members, cr.Status.Reason)
	return h
}

// serviceAddress gives a Service that is made again the address that it had: what knows the old one may still be there.
func serviceAddress(service string) string {
	words := strings.Split(strings.TrimPrefix(service, "orders-"), "-")
	if ordinalOf(service) < 0 { // no pod's
		return "10.97.0.1"
	}
	if len(words) == 1 {
		return "10.96.0." + strconv.Itoa(int(ordinalOf(service)+1))
	}
	return "10.96." + strings.Join(words, ".")
}

// change is an edit of the KVRocks by a person.
func (h *hooked) change(what string, edit func(*v1alpha1.KVRocks)) {
	before := h.cr.Spec.DeepCopy()
	h.cr = h.cr.DeepCopy()
	edit(h.cr)
	h.cr.Spec = *h.cr.Spec.WithDefaults()
	if !reflect.DeepEqual(*before, h.cr.Spec) {
		h.cr.Generation++
	}
	h.editedAt = h.d.now
	h.d.say("generation %d: %s", h.cr.Generation, what)
}

func (h *hooked) advance() {
	if h.gone {
		return
	}
	h.observeSets()
	d := h.d
	for _, name := range d.names {
		if d.rng.IntN(50) == 0 { // the kubelet renews what a pod mounts now and then
			d.pods[name].mounted = h.configText()
		}
	}
	if d.now.Before(h.awayUntil) || d.rng.IntN(2) == 0 {
		return
	}
	if h.facts() != h.lastFacts || d.now.Sub(h.lastCall) >= resync {
		h.call()
	}
}

// facts are all that a call of the hook depends on.
func (h *hooked) facts() string {
	var b strings.Builder
	fmt.Fprint(&b, h.cr.Generation, h.cr.Labels, h.cr.DeletionTimestamp, h.cr.Status.Reason, "\n")
	for _, set := range sorted(h.seen.StatefulSets) {
		fmt.Fprint(&b, set.Name, set.Generation, set.ResourceVersion, set.Status, "\n")
	}
	for _, d := range sorted(h.seen.Deployments) {
		fmt.Fprint(&b, d.Name, d.Generation, d.Status.ObservedGeneration, "\n")
	}
	for _, o := range sorted(h.seen.Services) {
		fmt.Fprint(&b, o.Name, o.ResourceVersion, " ")
	}
	for _, o := range sorted(h.seen.ConfigMaps) {
		fmt.Fprint(&b, o.Name, o.ResourceVersion, " ")
	}
	if t := h.topology(); t != nil {
		raw, err := json.Marshal(t)
		require.NoError(h.t, err)
		b.Write(raw)
	}
	for _, name := range h.d.names {
		if p := h.d.pods[name]; p.exists && !p.forced {
			fmt.Fprintln(&b, name, p.ip, p.deleting, p.running, p.attached, p.role, h.d.podReady(name), p.backingOff)
		}
	}
	return b.String()
}

func (h *hooked) topology() *v1alpha1.KVRocksTopology {
	return h.seen.Topologies[metacontroller.Key(namespace, h.cr.Name)]
}

// request is what Metacontroller sends. Its cache of pods may be behind that of the children, and either behind the API.
func (h *hooked) request() *metacontroller.SyncRequest {
	stale := func() bool { return !h.d.healed && h.d.rng.IntN(4) == 0 }
	if h.pods == nil || !stale() {
		h.pods = h.apiPods()
	}
	children := h.seen
	if t := h.topology(); t != nil {
		if !stale() {
			h.reported = *t.Status.DeepCopy()
		}
		cached := *t
		cached.Status = h.reported
		children.Topologies = map[string]*v1alpha1.KVRocksTopology{metacontroller.Key(namespace, t.Name): &cached}
	}
	return &metacontroller.SyncRequest{
		Parent: h.cr, Children: children, Related: metacontroller.Related{Pods: h.pods}, Finalizing: h.cr.DeletionTimestamp != nil,
	}
}

// call has the hook answer, and applies the answer.
func (h *hooked) call() {
	h.lastFacts, h.lastCall = h.facts(), h.d.now
	h.calls++
	request := h.request()
	if request.Finalizing {
		h.finalize(request)
		return
	}
	response, err := hooks.Sync(request)
	require.NoError(h.t, err)
	again, err := hooks.Sync(request)
	require.NoError(h.t, err)
	h.requireEqual(response, again)
	h.checkReady(response)
	h.apply(response)
}

func (h *hooked) finalize(request *metacontroller.SyncRequest) {
	response, err := hooks.Finalize(request)
	require.NoError(h.t, err)
	again, err := hooks.Finalize(request)
	require.NoError(h.t, err)
	h.requireEqual(response, again)
	h.apply(&response.SyncResponse)
	if response.Finalized {
		h.gone, h.seen = true, hookstest.NoChildren()
		h.d.say("the instance is gone")
		for _, name := range h.d.names {
			if p := h.d.pods[name]; p.exists && !p.forced {
				h.d.violated("the instance is gone, and its pod %s is not", name)
			}
		}
	}
}

func (h *hooked) requireEqual(first, second any) {
	one, err := json.Marshal(first)
	require.NoError(h.t, err)
	two, err := json.Marshal(second)
	require.NoError(h.t, err)
	require.Equal(h.t, string(one), string(two), "the same facts, the same bytes")
}

// apply is Metacontroller: the children as declared, and the status of the parent. An update of a topology that has changed
// since it was cached is refused.
func (h *hooked) apply(response *metacontroller.SyncResponse) {
	d, before := h.d, h.topology()
	conflict := before != nil && !reflect.DeepEqual(h.reported, before.Status)
	h.applier.Apply(h.t, &h.seen, response.Children)
	key := metacontroller.Key(namespace, h.cr.Name)
	if conflict {
		h.seen.Topologies[key] = before
		h.lastFacts = "" // it is tried again
	}
	status := *response.Status
	status.ObservedGeneration = h.cr.Generation
	if status.Phase != h.cr.Status.Phase || status.Reason != h.cr.Status.Reason {
		d.say("%s: %s", status.Phase, status.Reason)
	}
	h.cr.Status = status
	after := h.topology()
	if after == nil {
		return
	}
	if before == nil || before.Generation != after.Generation {
		d.say("topology %d of generation %d: %s", after.Generation, after.Spec.ParentGeneration, shardsText(after.Spec.Shards))
	}
	d.topology = after
	d.dropShards()
	for i := range after.Spec.Shards {
		shard := &after.Spec.Shards[i]
		d.knowShard(shard.Index)
		for _, m := range shard.Members {
			d.know(m.Pod, m.Address, shard.Index)
		}
	}
}

func shardsText(shards []v1alpha1.TopologyShard) string {
	var b strings.Builder
	for i := range shards {
		s := &shards[i]
		fmt.Fprintf(&b, "%d: %d of %d", s.Index, len(s.Members), s.Replicas)
		if s.Leaving {
			b.WriteString(" leaving")
		}
		if len(s.Handoff) > 0 {
			fmt.Fprintf(&b, " handoff %v", s.Handoff)
		}
		if len(s.Replace) > 0 {
			fmt.Fprintf(&b, " replace %v", s.Replace)
		}
		b.WriteString("; ")
	}
	return b.String()
}

// checkReady: what is Ready has what its generation wants, everywhere.
func (h *hooked) checkReady(response *metacontroller.SyncResponse) {
	c := meta.FindStatusCondition(response.Status.Conditions, v1alpha1.ConditionReady)
	if c == nil || c.Status != metav1.ConditionTrue {
		return
	}
	d, t := h.d, h.topology()
	switch {
	case c.ObservedGeneration != h.cr.Generation:
		d.violated("Ready of generation %d, and there is %d", c.ObservedGeneration, h.cr.Generation)
	case t == nil || t.Spec.ParentGeneration != h.cr.Generation:
		d.violated("Ready before there is a topology of its generation")
	case h.reported.ObservedGeneration != t.Generation:
		d.violated("Ready before the sidecar has reported on topology %d", t.Generation)
	}
	for _, set := range sorted(h.seen.StatefulSets) {
		if known := h.sets[set.Name]; known != nil && known.data && *set.Spec.Replicas != h.cr.Spec.Replicas {
			d.violated("Ready, and %s has %d replicas", set.Name, *set.Spec.Replicas)
		}
	}
	for _, name := range d.names {
		p := d.pods[name]
		if p.exists && !p.forced && !p.deleting && h.wants(name) && p.revision != h.template(name) {
			d.violated("Ready, and %s has the template %d instead of %d", name, p.revision, h.template(name))
		}
		if n := d.nodes[name]; p.exists && p.running && !p.forced && n.bootedAt.Before(h.editedAt) {
			for key, want := range t.Spec.Config {
				if have := n.settings[key]; have != want {
					d.violated("Ready, and %s has %s %q instead of %q", name, key, have, want)
				}
			}
		}
	}
}

func (h *hooked) newTemplate() {
	number := len(h.templates)
	image := fmt.Sprintf("registry.example/kvrocks:%d", number)
	if h.d.rng.IntN(4) == 0 {
		image += brokenImage
	}
	h.change("image "+image, func(cr *v1alpha1.KVRocks) { cr.Spec.Image = image })
}

// brokenImage ends the name of an image that cannot be pulled.
const brokenImage = "-broken"

// handoff is kubectl rollout restart.
func (h *hooked) handoff(string) {
	for _, set := range sorted(h.seen.StatefulSets) {
		if set.Labels[v1alpha1.LabelComponent] == v1alpha1.ComponentData {
			set.Spec.Template.Annotations[hookstest.RestartedAt] = h.d.now.String()
			set.Generation++
			h.d.say("rollout restart of %s", set.Name)
		}
	}
}

func (h *hooked) scaleTo(replicas int) {
	h.change(fmt.Sprint("replicas ", replicas), func(cr *v1alpha1.KVRocks) { cr.Spec.Replicas = int32(replicas) })
}

// reshape asks for three shards or for five.
func (h *hooked) reshape() {
	shards := 8 - *h.cr.Spec.Master
	h.change(fmt.Sprint(shards, " shards"), func(cr *v1alpha1.KVRocks) { cr.Spec.Master = &shards })
}

// remakes: these are deleted at the end.
func (h *hooked) remakes() bool { return false }

func (h *hooked) readSettings() bool { return h.d.rng.IntN(3) == 0 }

func (h *hooked) boundLoss(most *int64) {
	h.change("another bound of what may be lost", func(cr *v1alpha1.KVRocks) { cr.Spec.Failover.MaxLostWrites = most })
}

func (h *hooked) heal() {
	h.awayUntil = time.Time{}
	h.change("healed", func(cr *v1alpha1.KVRocks) {
		cr.Spec.Image = strings.TrimSuffix(cr.Spec.Image, brokenImage)
		cr.Spec.Failover.MaxLostWrites = nil // as the message of the condition says
	})
}

// atRest: everything is as wanted, is said to be, and nothing that the hook has not seen.
func (h *hooked) atRest() bool {
	ready := meta.IsStatusConditionTrue(h.cr.Status.Conditions, v1alpha1.ConditionReady)
	return ready && h.cr.Status.ObservedGeneration == h.cr.Generation && h.facts() == h.lastFacts
}
