package composite

import (
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/tools/cache"
)

// ownerIndex finds objects by the UID of their controller; orphans are under "".
const ownerIndex = "owner"

// watch is a cache of one resource in all namespaces. Objects that it returns
// are shared and must not be modified.
type watch struct {
	resource
	informer cache.SharedIndexInformer
}

func newWatch(client dynamic.Interface, of resource, resync time.Duration) watch {
	indexers := cache.Indexers{
		cache.NamespaceIndex: cache.MetaNamespaceIndexFunc,
		ownerIndex: func(obj any) ([]string, error) {
			if owner := metav1.GetControllerOfNoCopy(obj.(*unstructured.Unstructured)); owner != nil {
				return []string{string(owner.UID)}, nil
			}
			return []string{""}, nil
		},
	}
	informer := dynamicinformer.NewFilteredDynamicInformer(client, of.gvr, metav1.NamespaceAll, resync, indexers, nil)
	return watch{resource: of, informer: informer.Informer()}
}

func (w watch) handle(handler cache.ResourceEventHandler) error {
	if _, err := w.informer.AddEventHandler(handler); err != nil {
		return fmt.Errorf("watch %s: %w", w.gvr.Resource, err)
	}
	return nil
}

// get returns the object with the key, or nil.
func (w watch) get(key string) (*unstructured.Unstructured, error) {
	object, found, err := w.informer.GetIndexer().GetByKey(key)
	if err != nil {
		return nil, fmt.Errorf("look up %s %s: %w", w.gvk.Kind, key, err)
	}
	if !found {
		return nil, nil
	}
	return object.(*unstructured.Unstructured), nil
}

// list returns the objects of a namespace, or all if it is "".
func (w watch) list(namespace string) ([]*unstructured.Unstructured, error) {
	if namespace == "" || !w.namespaced {
		return unstructureds(w.informer.GetIndexer().List()), nil
	}
	found, err := w.informer.GetIndexer().ByIndex(cache.NamespaceIndex, namespace)
	if err != nil {
		return nil, fmt.Errorf("list %s of namespace %s: %w", w.gvr.Resource, namespace, err)
	}
	return unstructureds(found), nil
}

// candidates returns the objects of a namespace (of all if it is "") whose
// controller has the UID, or that have none.
func (w watch) candidates(namespace string, owner types.UID) ([]*unstructured.Unstructured, error) {
	var in []*unstructured.Unstructured
	for _, key := range []string{string(owner), ""} {
		found, err := w.informer.GetIndexer().ByIndex(ownerIndex, key)
		if err != nil {
			return nil, fmt.Errorf("list %s by owner: %w", w.gvr.Resource, err)
		}
		for _, object := range unstructureds(found) {
			if namespace == "" || object.GetNamespace() == namespace {
				in = append(in, object)
			}
		}
	}
	return in, nil
}

func unstructureds(list []any) []*unstructured.Unstructured {
	typed := make([]*unstructured.Unstructured, len(list))
	for i, object := range list {
		typed[i] = object.(*unstructured.Unstructured)
	}
	return typed
}

// asObject returns the object of an event, also that of a missed deletion.
func asObject(event any) *unstructured.Unstructured {
	if tombstone, ok := event.(cache.DeletedFinalStateUnknown); ok {
		event = tombstone.Obj
	}
	object, _ := event.(*unstructured.Unstructured)
	return object
}
