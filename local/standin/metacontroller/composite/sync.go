package composite

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
)

// uidLabel is the label that generateSelector puts on every child.
const uidLabel = "controller-uid"

// syncParent does one pass over one parent.
func (c *Controller) syncParent(ctx context.Context, parent *unstructured.Unstructured) error {
	if !c.ours(parent) {
		return nil
	}
	// The finalizer comes before anything that would have to be undone.
	parent, err := c.syncFinalizer(ctx, parent)
	if err != nil {
		return fmt.Errorf("can't sync finalizer for %s: %w", describe(parent), err)
	}
	if !c.ours(parent) {
		return nil
	}
	selector, err := c.childSelector(parent)
	if err != nil {
		return err
	}
	observed, err := c.claimChildren(ctx, parent, selector)
	if err != nil {
		return err
	}
	related, err := c.related.objects(ctx, parent)
	if err != nil {
		return err
	}
	answer, err := c.callHook(ctx, parent, observed, related)
	if err != nil {
		return fmt.Errorf("sync hook failed for %s: %w", describe(parent), err)
	}
	if seconds := answer.ResyncAfterSeconds; seconds > 0 {
		c.queue.AddAfter(key(parent), time.Duration(seconds*float64(time.Second)))
	}
	if answer.Finalized {
		if parent, err = c.removeFinalizer(ctx, parent); err != nil {
			return fmt.Errorf("can't remove finalizer: %w", err)
		}
	}
	desired, err := c.desiredChildren(parent, answer.Children, selector)
	if err != nil {
		return err
	}

	// A child that cannot be brought up to date does not keep the status from being written.
	var failed error
	if parent.GetDeletionTimestamp() == nil || c.finalizing(parent) {
		if err := c.manageChildren(ctx, parent, observed, desired); err != nil {
			failed = fmt.Errorf("can't reconcile children for %s: %w", describe(parent), err)
		}
	}
	if err := c.writeStatus(ctx, parent, answer.Status); err != nil {
		return err
	}
	return failed
}

// childSelector selects the children of a parent.
func (c *Controller) childSelector(parent *unstructured.Unstructured) (labels.Selector, error) {
	if c.spec.GenerateSelector {
		return labels.SelectorFromSet(labels.Set{uidLabel: string(parent.GetUID())}), nil
	}
	value, _, err := unstructured.NestedMap(parent.Object, "spec", "selector")
	if err != nil {
		return nil, fmt.Errorf("spec.selector of %s: %w", describe(parent), err)
	}
	var selector metav1.LabelSelector
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(value, &selector); err != nil {
		return nil, fmt.Errorf("spec.selector of %s: %w", describe(parent), err)
	}
	if len(selector.MatchLabels)+len(selector.MatchExpressions) == 0 {
		return nil, errors.New(".spec.selector must have either matchLabels, matchExpressions, or both")
	}
	return metav1.LabelSelectorAsSelector(&selector)
}

// callHook calls the finalize hook for a parent that is on its way out, if
// there is one, and else the sync hook.
func (c *Controller) callHook(ctx context.Context, parent *unstructured.Unstructured, children, related objects) (*syncResponse, error) {
	leaving := parent.GetDeletionTimestamp() != nil || !c.selected(parent)
	call := c.syncHook
	finalizing := leaving && c.finishHook != nil
	if finalizing {
		call = c.finishHook
	}
	if call == nil {
		return nil, errors.New("sync hook not defined")
	}
	answer := &syncResponse{}
	if err := call.Call(ctx, syncRequest{
		Controller: c.object,
		Parent:     parent,
		Children:   children.wire(call.Version(), parent),
		Related:    related.wire(call.Version(), parent),
		Finalizing: finalizing,
	}, answer); err != nil {
		return nil, err
	}
	return answer, nil
}

// finalizing reports whether we manage the children of a parent that is being
// deleted: we have a finalize hook, did not let the parent go yet, and the
// garbage collector does not work on it.
func (c *Controller) finalizing(parent *unstructured.Unstructured) bool {
	return c.finishHook != nil && controllerutil.ContainsFinalizer(parent, c.finalizer) &&
		!controllerutil.ContainsFinalizer(parent, metav1.FinalizerDeleteDependents) &&
		!controllerutil.ContainsFinalizer(parent, metav1.FinalizerOrphanDependents)
}

// syncFinalizer adds or removes our finalizer and returns the parent as it then
// is. On an error it returns the parent as it was.
func (c *Controller) syncFinalizer(ctx context.Context, parent *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	has, want := controllerutil.ContainsFinalizer(parent, c.finalizer), c.finishHook != nil
	switch {
	case has == want, want && parent.GetDeletionTimestamp() != nil:
		return parent, nil
	case want:
		return c.rewrite(ctx, c.parents.resource, parent, func(live *unstructured.Unstructured) bool {
			return controllerutil.AddFinalizer(live, c.finalizer)
		})
	default:
		return c.removeFinalizer(ctx, parent)
	}
}

func (c *Controller) removeFinalizer(ctx context.Context, parent *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	return c.rewrite(ctx, c.parents.resource, parent, func(live *unstructured.Unstructured) bool {
		return controllerutil.RemoveFinalizer(live, c.finalizer)
	})
}

// writeStatus replaces the whole status of the live parent, if it differs. A
// concurrent writer of the status loses its write: that is the real behaviour.
func (c *Controller) writeStatus(ctx context.Context, parent *unstructured.Unstructured, status map[string]any) error {
	if status == nil {
		status = make(map[string]any, 1)
	}
	status["observedGeneration"] = parent.GetGeneration()

	_, err := c.rewriteWith(ctx, c.parents.resource, parent, func(live *unstructured.Unstructured) bool {
		if reflect.DeepEqual(live.Object["status"], any(status)) {
			return false
		}
		live.Object["status"] = status
		return true
	}, "status")
	if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) {
		return fmt.Errorf("can't update status for %s: %w", describe(parent), err)
	}
	return nil
}
