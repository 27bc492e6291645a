package hooks

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"

	"github.com/kvrocks/kvrocks-operator/hooks/hookstest"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Each file of testdata/wrong is a CR that must be refused. Its first line is a comment: what refuses it ("admission", or
// "condition" where only the hooks can), and a part of the message. The same files are applied to a real API server by
// the scenarios.
func TestWrongCRsAreReportedAndNothingIsLost(t *testing.T) {
	files, err := filepath.Glob("testdata/wrong/*.yaml")
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(files), 25)
	// The CR was right once: its children are there, and stay as they are.
	cr := &v1alpha1.KVRocks{Spec: v1alpha1.KVRocksSpec{Type: v1alpha1.TypeStandard, Replicas: 3}}
	cr.Name = "wrong"
	live := settled(t, cr)
	right := live.cr
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yaml"), func(t *testing.T) {
			raw, err := os.ReadFile(file)
			require.NoError(t, err)
			first, _, _ := strings.Cut(string(raw), "\n")
			_, message, ok := strings.Cut(first, ": ")
			require.True(t, ok, "the first line must say what refuses it and with what message")

			w := live
			w.t, w.cr = t, right
			if cr := hookstest.ReadCR(t, raw); cr.Spec.Type == v1alpha1.TypeStandard && cr.Name == right.Name {
				w.change(func(live *v1alpha1.KVRocks) {
					live.Spec, live.Labels, live.Annotations = cr.Spec, cr.Labels, cr.Annotations
				})
			} else {
				w = newWorld(t, cr)
			}
			before := w.fingerprintOfChildren()
			w.sync()

			ready := meta.FindStatusCondition(w.cr.Status.Conditions, v1alpha1.ConditionReady)
			require.NotNil(t, ready)
			assert.Equal(t, metav1.ConditionFalse, ready.Status)
			assert.Equal(t, reasonInvalidSpec, ready.Reason)
			assert.Contains(t, ready.Message, message)
			assert.Equal(t, ready.Message, w.cr.Status.Reason)
			assert.Equal(t, v1alpha1.PhaseFailed, w.cr.Status.Phase)
			assert.Equal(t, before, w.fingerprintOfChildren(), "the running instance must be untouched")
			assert.False(t, w.changes(w.sync), "a refused CR must come to rest")
		})
	}
}

func TestATypeThatChangedIsReported(t *testing.T) {
	cr := example(t, "standard-minimal.yaml")
	w := settled(t, cr)
	w.change(func(cr *v1alpha1.KVRocks) { cr.Spec.Type = v1alpha1.TypeSentinel })
	before := w.fingerprintOfChildren()
	w.sync()
	assert.Contains(t, w.cr.Status.Reason, "spec.type cannot be changed")
	assert.Equal(t, before, w.fingerprintOfChildren())
}

func TestStorageThatChangedIsReported(t *testing.T) {
	for name, change := range map[string]func(*v1alpha1.KVRocksSpec){
		"removed": func(s *v1alpha1.KVRocksSpec) { s.Storage = nil },
		"smaller": func(s *v1alpha1.KVRocksSpec) { s.Storage.Size = resource.MustParse("512Mi") },
	} {
		t.Run(name, func(t *testing.T) {
			w := settled(t, example(t, "standard-full.yaml"))
			w.change(func(cr *v1alpha1.KVRocks) { change(&cr.Spec) })
			before := w.fingerprintOfChildren()
			w.sync()
			assert.Contains(t, w.cr.Status.Reason, "spec.storage")
			assert.Equal(t, before, w.fingerprintOfChildren())
		})
	}
}

func TestAPortThatChangedIsReported(t *testing.T) {
	for name, test := range map[string]struct{ first, then v1alpha1.KVRocksConfig }{
		"set":     {nil, v1alpha1.KVRocksConfig{"port": "6390"}},
		"removed": {v1alpha1.KVRocksConfig{"port": "6390"}, nil},
		"another": {v1alpha1.KVRocksConfig{"port": "6390"}, v1alpha1.KVRocksConfig{"port": "6391"}},
	} {
		for _, file := range []string{"standard-minimal.yaml", "cluster-minimal.yaml"} {
			t.Run(name+" in "+file, func(t *testing.T) {
				cr := example(t, file)
				cr.Spec.KVRocksConfig = test.first
				w := settled(t, cr)
				w.change(func(cr *v1alpha1.KVRocks) { cr.Spec.KVRocksConfig = test.then })
				before := w.fingerprintOfChildren()
				w.sync()
				assert.Contains(t, w.cr.Status.Reason, "kvrocksConfig.port cannot be changed")
				assert.Equal(t, before, w.fingerprintOfChildren())

				w.change(func(cr *v1alpha1.KVRocks) { cr.Spec.KVRocksConfig = test.first })
				w.settle()
				assert.Equal(t, v1alpha1.PhaseRunning, w.cr.Status.Phase)
			})
		}
	}
	t.Run("the default written out is no change", func(t *testing.T) {
		w := settled(t, example(t, "standard-minimal.yaml"))
		w.change(func(cr *v1alpha1.KVRocks) { cr.Spec.KVRocksConfig = v1alpha1.KVRocksConfig{"port": "06379"} })
		w.settle()
		assert.Equal(t, v1alpha1.PhaseRunning, w.cr.Status.Phase)
	})
}

func TestAPasswordThatWasRemovedIsReported(t *testing.T) {
	w := settled(t, example(t, "standard-full.yaml"))
	w.change(func(cr *v1alpha1.KVRocks) { cr.Spec.PasswordSecretRef = nil })
	before := w.fingerprintOfChildren()
	w.sync()
	assert.Contains(t, w.cr.Status.Reason, "the password cannot be removed")
	assert.Equal(t, before, w.fingerprintOfChildren())

	w.change(func(cr *v1alpha1.KVRocks) { cr.Spec.Password = "another" })
	w.settle()
	assert.Equal(t, v1alpha1.PhaseRunning, w.cr.Status.Phase)
}

func readFile(t testing.TB, file string) *v1alpha1.KVRocks {
	t.Helper()
	raw, err := os.ReadFile(file)
	require.NoError(t, err)
	return hookstest.ReadCR(t, raw)
}

func example(t testing.TB, name string) *v1alpha1.KVRocks {
	t.Helper()
	return readFile(t, "../examples/"+name)
}
