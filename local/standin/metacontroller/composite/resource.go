package composite

import (
	"fmt"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"

	"github.com/kvrocks/kvrocks-operator/local/standin/metacontroller/api"
)

// resource is what discovery says about a resource.
type resource struct {
	gvr        schema.GroupVersionResource
	gvk        schema.GroupVersionKind
	namespaced bool
}

// client returns a client for the resource in a namespace, which is ignored for
// a cluster-scoped resource.
func (r resource) client(from dynamic.Interface, namespace string) dynamic.ResourceInterface {
	if !r.namespaced || namespace == "" {
		return from.Resource(r.gvr)
	}
	return from.Resource(r.gvr).Namespace(namespace)
}

func findResource(mapper meta.RESTMapper, rule api.ResourceRule) (resource, error) {
	gvr, err := rule.GVR()
	if err != nil {
		return resource{}, err
	}
	gvk, err := mapper.KindFor(gvr)
	if err != nil {
		return resource{}, fmt.Errorf("discovery: can't find resource %s in apiVersion %s: %w", rule.Resource, rule.APIVersion, err)
	}
	return findKind(mapper, gvk)
}

func findKind(mapper meta.RESTMapper, gvk schema.GroupVersionKind) (resource, error) {
	mapping, err := mapper.RESTMapping(gvk.GroupKind(), gvk.Version)
	if err != nil {
		return resource{}, fmt.Errorf("discovery: can't find kind %s in apiVersion %s: %w", gvk.Kind, gvk.GroupVersion(), err)
	}
	return resource{
		gvr:        mapping.Resource,
		gvk:        gvk,
		namespaced: mapping.Scope.Name() == meta.RESTScopeNameNamespace,
	}, nil
}
