package composite

import (
	"errors"
	"fmt"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/kvrocks/kvrocks-operator/local/standin/metacontroller/api"
)

// selection is one rule of a customize hook, for one parent.
type selection struct {
	namespace string // "" for all
	names     []string
	labels    labels.Selector
}

// newSelection reads a rule. bound says that both the parent and the related
// resource are namespaced: then a v1 hook sees the parent's namespace only.
func newSelection(rule api.RelatedResourceRule, version api.HookVersion, parent *unstructured.Unstructured, bound bool) (selection, error) {
	if rule.NamespaceSelector != nil {
		return selection{}, errors.New("related rule: the stand-in does not know namespaceSelector")
	}
	if len(rule.Names) > 0 && rule.LabelSelector != nil {
		return selection{}, fmt.Errorf("related rule for %s cannot have both names and labelSelector", rule.Resource)
	}
	s := selection{namespace: rule.Namespace, names: rule.Names, labels: labels.Everything()}
	if rule.LabelSelector != nil {
		var err error
		if s.labels, err = metav1.LabelSelectorAsSelector(rule.LabelSelector); err != nil {
			return selection{}, fmt.Errorf("related rule for %s: %w", rule.Resource, err)
		}
	}
	if version == api.V1 && bound {
		if rule.Namespace != "" && rule.Namespace != parent.GetNamespace() {
			return selection{}, fmt.Errorf("requested related object namespace %s differs from parent object namespace %s",
				rule.Namespace, parent.GetNamespace())
		}
		s.namespace = parent.GetNamespace()
	}
	return s, nil
}

// selects reports whether the object, of the rule's kind, is selected.
func (s selection) selects(object *unstructured.Unstructured) bool {
	inNamespace := s.namespace == "" || object.GetNamespace() == "" || object.GetNamespace() == s.namespace
	return inNamespace && s.matches(object)
}

// matches is selects for an object that is known to be in the namespace.
func (s selection) matches(object *unstructured.Unstructured) bool {
	if len(s.names) > 0 && !slices.Contains(s.names, object.GetName()) {
		return false
	}
	return s.labels.Matches(labels.Set(object.GetLabels()))
}
