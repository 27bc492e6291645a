package hookstest

import (
	"encoding/json"
	"fmt"
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

// lastApplied is where Metacontroller keeps what was declared last.
const lastApplied = "metacontroller.k8s.io/last-applied-configuration"

// RestartedAt is where `kubectl rollout restart` notes that it was called.
const RestartedAt = "kubectl.kubernetes.io/restartedAt"

// Applier makes of the answers of the hooks what Metacontroller and the API server do: the children of an instance, with
// generations, versions and the addresses of Services.
type Applier struct {
	// Now returns the time of a creation.
	Now func() time.Time
	// Address returns the address of a Service that is made, by its name; nil for the next free one.
	Address func(service string) string

	addresses int            // that were given away
	decoded   map[string]any // declarations by their text: most are those of the last answer
}

// NoChildren is what there is of an instance before it is made.
func NoChildren() metacontroller.Children {
	return metacontroller.Children{
		StatefulSets: map[string]*appsv1.StatefulSet{}, Deployments: map[string]*appsv1.Deployment{},
		ConfigMaps: map[string]*corev1.ConfigMap{}, Secrets: map[string]*corev1.Secret{},
		Services: map[string]*corev1.Service{}, PodDisruptionBudgets: map[string]*policyv1.PodDisruptionBudget{},
		NetworkPolicies: map[string]*networkingv1.NetworkPolicy{},
		Topologies:      map[string]*v1alpha1.KVRocksTopology{},
	}
}

// Copy returns an Applier that goes on from here by itself.
func (a *Applier) Copy(now func() time.Time) *Applier {
	c := *a
	c.Now, c.decoded = now, nil
	return &c
}

// Apply makes the children what was declared. An object keeps what others wrote: its status, and the mark of a restart.
func (a *Applier) Apply(t testing.TB, seen *metacontroller.Children, declared []json.RawMessage) {
	t.Helper()
	wanted := map[string]bool{}
	for _, raw := range declared {
		head := decode[metav1.PartialObjectMetadata](t, a, "metadata", raw)
		wanted[head.Kind+"/"+head.Namespace+"/"+head.Name] = true
		a.applyOne(t, seen, head.Kind, raw)
	}
	prune(seen.ConfigMaps, "ConfigMap", wanted)
	prune(seen.Secrets, "Secret", wanted)
	prune(seen.Services, "Service", wanted)
	prune(seen.StatefulSets, "StatefulSet", wanted)
	prune(seen.Deployments, "Deployment", wanted)
	prune(seen.PodDisruptionBudgets, "PodDisruptionBudget", wanted)
	prune(seen.NetworkPolicies, "NetworkPolicy", wanted)
	prune(seen.Topologies, "KVRocksTopology", wanted)
}

func (a *Applier) applyOne(t testing.TB, seen *metacontroller.Children, kind string, raw []byte) {
	t.Helper()
	switch kind {
	case "ConfigMap":
		merge(t, a, seen.ConfigMaps, raw, nil)
	case "Secret":
		merge(t, a, seen.Secrets, raw, nil)
	case "Service":
		merge(t, a, seen.Services, raw, func(fresh, old *corev1.Service) {
			if old != nil {
				fresh.Spec.ClusterIP = old.Spec.ClusterIP
			} else if fresh.Spec.ClusterIP == "" {
				fresh.Spec.ClusterIP = a.address(fresh.Name)
			}
		})
	case "StatefulSet":
		merge(t, a, seen.StatefulSets, raw, func(fresh, old *appsv1.StatefulSet) {
			if old != nil {
				fresh.Status = old.Status
				if at := old.Spec.Template.Annotations[RestartedAt]; at != "" { // the merge keeps what is not ours
					fresh.Spec.Template.Annotations[RestartedAt] = at
				}
			}
		})
	case "Deployment":
		merge(t, a, seen.Deployments, raw, func(fresh, old *appsv1.Deployment) {
			if old != nil {
				fresh.Status = old.Status
			}
		})
	case "PodDisruptionBudget":
		merge(t, a, seen.PodDisruptionBudgets, raw, nil)
	case "NetworkPolicy":
		merge(t, a, seen.NetworkPolicies, raw, nil)
	case "KVRocksTopology":
		merge(t, a, seen.Topologies, raw, func(fresh, old *v1alpha1.KVRocksTopology) {
			if old != nil {
				fresh.Status = old.Status
			}
		})
	default:
		t.Fatalf("unexpected child %s", raw)
	}
}

func (a *Applier) address(service string) string {
	if a.Address != nil {
		return a.Address(service)
	}
	a.addresses++
	return fmt.Sprintf("10.96.%d.%d", a.addresses/250, a.addresses%250)
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
}](t testing.TB, a *Applier, kind string, raw []byte,
) *T {
	t.Helper()
	key := kind + string(raw)
	known, ok := a.decoded[key].(P)
	if !ok {
		known = P(new(T))
		require.NoError(t, json.Unmarshal(raw, known), "%s", raw)
		if a.decoded == nil {
			a.decoded = map[string]any{}
		}
		a.decoded[key] = known
	}
	return known.DeepCopy()
}

// merge replaces an object by what was declared, with the system fields of the old one; its generation counts changes.
func merge[T any, P object[T]](t testing.TB, a *Applier, into map[string]*T, raw []byte, defaults func(fresh, old *T)) {
	t.Helper()
	fresh := P(decode[T, P](t, a, "", raw))
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
		fresh.SetCreationTimestamp(metav1.NewTime(a.Now()))
		fresh.SetGeneration(1)
	} else {
		version, _ = strconv.ParseInt(old.GetResourceVersion(), 10, 64)
		fresh.SetCreationTimestamp(old.GetCreationTimestamp())
		fresh.SetGeneration(old.GetGeneration())
		if was := old.GetAnnotations()[lastApplied]; was != string(raw) {
			version++
			if withoutMetadata(t, was) != withoutMetadata(t, string(raw)) {
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

func withoutMetadata(t testing.TB, declared string) string {
	t.Helper()
	if declared == "" {
		return ""
	}
	fields := map[string]json.RawMessage{}
	require.NoError(t, json.Unmarshal([]byte(declared), &fields))
	delete(fields, "metadata")
	text, err := json.Marshal(fields)
	require.NoError(t, err)
	return string(text)
}

func prune[T any](seen map[string]*T, kind string, wanted map[string]bool) {
	for key := range seen {
		if !wanted[kind+"/"+key] {
			delete(seen, key)
		}
	}
}
