package docs

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// gofmt turns two single quotes in a comment, also in a rule of the API, into a typographic one, and an API server refuses a CRD with
// such a rule. Write size(x) == 0 for an empty string.
func TestRulesOfTheAPIHoldNoTypographicQuotes(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(root, "manifests", "crds", "*.yaml"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		assert.NotRegexp(t, "[\u201c\u201d\u2018\u2019]", string(text), file)
	}
}
