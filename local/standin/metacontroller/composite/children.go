package composite

import (
	"context"
	"errors"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/kvrocks/kvrocks-operator/local/standin/metacontroller/api"
	"github.com/kvrocks/kvrocks-operator/local/standin/metacontroller/apply"
	"github.com/kvrocks/kvrocks-operator/local/standin/metacontroller/claim"
)

// claimChildren returns what the parent owns, after it adopted and released
// what it should. Every declared kind has an entry.
func (c *Controller) claimChildren(ctx context.Context, parent *unstructured.Unstructured, selector labels.Selector) (objects, error) {
	claimed := make(objects)
	for _, kind := range c.children {
		claimed.addKind(kind.gvk)
		candidates, err := kind.candidates(parent.GetNamespace(), parent.GetUID())
		if err != nil {
			return nil, err
		}
		var errs []error
		for _, object := range candidates {
			mine, err := c.claim(ctx, kind.resource, parent, object, claim.Decide(parent, object, selector))
			if err != nil {
				errs = append(errs, err)
			} else if mine {
				claimed.add(object)
			}
		}
		if err := errors.Join(errs...); err != nil {
			return nil, fmt.Errorf("can't claim %s children: %w", kind.gvk.Kind, err)
		}
	}
	return claimed, nil
}

// claim carries a verdict out and reports whether the object is the parent's now.
func (c *Controller) claim(ctx context.Context, of resource, parent, object *unstructured.Unstructured, verdict claim.Verdict) (bool, error) {
	switch verdict {
	case claim.Keep:
		return true, nil
	case claim.Adopt:
		if err := c.mayAdopt(ctx, parent); err != nil {
			return false, fmt.Errorf("can't adopt %s: %w", describe(object), err)
		}
		c.Log.Info("adopt", "parent", key(parent), "child", describe(object))
		_, err := c.rewrite(ctx, of, object, func(live *unstructured.Unstructured) bool {
			live.SetOwnerReferences(append(live.GetOwnerReferences(), apply.ControllerRef(parent)))
			return true
		})
		return err == nil, ignoreNotFound(err)
	case claim.Release:
		c.Log.Info("release", "parent", key(parent), "child", describe(object))
		_, err := c.rewrite(ctx, of, object, func(live *unstructured.Unstructured) bool {
			var others []metav1.OwnerReference
			for _, ref := range live.GetOwnerReferences() {
				if ref.UID != parent.GetUID() {
					others = append(others, ref)
				}
			}
			live.SetOwnerReferences(others)
			return true
		})
		return false, ignoreNotFound(err)
	default:
		return false, nil
	}
}

// mayAdopt checks with the API server that the parent still is and stays.
func (c *Controller) mayAdopt(ctx context.Context, parent *unstructured.Unstructured) error {
	live, err := c.parents.client(c.Client, parent.GetNamespace()).Get(ctx, parent.GetName(), metav1.GetOptions{})
	switch {
	case err != nil:
		return err
	case live.GetUID() != parent.GetUID():
		return fmt.Errorf("the parent %s is gone", describe(parent))
	case live.GetDeletionTimestamp() != nil:
		return fmt.Errorf("the parent %s is being deleted", describe(parent))
	}
	return nil
}

// desiredChildren completes the children that a hook answered: the namespace
// defaults to the parent's, and the generated label is added.
func (c *Controller) desiredChildren(parent *unstructured.Unstructured, answered []*unstructured.Unstructured, selector labels.Selector) (objects, error) {
	desired := make(objects)
	for i, child := range answered {
		if child == nil {
			return nil, fmt.Errorf("child %d is null", i)
		}
		if child.GetNamespace() == "" {
			child.SetNamespace(parent.GetNamespace())
		}
		set, _, err := unstructured.NestedStringMap(child.Object, "metadata", "labels")
		if err != nil {
			return nil, fmt.Errorf("invalid labels on desired child %s: %w", describe(child), err)
		}
		if _, ok := set[uidLabel]; !ok && c.spec.GenerateSelector {
			if set == nil {
				set = make(map[string]string, 1)
			}
			set[uidLabel] = string(parent.GetUID())
			child.SetLabels(set)
		}
		if !selector.Matches(labels.Set(set)) {
			return nil, fmt.Errorf("labels on desired child %s don't match parent selector", describe(child))
		}
		desired.add(child)
	}
	return desired, nil
}

// manageChildren deletes what is observed and not desired, and makes or updates
// what is desired. One failure does not keep the others from being tried.
func (c *Controller) manageChildren(ctx context.Context, parent *unstructured.Unstructured, observed, desired objects) error {
	var errs []error
	for _, gvk := range observed.kinds() {
		of, err := findKind(c.Mapper, gvk)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		for k, object := range observed[gvk] {
			if desired[gvk][k] == nil && object.GetDeletionTimestamp() == nil {
				c.Log.Info("delete", "parent", key(parent), "child", describe(object))
				errs = append(errs, c.deleteChild(ctx, of, object))
			}
		}
	}
	for _, gvk := range desired.kinds() {
		of, err := findKind(c.Mapper, gvk)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		for k, object := range desired[gvk] {
			if live := observed[gvk][k]; live != nil {
				errs = append(errs, c.updateChild(ctx, of, parent, live, object))
			} else {
				errs = append(errs, c.createChild(ctx, of, parent, object))
			}
		}
	}
	return errors.Join(errs...)
}

func (c *Controller) createChild(ctx context.Context, of resource, parent, desired *unstructured.Unstructured) error {
	object, err := apply.Create(desired, parent)
	if err != nil {
		return err
	}
	c.Log.Info("create", "parent", key(parent), "child", describe(desired))
	_, err = of.client(c.Client, object.GetNamespace()).Create(ctx, object, metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		// It belongs to something else, or our cache is behind.
		c.Log.Info("child exists already", "parent", key(parent), "child", describe(desired))
		return nil
	}
	return err
}

func (c *Controller) updateChild(ctx context.Context, of resource, parent, observed, desired *unstructured.Unstructured) error {
	next, changed, err := apply.Update(observed, desired)
	if err != nil || !changed || observed.GetDeletionTimestamp() != nil {
		return err
	}
	switch c.method(of.gvk.GroupKind()) {
	case api.Recreate:
		c.Log.Info("delete to recreate", "parent", key(parent), "child", describe(desired))
		return c.deleteChild(ctx, of, observed)
	case api.InPlace:
		c.Log.Info("update", "parent", key(parent), "child", describe(desired))
		_, err := of.client(c.Client, next.GetNamespace()).Update(ctx, next, metav1.UpdateOptions{})
		if apierrors.IsNotFound(err) || apierrors.IsConflict(err) {
			// Our cache is behind; the event that brings it up to date calls us again.
			return nil
		}
		return err
	default:
		return nil
	}
}

func (c *Controller) deleteChild(ctx context.Context, of resource, object *unstructured.Unstructured) error {
	uid, background := object.GetUID(), metav1.DeletePropagationBackground
	err := of.client(c.Client, object.GetNamespace()).Delete(ctx, object.GetName(), metav1.DeleteOptions{
		Preconditions:     &metav1.Preconditions{UID: &uid},
		PropagationPolicy: &background,
	})
	if err = ignoreNotFound(err); err != nil {
		return fmt.Errorf("can't delete %s: %w", describe(object), err)
	}
	return nil
}

func ignoreNotFound(err error) error {
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}
