package metacontroller

import (
	"encoding/json"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

// SyncResponse is the answer of the sync hook: the whole desired state.
type SyncResponse struct {
	// Status replaces the parent's whole status; Metacontroller adds
	// observedGeneration. Equal facts must give equal bytes: a status that
	// differs on each call makes Metacontroller call again at once, for ever.
	Status *v1alpha1.KVRocksStatus `json:"status"`

	// Children are the desired objects in any order, each encoded with
	// apiVersion, kind and metadata.name, and holding only the fields that we
	// care about. No namespace means the parent's. An observed child that is not
	// in the list is deleted, so an empty list deletes everything.
	Children []json.RawMessage `json:"children"`

	// ResyncAfterSeconds asks for another call after that many seconds, once,
	// counted from this response. Zero asks for none.
	ResyncAfterSeconds float64 `json:"resyncAfterSeconds,omitempty"`
}

// FinalizeResponse is the answer of the finalize hook. Until Finalized is true,
// Children and Status are applied as in a sync.
type FinalizeResponse struct {
	SyncResponse

	// Finalized lets the parent go: Metacontroller removes its finalizer at once
	// and ignores the Children of this response; what is left of them goes by
	// garbage collection. So return true only when what had to happen first was
	// observed in the request.
	Finalized bool `json:"finalized"`
}

// CustomizeResponse is the answer of the customize hook.
type CustomizeResponse struct {
	// RelatedResources selects the objects that sync and finalize receive as
	// [Related]. A change of any of them calls the hook again.
	RelatedResources []RelatedResourceRule `json:"relatedResources"`
}

// RelatedResourceRule selects objects of one resource. Names excludes
// LabelSelector. With neither, every object of the namespace is selected.
type RelatedResourceRule struct {
	// APIVersion and Resource (plural, lower case) name the resource.
	APIVersion string `json:"apiVersion"`
	Resource   string `json:"resource"`

	// LabelSelector selects by labels; nil selects all.
	LabelSelector *metav1.LabelSelector `json:"labelSelector,omitempty"`

	// Namespace restricts the rule to one namespace. With hook version v2 an empty
	// value means every namespace, so always set the parent's.
	Namespace string `json:"namespace,omitempty"`

	// Names selects by name.
	Names []string `json:"names,omitempty"`
}
