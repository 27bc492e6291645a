package kube

import (
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/resourceversion"
)

// overlay holds objects that this process wrote until the informer's cache has caught up, so that a pass never decides
// on something older than the process' own last write.
type overlay[T metav1.Object] struct {
	mu      sync.Mutex
	written map[types.NamespacedName]T
}

func newOverlay[T metav1.Object]() *overlay[T] {
	return &overlay[T]{written: map[types.NamespacedName]T{}}
}

// wrote remembers what the API server answered to a write.
func (o *overlay[T]) wrote(obj T) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.written[KeyOf(obj)] = obj
}

// newest returns the later of the cached object and what was written. An object with another UID replaces what was
// written to its predecessor.
func (o *overlay[T]) newest(cached T) T {
	o.mu.Lock()
	defer o.mu.Unlock()
	key := KeyOf(cached)
	written, ok := o.written[key]
	if !ok {
		return cached
	}
	if written.GetUID() == cached.GetUID() {
		order, err := resourceversion.CompareResourceVersion(written.GetResourceVersion(), cached.GetResourceVersion())
		if err == nil && order > 0 {
			return written
		}
	}
	delete(o.written, key)
	return cached
}

// forget drops what was written to an object that is gone.
func (o *overlay[T]) forget(key types.NamespacedName) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.written, key)
}

// KeyOf names an object.
func KeyOf(obj metav1.Object) types.NamespacedName {
	return types.NamespacedName{Namespace: obj.GetNamespace(), Name: obj.GetName()}
}
