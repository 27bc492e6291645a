package composite

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kvrocks/kvrocks-operator/local/standin/metacontroller/api"
)

func named(namespace, name, label string) *unstructured.Unstructured {
	u := &unstructured.Unstructured{Object: map[string]any{}}
	u.SetNamespace(namespace)
	u.SetName(name)
	u.SetLabels(map[string]string{"l": label})
	return u
}

func TestSelectionOfARule(t *testing.T) {
	byLabel := &metav1.LabelSelector{MatchLabels: map[string]string{"l": "x"}}
	for name, c := range map[string]struct {
		rule    api.RelatedResourceRule
		version api.HookVersion
		object  *unstructured.Unstructured
		want    bool
	}{
		"label":                      {api.RelatedResourceRule{LabelSelector: byLabel}, api.V2, named("n", "a", "x"), true},
		"label, elsewhere":           {api.RelatedResourceRule{LabelSelector: byLabel}, api.V2, named("m", "a", "x"), true},
		"label, elsewhere, v1":       {api.RelatedResourceRule{LabelSelector: byLabel}, api.V1, named("m", "a", "x"), false},
		"other label":                {api.RelatedResourceRule{LabelSelector: byLabel}, api.V2, named("n", "a", "y"), false},
		"label and namespace":        {api.RelatedResourceRule{LabelSelector: byLabel, Namespace: "n"}, api.V2, named("m", "a", "x"), false},
		"name":                       {api.RelatedResourceRule{Names: []string{"a"}}, api.V2, named("m", "a", ""), true},
		"other name":                 {api.RelatedResourceRule{Names: []string{"a"}}, api.V2, named("m", "b", ""), false},
		"name and namespace":         {api.RelatedResourceRule{Names: []string{"a"}, Namespace: "n"}, api.V2, named("m", "a", ""), false},
		"whole namespace":            {api.RelatedResourceRule{Namespace: "n"}, api.V2, named("n", "any", ""), true},
		"everything":                 {api.RelatedResourceRule{}, api.V2, named("m", "any", ""), true},
		"cluster-scoped, namespaced": {api.RelatedResourceRule{Namespace: "n"}, api.V2, named("", "any", ""), true},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := newSelection(c.rule, c.version, named("n", "parent", ""), true)
			require.NoError(t, err)
			assert.Equal(t, c.want, s.selects(c.object))
		})
	}
}

func TestSelectionRefusesContradictions(t *testing.T) {
	parent := named("n", "parent", "")
	for name, rule := range map[string]api.RelatedResourceRule{
		"names and labels":           {Names: []string{"a"}, LabelSelector: &metav1.LabelSelector{}},
		"another namespace under v1": {Namespace: "m"},
		"namespaceSelector":          {NamespaceSelector: &metav1.LabelSelector{}},
		"invalid selector": {LabelSelector: &metav1.LabelSelector{
			MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "k", Operator: "Near"}},
		}},
	} {
		_, err := newSelection(rule, api.V1, parent, true)
		assert.Error(t, err, name)
	}
}
