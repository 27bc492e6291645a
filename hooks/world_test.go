package hooks

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
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
	address int
	last    *metacontroller.SyncResponse

	masters map[int32]string // the pod that really is the master of a shard
	moves   int              // how often one became master
	slots   map[int32]string // of each shard of a cluster
	broken  map[string]bool  // images that cannot be pulled
	story   []string         // what happened, for a failing test
	// noUpgrades: the sidecar grants no change of templates that no person made.
	noUpgrades bool
	onRemove   func(pod, why string) // called before a pod is removed
	decoded    map[string]any        // declarations by their text: most are those of the last answer
}

// restartedAt is where `kubectl rollout restart` notes that it was called.
const restartedAt = "kubectl.kubernetes.io/restartedAt"

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
	c.masters, c.slots, c.decoded = maps.Clone(w.masters), maps.Clone(w.slots), maps.Clone(w.decoded)
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
	w.seen = metacontroller.Children{
		StatefulSets: map[string]*appsv1.StatefulSet{}, Deployments: map[string]*appsv1.Deployment{},
		ConfigMaps: map[string]*corev1.ConfigMap{}, Secrets: map[string]*corev1.Secret{},
		Services: map[string]*corev1.Service{}, PodDisruptionBudgets: map[string]*policyv1.PodDisruptionBudget{},
		NetworkPolicies: map[string]*networkingv1.NetworkPolicy{},
		Topologies:      map[string]*v1alpha1.KVRocksTopology{},
	}
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
	response, err := Sync(w.request())
	require.NoError(w.t, err)
	w.apply(response)
}

func (w *world) apply(response *metacontroller.SyncResponse) {
	w.t.Helper()
	w.last = response
	w.cr.Status = *response.Status
	wanted := map[string]bool{}
	for _, raw := range response.Children {
		head := decode[metav1.PartialObjectMetadata](w, "metadata", raw)
		wanted[head.Kind+"/"+head.Name] = true
		switch head.Kind {
		case "ConfigMap":
			merge(w, w.seen.ConfigMaps, raw, nil)
		case "Secret":
			merge(w, w.seen.Secrets, raw, nil)
		case "Service":
			merge(w, w.seen.Services, raw, func(fresh, old *corev1.Service) {
				if old != nil {
					fresh.Spec.ClusterIP = old.Spec.ClusterIP
				} else if fresh.Spec.ClusterIP == "" {
					w.address++
					fresh.Spec.ClusterIP = fmt.Sprintf("10.96.0.%d", w.address)
				}
			})
		case "StatefulSet":
			merge(w, w.seen.StatefulSets, raw, func(fresh, old *appsv1.StatefulSet) {
				if old != nil {
					fresh.Status = old.Status
					if at := old.Spec.Template.Annotations[restartedAt]; at != "" { // the merge keeps what is not ours
						fresh.Spec.Template.Annotations[restartedAt] = at
					}
				}
			})
		case "Deployment":
			merge(w, w.seen.Deployments, raw, func(fresh, old *appsv1.Deployment) {
				if old != nil {
					fresh.Status = old.Status
				}
			})
		case "PodDisruptionBudget":
			merge(w, w.seen.PodDisruptionBudgets, raw, nil)
		case "NetworkPolicy":
			merge(w, w.seen.NetworkPolicies, raw, nil)
		case "KVRocksTopology":
			merge(w, w.seen.Topologies, raw, func(fresh, old *v1alpha1.KVRocksTopology) {
				if old != nil {
					fresh.Status = old.Status
				}
			})
		default:
			w.t.Fatalf("unexpected child %s", raw)
		}
	}
	prune(w.seen.ConfigMaps, "ConfigMap", wanted)
	prune(w.seen.Secrets, "Secret", wanted)
	prune(w.seen.Services, "Service", wanted)
	prune(w.seen.StatefulSets, "StatefulSet", wanted)
	prune(w.seen.Deployments, "Deployment", wanted)
	prune(w.seen.PodDisruptionBudgets, "PodDisruptionBudget", wanted)
	prune(w.seen.NetworkPolicies, "NetworkPolicy", wanted)
	prune(w.seen.Topologies, "KVRocksTopology", wanted)
}

type object[T any] interface {
	*T
	metav1.Object
	comparable
	DeepCopy() *T
}

// decode returns a copy of the object that JSON holds. A copy costs a twentieth of reading it again.
func decode[T any, P interface {
	*T
	DeepCopy() *T
}](w *world, kind string, raw []byte,
) *T {
	w.t.Helper()
	key := kind + string(raw)
	known, ok := w.decoded[key].(P)
	if !ok {
		known = P(new(T))
		require.NoError(w.t, json.Unmarshal(raw, known), "%s", raw)
		if w.decoded == nil {
			w.decoded = map[string]any{}
		}
		w.decoded[key] = known
	}
	return known.DeepCopy()
}

// merge replaces an object by what was declared, with the system fields of the old one; its generation counts changes.
func merge[T any, P object[T]](w *world, into map[string]*T, raw []byte, defaults func(fresh, old *T)) {
	w.t.Helper()
	fresh := P(decode[T, P](w, "", raw))
	key := metacontroller.Key(fresh.GetNamespace(), fresh.GetName())
	old := P(into[key])
	annotations := fresh.GetAnnotations()
	if annotations == nil {
		annotations = map[string]string{}
	}
	annotations[lastApplied] = string(raw)
	fresh.SetAnnotations(annotations)
	fresh.SetUID(types.UID("uid-" + fresh.GetName()))
	version := int64(1)
	if old == nil {
		w.tick()
		fresh.SetCreationTimestamp(metav1.NewTime(w.clock))
		fresh.SetGeneration(1)
	} else {
		version, _ = strconv.ParseInt(old.GetResourceVersion(), 10, 64)
		fresh.SetCreationTimestamp(old.GetCreationTimestamp())
		fresh.SetGeneration(old.GetGeneration())
		if was := old.GetAnnotations()[lastApplied]; was != string(raw) {
			version++
			if withoutMetadata(w, was) != withoutMetadata(w, string(raw)) {
				fresh.SetGeneration(old.GetGeneration() + 1) // as the API server does
			}
		}
	}
	fresh.SetResourceVersion(strconv.FormatInt(version, 10))
	if defaults != nil {
		defaults(fresh, old)
	}
	into[key] = fresh
}

func withoutMetadata(w *world, declared string) string {
	if declared == "" {
		return ""
	}
	fields := map[string]json.RawMessage{}
	require.NoError(w.t, json.Unmarshal([]byte(declared), &fields))
	delete(fields, "metadata")
	return string(pretty(w.t, fields))
}

func prune[T any](seen map[string]*T, kind string, wanted map[string]bool) {
	for key := range seen {
		if name := key[len("shop/"):]; !wanted[kind+"/"+name] {
			delete(seen, key)
		}
	}
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
