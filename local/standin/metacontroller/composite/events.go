package composite

import (
	"maps"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
)

// ours reports whether the parent is selected, or was when it got our finalizer.
func (c *Controller) ours(parent *unstructured.Unstructured) bool {
	return c.selected(parent) || controllerutil.ContainsFinalizer(parent, c.finalizer)
}

func (c *Controller) selected(parent *unstructured.Unstructured) bool {
	return c.parentSelector.Matches(labels.Set(parent.GetLabels()))
}

func (c *Controller) enqueue(event any) {
	if parent := asObject(event); parent != nil && c.ours(parent) {
		c.queue.Add(key(parent))
	}
}

func (c *Controller) parentUpdated(old, current any) {
	before, after := asObject(old), asObject(current)
	statusOnly := before != after && // the same pointer twice is a resync
		before.GetGeneration() == after.GetGeneration() &&
		maps.Equal(before.GetLabels(), after.GetLabels()) &&
		maps.Equal(before.GetAnnotations(), after.GetAnnotations()) &&
		after.GetDeletionTimestamp() == nil
	if statusOnly && c.spec.ParentResource.IgnoreStatusChanges {
		return
	}
	c.enqueue(current)
}

func (c *Controller) parentDeleted(event any) {
	if parent := asObject(event); parent != nil {
		c.related.forget(parent.GetUID())
	}
	c.enqueue(event)
}

// childChanged enqueues the owner of a child, or, for an orphan that is not
// being deleted, every parent that may want to adopt it.
func (c *Controller) childChanged(event any) {
	child := asObject(event)
	if child == nil {
		return
	}
	if owner := metav1.GetControllerOfNoCopy(child); owner != nil {
		if parent := c.owner(child.GetNamespace(), owner); parent != nil {
			c.enqueue(parent)
		}
		return
	}
	if child.GetDeletionTimestamp() != nil {
		return
	}
	parents, err := c.parents.list(child.GetNamespace())
	if err != nil {
		c.Log.Error("find parents of an orphan", "err", err)
		return
	}
	for _, parent := range parents {
		selector, err := c.childSelector(parent)
		if err == nil && selector.Matches(labels.Set(child.GetLabels())) {
			c.enqueue(parent)
		}
	}
}

func (c *Controller) childUpdated(old, current any) {
	if asObject(old).GetResourceVersion() != asObject(current).GetResourceVersion() {
		c.childChanged(current)
	}
}

func (c *Controller) childDeleted(event any) {
	if child := asObject(event); child != nil && metav1.GetControllerOfNoCopy(child) != nil {
		c.childChanged(child)
	}
}

// owner returns the parent that a controller reference means, or nil.
func (c *Controller) owner(namespace string, ref *metav1.OwnerReference) *unstructured.Unstructured {
	kind := c.parents.gvk
	if ref.Kind != kind.Kind || groupOf(ref.APIVersion) != kind.Group {
		return nil
	}
	name := ref.Name
	if c.parents.namespaced {
		name = namespace + "/" + name
	}
	parent, err := c.parents.get(name)
	if err != nil || parent == nil || parent.GetUID() != ref.UID || !c.ours(parent) {
		return nil
	}
	return parent
}
