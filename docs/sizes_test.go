package docs

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What a person can keep in mind of the product: lines of code of a package, without blanks and comments, and methods of a type.
const (
	mostLines   = 3500
	mostMethods = 40
)

func TestNoPackageAndNoTypeOutgrowsAReader(t *testing.T) {
	lines, methods := map[string]int{}, map[string]int{}
	for _, root := range []string{"../api", "../hooks", "../server", "../sidecar", "../metacontroller"} {
		require.NoError(t, filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || strings.HasPrefix(filepath.Base(path), "zz_") {
				return err
			}
			raw, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			folder := filepath.Dir(path)
			for line := range strings.Lines(string(raw)) {
				if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "//") {
					lines[folder]++
				}
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, raw, parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			for _, d := range file.Decls {
				if f, ok := d.(*ast.FuncDecl); ok && f.Recv != nil {
					methods[folder+": "+receiver(f)]++
				}
			}
			return nil
		}))
	}
	for folder, n := range lines {
		assert.LessOrEqual(t, n, mostLines, "%s: give a part that can be said without the rest a package of its own", folder)
	}
	for name, n := range methods {
		assert.LessOrEqual(t, n, mostMethods, "%s: some of these methods ask less than all of it", name)
	}
}
