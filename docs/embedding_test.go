package docs

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestEmbeddingReplacesNothing holds that no type of the planner has a method of the same name as one of a type that it embeds: which of
// the two is called would depend on where the call stands.
func TestEmbeddingReplacesNothing(t *testing.T) {
	methods, embedded := map[string]map[string]bool{}, map[string][]string{}
	files, err := filepath.Glob(filepath.Join(root, "sidecar/plan/*.go"))
	require.NoError(t, err)
	for _, path := range files {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		ast.Inspect(file, func(node ast.Node) bool {
			switch n := node.(type) {
			case *ast.FuncDecl:
				if n.Recv != nil {
					of := receiver(n)
					if methods[of] == nil {
						methods[of] = map[string]bool{}
					}
					methods[of][n.Name.Name] = true
				}
			case *ast.TypeSpec:
				if s, ok := n.Type.(*ast.StructType); ok {
					embedded[n.Name.Name] = embeddedIn(s)
				}
			}
			return true
		})
	}
	require.NotEmpty(t, embedded["clusterShard"], "the test looks at the wrong files")
	var compare func(name, in string)
	compare = func(name, in string) {
		for method := range methods[name] {
			assert.False(t, methods[in][method], "%s.%s replaces that of %s, which it embeds", name, method, in)
		}
		for _, deeper := range embedded[in] {
			compare(name, deeper)
		}
	}
	for name := range embedded {
		for _, in := range embedded[name] {
			compare(name, in)
		}
	}
}

// embeddedIn returns the names of the types of the same package that a struct embeds.
func embeddedIn(s *ast.StructType) []string {
	var names []string
	for _, field := range s.Fields.List {
		expr := field.Type
		if star, ok := expr.(*ast.StarExpr); ok {
			expr = star.X
		}
		if name, ok := expr.(*ast.Ident); ok && len(field.Names) == 0 {
			names = append(names, name.Name)
		}
	}
	return names
}
