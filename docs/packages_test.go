package docs

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestPackagesListTheirFiles holds that a doc.go which lists the files of its package lists them all, and none that is gone.
func TestPackagesListTheirFiles(t *testing.T) {
	goFile := regexp.MustCompile(`\b[a-z0-9_]+\.go\b`)
	listing := map[string]bool{}
	require.NoError(t, filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.Name() != "doc.go" {
			return err
		}
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		listed := map[string]bool{}
		for _, name := range goFile.FindAllString(string(text), -1) {
			listed[name] = true
		}
		if len(listed) == 0 {
			return nil
		}
		dir := filepath.Dir(path)
		listing[strings.TrimPrefix(dir, root+"/")] = true
		files, err := filepath.Glob(filepath.Join(dir, "*.go"))
		require.NoError(t, err)
		for _, file := range files {
			name := filepath.Base(file)
			if name != "doc.go" && !strings.HasSuffix(name, "_test.go") {
				assert.True(t, listed[name], "%s does not name %s", path, name)
			}
		}
		for name := range listed {
			assert.FileExists(t, filepath.Join(dir, name), "%s names it", path)
		}
		return nil
	}))
	for _, dir := range []string{"hooks", "sidecar/claims", "sidecar/conn", "sidecar/kube", "sidecar/plan", "sidecar/plan/migration", "sidecar/reconcile"} {
		assert.True(t, listing[dir], "%s/doc.go lists no files", dir)
	}
}

// TestFilesAreShort holds what CONTRIBUTING.md says of files of the product, with some room: a stranger reads one at a time.
func TestFilesAreShort(t *testing.T) {
	const most = 330
	for _, dir := range []string{"api", "hooks", "metacontroller", "server", "sidecar"} {
		require.NoError(t, filepath.WalkDir(filepath.Join(root, dir), func(path string, entry fs.DirEntry, err error) error {
			name := entry.Name()
			if err != nil || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") || strings.HasPrefix(name, "zz_generated") {
				return err
			}
			text, err := os.ReadFile(path)
			assert.LessOrEqual(t, strings.Count(string(text), "\n"), most, "%s has too many lines: divide it by subject", path)
			return err
		}))
	}
}
