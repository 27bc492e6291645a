package hooks

import (
	"encoding/json"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/hooks/hookstest"
	"github.com/kvrocks/kvrocks-operator/metacontroller"
)

// epoch is when the fixtures begin.
var epoch = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// world is what Metacontroller, the API server and the StatefulSet controller do with the answers of the hooks, as far as the
// hooks can see it. The sidecar is what a test writes into the topology's status.
type world struct {
	t       testing.TB
	cr      *v1alpha1.KVRocks
	seen    metacontroller.Children
	pods    map[string]*corev1.Pod
	secrets map[string]*corev1.Secret // of a person
	clock   time.Time
	applier *hookstest.Applier
	last    *metacontroller.SyncResponse

	masters map[int32]string // the pod that really is the master of a shard
	moves   int              // how often one became master
	slots   map[int32]string // of each shard of a cluster
	broken  map[string]bool  // images that cannot be pulled
	// operator is the namespace of the operator; "" where the hooks are not told.
	operator string
	story    []string // what happened, for a failing test
	// noUpgrades: the sidecar grants no change of templates that no person made.
	noUpgrades bool
	onRemove   func(pod, why string) // called before a pod is removed
}

// atRest holds a world at rest for each CR that a test began with. A copy costs a fraction of what it takes to come to rest.
var atRest = map[string]*world{}

// settled is a world in which the instance has come to rest.
func settled(t testing.TB, cr *v1alpha1.KVRocks) *world {
	t.Helper()
	key, err := json.Marshal(cr)
	require.NoError(t, err)
	w := atRest[string(key)]
	if w == nil {
		w = newWorld(t, cr)
		w.settle()
		require.Equal(t, v1alpha1.PhaseRunning, w.cr.Status.Phase, w.cr.Status.Reason)
		atRest[string(key)] = w
	}
	return w.copy(t)
}

func (w *world) copy(t testing.TB) *world {
	c := *w
	c.t, c.cr, c.pods, c.story = t, w.cr.DeepCopy(), copies(w.pods), slices.Clone(w.story)
	c.seen = metacontroller.Children{
		StatefulSets: copies(w.seen.StatefulSets), Deployments: copies(w.seen.Deployments), ConfigMaps: copies(w.seen.ConfigMaps),
		Secrets: copies(w.seen.Secrets), Services: copies(w.seen.Services), PodDisruptionBudgets: copies(w.seen.PodDisruptionBudgets),
		NetworkPolicies: copies(w.seen.NetworkPolicies), Topologies: copies(w.seen.Topologies),
	}
	c.masters, c.slots, c.applier = maps.Clone(w.masters), maps.Clone(w.slots), w.applier.Copy(c.made)
	return &c
}

func copies[T any, P interface {
	*T
	DeepCopy() *T
}](objects map[string]P,
) map[string]*T {
	all := make(map[string]*T, len(objects))
	for key, o := range objects {
		all[key] = o.DeepCopy()
	}
	return all
}

func newWorld(t testing.TB, cr *v1alpha1.KVRocks) *world {
	t.Helper()
	w := &world{
		t: t, cr: cr.DeepCopy(), pods: map[string]*corev1.Pod{}, clock: epoch,
		masters: map[int32]string{}, slots: evenSlots(),
	}
	w.cr.Namespace, w.cr.UID, w.cr.Generation = "shop", "6a0e9c7e-0000-4000-8000-000000000001", 1
	w.cr.CreationTimestamp = metav1.NewTime(epoch)
	w.cr.Spec = *w.cr.Spec.WithDefaults()
	w.seen, w.applier = hookstest.NoChildren(), &hookstest.Applier{Now: w.made}
	return w
}

func (w *world) request() *metacontroller.SyncRequest {
	related := map[string]*corev1.Pod{}
	for _, pod := range w.pods {
		related[metacontroller.Key(pod.Namespace, pod.Name)] = pod
	}
	return &metacontroller.SyncRequest{Parent: w.cr, Children: w.seen, Related: metacontroller.Related{Pods: related, Secrets: w.secrets}}
}

// sync calls the hook and applies its answer.
func (w *world) sync() {
	w.t.Helper()
	response, err := Scope{Operator: w.operator}.Sync(w.request())
	require.NoError(w.t, err)
	w.apply(response)
}

func (w *world) apply(response *metacontroller.SyncResponse) {
	w.t.Helper()
	w.last = response
	w.cr.Status = *response.Status
	w.applier.Apply(w.t, &w.seen, response.Children)
}

// made is the time at which an object is made.
func (w *world) made() time.Time {
	w.tick()
	return w.clock
}

func (w *world) tick() { w.clock = w.clock.Add(time.Second) }

// changes reports whether a move changes anything.
func (w *world) changes(move func()) bool {
	w.t.Helper()
	before := w.fingerprint()
	move()
	return before != w.fingerprint()
}

func (w *world) fingerprint() string {
	raw, err := json.Marshal(w.request())
	require.NoError(w.t, err)
	return string(raw)
}

func (w *world) topology() *v1alpha1.KVRocksTopology {
	return w.seen.Topologies[metacontroller.Key(w.cr.Namespace, w.cr.Name)]
}

func (w *world) set() *appsv1.StatefulSet {
	return w.seen.StatefulSets[metacontroller.Key(w.cr.Namespace, w.cr.Name)]
}

// evenSlots are those of a new cluster of three shards.
func evenSlots() map[int32]string {
	return map[int32]string{0: "0-5460", 1: "5461-10922", 2: "10923-16383"}
}
