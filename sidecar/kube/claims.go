package kube

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/tools/cache"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

// trimClaim keeps of a claim what is read here.
func trimClaim(claim *corev1.PersistentVolumeClaim) *corev1.PersistentVolumeClaim {
	return &corev1.PersistentVolumeClaim{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: claim.Namespace, Name: claim.Name, UID: claim.UID, ResourceVersion: claim.ResourceVersion,
			Labels: claim.Labels, DeletionTimestamp: claim.DeletionTimestamp,
		},
		Spec: corev1.PersistentVolumeClaimSpec{Resources: claim.Spec.Resources, StorageClassName: claim.Spec.StorageClassName},
		Status: corev1.PersistentVolumeClaimStatus{
			Phase: claim.Status.Phase, Capacity: claim.Status.Capacity, Conditions: claim.Status.Conditions,
			AllocatedResourceStatuses: claim.Status.AllocatedResourceStatuses,
		},
	}
}

// instanceOfClaim returns the instance of a claim. Those of version 0.1.0 have no label but the one that pods have; see
// [v1alpha1.LabelKVRocks].
func instanceOfClaim(claim *corev1.PersistentVolumeClaim) types.NamespacedName {
	return types.NamespacedName{
		Namespace: claim.Namespace,
		Name:      cmp.Or(claim.Labels[v1alpha1.LabelKVRocks], claim.Labels[v1alpha1.LabelInstance]),
	}
}

func claimKey(obj any) ([]string, error) {
	claim, ok := obj.(*corev1.PersistentVolumeClaim)
	if !ok {
		return nil, nil
	}
	return []string{instanceOfClaim(claim).String()}, nil
}

// ClaimsOf lists the claims of an instance by name; ok is false while they cannot be read, for example for want of the right to.
func (c *Cache) ClaimsOf(instance types.NamespacedName) (claims map[string]*corev1.PersistentVolumeClaim, ok bool) {
	informer := c.of(instance.Namespace).claims
	if informer == nil || !informer.HasSynced() {
		return nil, false
	}
	claims = map[string]*corev1.PersistentVolumeClaim{}
	for _, claim := range indexed[*corev1.PersistentVolumeClaim](informer, byInstance, instance.String()) {
		claims[claim.Name] = c.claims.newest(claim)
	}
	return claims, true
}

func (h handlers) ofClaims() cache.ResourceEventHandler {
	return cache.ResourceEventHandlerFuncs{
		AddFunc: func(obj any) { h.claim(obj.(*corev1.PersistentVolumeClaim)) },
		UpdateFunc: func(was, is any) {
			before, after := was.(*corev1.PersistentVolumeClaim), is.(*corev1.PersistentVolumeClaim)
			if !equality.Semantic.DeepEqual(before.Spec, after.Spec) || !equality.Semantic.DeepEqual(before.Status, after.Status) {
				h.claim(after)
			}
		},
		DeleteFunc: func(obj any) {
			if claim, ok := deleted(obj).(*corev1.PersistentVolumeClaim); ok {
				h.cache.claims.forget(KeyOf(claim))
				h.claim(claim)
			}
		},
	}
}

// claim wakes the instance of a claim, if there is one: claims outlive instances.
func (h handlers) claim(claim *corev1.PersistentVolumeClaim) {
	instance := instanceOfClaim(claim)
	if _, ok := h.cache.Topology(instance); ok {
		h.wake(instance)
	}
}

// ClaimWriter makes claims ask for larger volumes.
type ClaimWriter struct {
	claims  typedcorev1.PersistentVolumeClaimsGetter
	written *overlay[*corev1.PersistentVolumeClaim]
}

// NewClaimWriter makes a ClaimWriter.
func NewClaimWriter(claims typedcorev1.PersistentVolumeClaimsGetter) *ClaimWriter {
	return &ClaimWriter{claims: claims, written: newOverlay[*corev1.PersistentVolumeClaim]()}
}

// claimPatch is the part of a claim that is written. A version that is not the claim's makes the API server refuse it.
type claimPatch struct {
	Metadata patchMetadata  `json:"metadata"`
	Spec     claimPatchSpec `json:"spec"`
}

type claimPatchSpec struct {
	Resources corev1.VolumeResourceRequirements `json:"resources"`
}

// Expand makes exactly the claim that was observed ask for size, and returns it as it is then. It fails with a conflict when the claim has
// changed since, and otherwise with what the API server says, for example that the class does not allow it.
func (w *ClaimWriter) Expand(
	ctx context.Context, claim *corev1.PersistentVolumeClaim, size resource.Quantity,
) (*corev1.PersistentVolumeClaim, error) {
	body, err := json.Marshal(claimPatch{
		Metadata: patchMetadata{UID: claim.UID, ResourceVersion: claim.ResourceVersion},
		Spec: claimPatchSpec{Resources: corev1.VolumeResourceRequirements{
			Requests: corev1.ResourceList{corev1.ResourceStorage: size},
		}},
	})
	if err != nil {
		return nil, fmt.Errorf("encode the patch of claim %s: %w", claim.Name, err)
	}
	written, err := w.claims.PersistentVolumeClaims(claim.Namespace).Patch(ctx, claim.Name, types.MergePatchType, body, metav1.PatchOptions{})
	if err != nil {
		return nil, fmt.Errorf("expand claim %s: %w", claim.Name, err)
	}
	trimmed := trimClaim(written)
	w.written.wrote(trimmed)
	return trimmed, nil
}
