package kube

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/metadata/metadatainformer"
	"k8s.io/client-go/tools/cache"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

// legacyFinalizer is on instances that the older RocksLabs operator has seen. It does not run any more, so nothing but this
// takes it off, and Metacontroller knows its own finalizer alone.
const legacyFinalizer = "kvrocks/finalizer"

// metacontrollerFinalizer begins the finalizer that Metacontroller takes off once our hook has let the instance go.
const metacontrollerFinalizer = "metacontroller.io/"

// finalizers takes the older operator's finalizer off instances that are being deleted.
type finalizers struct {
	client metadata.Interface
	stores []cache.Store
	log    *slog.Logger
}

// RemoveLegacyFinalizers takes the older operator's finalizer off instances that are being deleted, in some namespaces or in
// all: it looks every period, until ctx ends. It does not wait for its caches: nothing else depends on them.
func RemoveLegacyFinalizers(
	ctx context.Context, client metadata.Interface, namespaces []string, period time.Duration, log *slog.Logger,
) {
	f := &finalizers{client: client, log: log}
	if len(namespaces) == 0 {
		namespaces = []string{metav1.NamespaceAll}
	}
	for _, namespace := range namespaces {
		informer := metadatainformer.NewFilteredMetadataInformer(client, v1alpha1.GroupVersion().WithResource("kvrocks"),
			namespace, 0, cache.Indexers{}, nil).Informer()
		f.stores = append(f.stores, informer.GetStore())
		go informer.RunWithContext(ctx)
	}
	wait.UntilWithContext(ctx, f.pass, period)
}

func (f *finalizers) pass(ctx context.Context) {
	for _, store := range f.stores {
		for _, obj := range store.List() {
			cr, ok := obj.(*metav1.PartialObjectMetadata)
			if !ok || !endsWithLegacy(cr) {
				continue
			}
			switch err := f.remove(ctx, cr); {
			case err == nil:
				f.log.Info("took the older operator's finalizer off", "namespace", cr.Namespace, "name", cr.Name)
			case !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) && ctx.Err() == nil:
				f.log.Warn("cannot take the older operator's finalizer off", "namespace", cr.Namespace, "name", cr.Name, "error", err)
			}
		}
	}
}

// endsWithLegacy reports whether an instance is being deleted, our hook has let it go, and the older operator's finalizer
// holds it.
func endsWithLegacy(cr *metav1.PartialObjectMetadata) bool {
	return cr.DeletionTimestamp != nil && slices.Contains(cr.Finalizers, legacyFinalizer) &&
		!slices.ContainsFunc(cr.Finalizers, func(name string) bool { return strings.HasPrefix(name, metacontrollerFinalizer) })
}

// remove fails with a conflict when the instance has changed meanwhile.
func (f *finalizers) remove(ctx context.Context, cr *metav1.PartialObjectMetadata) error {
	rest := slices.DeleteFunc(slices.Clone(cr.Finalizers), func(name string) bool { return name == legacyFinalizer })
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{
		"resourceVersion": cr.ResourceVersion, "finalizers": rest,
	}})
	if err != nil {
		return fmt.Errorf("encode the patch: %w", err)
	}
	_, err = f.client.Resource(v1alpha1.GroupVersion().WithResource("kvrocks")).Namespace(cr.Namespace).
		Patch(ctx, cr.Name, types.MergePatchType, patch, metav1.PatchOptions{})
	return err
}
