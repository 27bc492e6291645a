package composite

import (
	"context"
	"fmt"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/util/retry"
)

// rewrite changes the live object that object is a copy of: GET, change, PUT,
// and again on a conflict. It writes nothing if change returns false. An object
// of the same name with another UID counts as not found. On an error it returns
// object itself.
func (c *Controller) rewrite(ctx context.Context, of resource, object *unstructured.Unstructured, change func(*unstructured.Unstructured) bool) (*unstructured.Unstructured, error) {
	return c.rewriteWith(ctx, of, object, change)
}

// rewriteWith is rewrite with a PUT to a subresource.
func (c *Controller) rewriteWith(
	ctx context.Context, of resource, object *unstructured.Unstructured,
	change func(*unstructured.Unstructured) bool, subresource ...string,
) (*unstructured.Unstructured, error) {
	client := of.client(c.Client, object.GetNamespace())
	result := object
	err := retry.RetryOnConflict(retry.DefaultBackoff, func() error {
		live, err := client.Get(ctx, object.GetName(), metav1.GetOptions{})
		if err != nil {
			return err
		}
		if live.GetUID() != object.GetUID() {
			return apierrors.NewNotFound(of.gvr.GroupResource(), object.GetName())
		}
		if !change(live) {
			result = live
			return nil
		}
		updated, err := client.Update(ctx, live, metav1.UpdateOptions{}, subresource...)
		if err != nil {
			return err
		}
		result = updated
		return nil
	})
	return result, err
}

func describe(object *unstructured.Unstructured) string {
	return fmt.Sprintf("%s %s", object.GetKind(), key(object))
}

func groupOf(apiVersion string) string {
	group, _, found := strings.Cut(apiVersion, "/")
	if !found {
		return ""
	}
	return group
}
