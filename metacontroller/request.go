package metacontroller

import (
	"encoding/json"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

// SyncRequest is the body of a sync and of a finalize call: a full snapshot of
// what Metacontroller's caches hold for one parent. It may lag behind the API
// server, by no more than the watch does.
type SyncRequest struct {
	// Controller is the CompositeController object that made the call. The hooks
	// do not need it; it is kept as raw bytes so that it costs nothing.
	Controller json.RawMessage `json:"controller"`

	// Parent is the KVRocks CR, with the defaults of its CRD and its last status.
	// It is never nil in a call made by Metacontroller; a server must check it.
	Parent *v1alpha1.KVRocks `json:"parent"`

	// Children holds the observed objects that the parent owns.
	Children Children `json:"children"`

	// Related holds the observed objects that the customize hook selected.
	Related Related `json:"related"`

	// Finalizing is true in a finalize call: the parent has a deletion timestamp
	// (or left the label selector of the CompositeController; ours has none).
	Finalizing bool `json:"finalizing"`
}

// Children maps [Key] to the observed child, by kind. The JSON keys are
// "<Kind>.<apiVersion>". Every kind that the CompositeController declares is
// present, if only as an empty map. A child that is being deleted is still
// listed, with its deletion timestamp, until it is gone.
type Children struct {
	StatefulSets         map[string]*appsv1.StatefulSet           `json:"StatefulSet.apps/v1"`
	Deployments          map[string]*appsv1.Deployment            `json:"Deployment.apps/v1"`
	ConfigMaps           map[string]*corev1.ConfigMap             `json:"ConfigMap.v1"`
	Secrets              map[string]*corev1.Secret                `json:"Secret.v1"`
	Services             map[string]*corev1.Service               `json:"Service.v1"`
	PodDisruptionBudgets map[string]*policyv1.PodDisruptionBudget `json:"PodDisruptionBudget.policy/v1"`
	NetworkPolicies      map[string]*networkingv1.NetworkPolicy   `json:"NetworkPolicy.networking.k8s.io/v1"`
	Topologies           map[string]*v1alpha1.KVRocksTopology     `json:"KVRocksTopology.kvrocks.apache.org/v1alpha1"`
}

// Related maps [Key] to an observed object that the customize hook asked for,
// by kind. A kind that no rule names is absent, and its map nil.
type Related struct {
	Pods    map[string]*corev1.Pod       `json:"Pod.v1"`
	Secrets map[string]*corev1.Secret    `json:"Secret.v1,omitempty"`
	KVRocks map[string]*v1alpha1.KVRocks `json:"KVRocks.kvrocks.apache.org/v1alpha1"`
}

// Key returns the key of a namespaced object in [Children] and [Related]. Hook
// version v2 always uses "<namespace>/<name>"; v1 would leave the namespace out.
func Key(namespace, name string) string {
	return namespace + "/" + name
}

// CustomizeRequest is the body of a customize call. Metacontroller caches the
// answer for the parent's UID and generation, so it must depend on nothing but
// the parent's metadata and spec.
type CustomizeRequest struct {
	// Controller is as in [SyncRequest].
	Controller json.RawMessage `json:"controller"`
	// Parent is as in [SyncRequest].
	Parent *v1alpha1.KVRocks `json:"parent"`
}
