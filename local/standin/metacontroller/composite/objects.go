package composite

import (
	"cmp"
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kvrocks/kvrocks-operator/local/standin/metacontroller/api"
)

// objects holds objects by kind and by namespace/name, or name alone for a
// cluster-scoped one. A kind without objects has an entry where a hook expects one.
type objects map[schema.GroupVersionKind]map[string]*unstructured.Unstructured

func (o objects) addKind(gvk schema.GroupVersionKind) {
	if o[gvk] == nil {
		o[gvk] = make(map[string]*unstructured.Unstructured)
	}
}

func (o objects) add(object *unstructured.Unstructured) {
	gvk := object.GroupVersionKind()
	o.addKind(gvk)
	o[gvk][key(object)] = object
}

// kinds returns the kinds in a fixed order.
func (o objects) kinds() []schema.GroupVersionKind {
	return slices.SortedFunc(maps.Keys(o), func(a, b schema.GroupVersionKind) int {
		return cmp.Or(cmp.Compare(a.Group, b.Group), cmp.Compare(a.Version, b.Version), cmp.Compare(a.Kind, b.Kind))
	})
}

// wireObjects is how a hook sees objects: by "<Kind>.<apiVersion>" and by key.
type wireObjects map[string]map[string]*unstructured.Unstructured

// wire returns the form that a hook of the version gets. Under v1 the key of an
// object in the parent's namespace is its name alone, and objects of other
// namespaces are left out.
func (o objects) wire(version api.HookVersion, parent *unstructured.Unstructured) wireObjects {
	w := make(wireObjects, len(o))
	for gvk, group := range o {
		objects := make(map[string]*unstructured.Unstructured, len(group))
		for k, object := range group {
			switch namespace := parent.GetNamespace(); {
			case version == api.V2 || namespace == "":
				objects[k] = object
			case object.GetNamespace() == namespace:
				objects[object.GetName()] = object
			}
		}
		w[gvk.Kind+"."+gvk.GroupVersion().String()] = objects
	}
	return w
}

func key(object *unstructured.Unstructured) string {
	if object.GetNamespace() == "" {
		return object.GetName()
	}
	return object.GetNamespace() + "/" + object.GetName()
}

// syncRequest is the body of a sync and of a finalize call.
type syncRequest struct {
	Controller *unstructured.Unstructured `json:"controller"`
	Parent     *unstructured.Unstructured `json:"parent"`
	Children   wireObjects                `json:"children"`
	Related    wireObjects                `json:"related"`
	Finalizing bool                       `json:"finalizing"`
}

// syncResponse is the answer of a sync or finalize call.
type syncResponse struct {
	Status             map[string]any               `json:"status"`
	Children           []*unstructured.Unstructured `json:"children"`
	ResyncAfterSeconds float64                      `json:"resyncAfterSeconds"`
	Finalized          bool                         `json:"finalized"`
}

// customizeRequest is the body of a customize call.
type customizeRequest struct {
	Controller *unstructured.Unstructured `json:"controller"`
	Parent     *unstructured.Unstructured `json:"parent"`
}

// customizeResponse is the answer of a customize call.
type customizeResponse struct {
	RelatedResources []api.RelatedResourceRule `json:"relatedResources"`
}
