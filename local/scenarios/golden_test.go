package scenarios

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

const hooksTestdata = "../../hooks/testdata"

// dryRun creates an object without keeping it; an unknown field is an error. It returns the object as the API server would
// have stored it.
func (s *scenario) dryRun(object *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	s.Helper()
	kind := object.GroupVersionKind()
	resource, _ := meta.UnsafeGuessKindToResource(kind)
	switch kind.Kind {
	case "KVRocks":
		resource = kvrocksResource
	case "KVRocksTopology":
		resource = topologyResource
	}
	object.SetNamespace(s.namespace)
	return s.dyn.Resource(resource).Namespace(s.namespace).Create(s.ctx, object,
		metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}, FieldValidation: metav1.FieldValidationStrict})
}

// What the hooks declare is valid, and the API server stores it as it was declared: a field that it stored in another form
// would be written again on every sync.
func TestGoldenChildrenAreStoredAsDeclared(t *testing.T) {
	s := begin(t)
	files, err := filepath.Glob(hooksTestdata + "/*/*/response.golden.json")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		raw, err := os.ReadFile(file)
		require.NoError(t, err)
		var response struct{ Children []json.RawMessage }
		require.NoError(t, json.Unmarshal(raw, &response))
		require.NotEmpty(t, response.Children, file)
		for _, child := range response.Children {
			declared := new(unstructured.Unstructured)
			require.NoError(t, declared.UnmarshalJSON(child))
			stored, err := s.dryRun(declared.DeepCopy())
			require.NoError(t, err, "%s of %s", declared.GetName(), file)
			declared.SetNamespace(s.namespace)
			assert.Empty(t, difference(declared.Object, stored.Object, ""), "%s %s of %s", declared.GetKind(), declared.GetName(), file)
		}
	}
}

// difference names the first field of declared that stored does not hold in the same form; "" when there is none.
func difference(declared, stored any, path string) string {
	switch want := declared.(type) {
	case map[string]any:
		got, _ := stored.(map[string]any)
		for key, value := range want {
			if d := difference(value, got[key], path+"."+key); d != "" {
				return d
			}
		}
		return ""
	case []any:
		got, _ := stored.([]any)
		if len(got) != len(want) {
			return fmt.Sprintf("%s has %d entries, not %d", path, len(got), len(want))
		}
		for i := range want {
			if d := difference(want[i], got[i], fmt.Sprintf("%s[%d]", path, i)); d != "" {
				return d
			}
		}
		return ""
	}
	if !reflect.DeepEqual(declared, stored) {
		return fmt.Sprintf("%s is stored as %v, not %v", path, stored, declared)
	}
	return ""
}

func TestExamplesAndOlderCRsAreAdmitted(t *testing.T) {
	s := begin(t)
	for _, pattern := range []string{"../../examples/*.yaml", "../../examples/legacy/*.yaml"} {
		files, err := filepath.Glob(pattern)
		require.NoError(t, err)
		require.NotEmpty(t, files)
		for _, file := range files {
			raw, err := os.ReadFile(file)
			require.NoError(t, err)
			for document := range strings.SplitSeq(string(raw), "\n---\n") {
				object := new(unstructured.Unstructured)
				require.NoError(t, yaml.Unmarshal([]byte(document), &object.Object))
				_, err := s.dryRun(object)
				assert.NoError(t, err, file)
			}
		}
	}
}

// Each of a table of wrong CRs is refused at admission, or reported in a condition, with a message that tells
// what to write. The first line of each file says which, and a part of the message.
func TestWrongCRsAreRefusedOrReported(t *testing.T) {
	s := begin(t)
	files, err := filepath.Glob(hooksTestdata + "/wrong/*.yaml")
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(files), 25)
	for _, file := range files {
		raw, err := os.ReadFile(file)
		require.NoError(t, err)
		first, _, _ := strings.Cut(string(raw), "\n")
		who, message, ok := strings.Cut(strings.TrimPrefix(first, "# "), ": ")
		require.True(t, ok, file)
		object := new(unstructured.Unstructured)
		require.NoError(t, yaml.Unmarshal(raw, &object.Object))
		_, err = s.dryRun(object.DeepCopy())
		if who == "admission" {
			assert.ErrorContains(t, err, message, file) //nolint:testifylint // the other files are tried as well
			continue
		}
		require.NoError(t, err, file)
		s.reported(file, object, message)
	}
}

// reported creates an instance, waits for the condition that refuses it, and deletes it.
func (s *scenario) reported(file string, object *unstructured.Unstructured, message string) {
	s.Helper()
	name := object.GetName()
	s.apply(mustYAML(s, object))
	refused := s.condition(name, v1alpha1.ConditionReady, metav1.ConditionFalse, time.Minute, "InvalidSpec")
	assert.Contains(s, refused.Message, message, file)
	crs := s.dyn.Resource(kvrocksResource).Namespace(s.namespace)
	require.NoError(s, crs.Delete(s.ctx, name, metav1.DeleteOptions{}))
	s.eventually(name+" is gone", time.Minute, func() error {
		if _, err := crs.Get(s.ctx, name, metav1.GetOptions{}); err == nil {
			return fmt.Errorf("%s is still there", name)
		}
		return nil
	})
}

func mustYAML(s *scenario, object *unstructured.Unstructured) string {
	s.Helper()
	raw, err := yaml.Marshal(object.Object)
	require.NoError(s, err)
	return string(raw)
}
