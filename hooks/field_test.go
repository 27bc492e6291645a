package hooks

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/hooks/hookstest"
)

// Each file of examples/field is what people write first. Its first line is a comment: what refuses it, and a part of the message that
// says what to write instead; or how it ends. The same files are applied to a real cluster by the scenarios.
func TestCRsOfTheFieldAreTakenOrRefusedWithTheWayOut(t *testing.T) {
	files, err := filepath.Glob("../examples/field/*.yaml")
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(files), 20)
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yaml"), func(t *testing.T) {
			raw, err := os.ReadFile(file)
			require.NoError(t, err)
			first, _, _ := strings.Cut(string(raw), "\n")
			_, message, refused := strings.Cut(first, ": ")
			for document := range strings.SplitSeq(string(raw), "\n---\n") {
				if !strings.Contains(document, "kind: KVRocks\n") {
					continue
				}
				w := newWorld(t, hookstest.ReadCR(t, []byte(document)))
				if refused {
					w.sync()
					assert.Equal(t, v1alpha1.PhaseFailed, w.cr.Status.Phase)
					assert.Contains(t, w.cr.Status.Reason, message)
					continue
				}
				w.settle()
				ready := meta.FindStatusCondition(w.cr.Status.Conditions, v1alpha1.ConditionReady)
				require.NotNil(t, ready)
				assert.Equal(t, "True", string(ready.Status), ready.Message)
			}
		})
	}
}
