package apply

import (
	"encoding/json"
	"fmt"
	"reflect"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	utiljson "k8s.io/apimachinery/pkg/util/json"
)

// LastAppliedAnnotation holds a child's last desired configuration as JSON.
const LastAppliedAnnotation = "metacontroller.k8s.io/last-applied-configuration"

// Create returns the object to POST for a child that is not there: desired with
// the last-applied annotation and the parent as owner.
func Create(desired, parent *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	object := desired.DeepCopy()
	if err := setLastApplied(object, desired); err != nil {
		return nil, err
	}
	own(object, parent)
	return object, nil
}

// Update returns the object to PUT for a child that is there, and whether it
// differs from observed. System fields of the metadata and the whole status
// stay as observed, whatever desired says.
func Update(observed, desired *unstructured.Unstructured) (next *unstructured.Unstructured, changed bool, err error) {
	last, err := lastApplied(observed)
	if err != nil {
		return nil, false, err
	}
	desired = desired.DeepCopy()
	dropLastApplied(desired)

	next = &unstructured.Unstructured{Object: Merge(observed.Object, last, desired.Object)}
	for _, field := range systemFields() {
		keepObserved(next, observed, "metadata", field)
	}
	keepObserved(next, observed, "status")
	if err := setLastApplied(next, desired); err != nil {
		return nil, false, err
	}
	return next, !reflect.DeepEqual(next.Object, observed.Object), nil
}

// systemFields are the read-only fields of the metadata.
func systemFields() [8]string {
	return [...]string{
		"selfLink", "uid", "resourceVersion", "generation",
		"creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "managedFields",
	}
}

// ControllerRef is the owner reference by which parent owns a child.
func ControllerRef(parent *unstructured.Unstructured) metav1.OwnerReference {
	yes := true
	return metav1.OwnerReference{
		APIVersion:         parent.GetAPIVersion(),
		Kind:               parent.GetKind(),
		Name:               parent.GetName(),
		UID:                parent.GetUID(),
		Controller:         &yes,
		BlockOwnerDeletion: &yes,
	}
}

// own adds the parent's reference unless the object has one to the same UID.
func own(object, parent *unstructured.Unstructured) {
	refs := object.GetOwnerReferences()
	for _, ref := range refs {
		if ref.UID == parent.GetUID() {
			return
		}
	}
	object.SetOwnerReferences(append(refs, ControllerRef(parent)))
}

func lastApplied(object *unstructured.Unstructured) (map[string]any, error) {
	text := object.GetAnnotations()[LastAppliedAnnotation]
	if text == "" {
		return nil, nil
	}
	var last map[string]any
	if err := utiljson.Unmarshal([]byte(text), &last); err != nil {
		return nil, fmt.Errorf("annotation %s of %s: %w", LastAppliedAnnotation, object.GetName(), err)
	}
	return last, nil
}

func setLastApplied(object, applied *unstructured.Unstructured) error {
	text, err := json.Marshal(applied.Object)
	if err != nil {
		return fmt.Errorf("encode the configuration of %s: %w", applied.GetName(), err)
	}
	annotations := object.GetAnnotations()
	if annotations == nil {
		annotations = make(map[string]string, 1)
	}
	annotations[LastAppliedAnnotation] = string(text)
	object.SetAnnotations(annotations)
	return nil
}

func dropLastApplied(object *unstructured.Unstructured) {
	annotations := object.GetAnnotations()
	if _, ok := annotations[LastAppliedAnnotation]; !ok {
		return
	}
	delete(annotations, LastAppliedAnnotation)
	object.SetAnnotations(annotations)
}

// keepObserved makes the field of next what it is in observed, or absent.
func keepObserved(next, observed *unstructured.Unstructured, path ...string) {
	value, found, err := unstructured.NestedFieldCopy(observed.Object, path...)
	if err != nil || !found {
		unstructured.RemoveNestedField(next.Object, path...)
		return
	}
	// The parents of the field are objects in next: observed has them, and a merge never turns one into something else.
	_ = unstructured.SetNestedField(next.Object, value, path...)
}
