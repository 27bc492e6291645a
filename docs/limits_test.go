package docs

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestTimeLimits holds that the tables of time limits in architecture.md name every constant of the product that is a time, and
// give its value. Defaults that stand in a literal, such as those of the sidecar's options, may be named as well.
func TestTimeLimits(t *testing.T) {
	constants, others := timesInCode(t)
	named := map[string]bool{}
	row := regexp.MustCompile("(?m)^\\|[^|\n]*\\| ([^|\n]+) \\| `([^`:]+\\.go): ([^`]+)` \\|$")
	for _, match := range row.FindAllStringSubmatch(prose(t, filepath.Join(root, "docs/architecture.md")), -1) {
		values, names := strings.Split(match[1], ", "), strings.Split(match[3], ", ")
		for i, name := range names {
			at := match[2] + ": " + name
			want, ok := constants[at]
			if !ok {
				if want, ok = others[at]; !ok {
					continue // a function, in which the time stands
				}
			}
			named[at] = true
			require.Len(t, values, len(names), "%s: a value for each name", at)
			assert.Equal(t, want, readTime(t, values[i]), at)
		}
	}
	for at := range constants {
		assert.True(t, named[at], "docs/architecture.md has no row for `%s`, %s", at, constants[at])
	}
}

// timesInCode returns the times of the product by "file: name": package constants, and keys of literals.
func timesInCode(t *testing.T) (constants, others map[string]time.Duration) {
	t.Helper()
	constants, others = map[string]time.Duration{}, map[string]time.Duration{}
	for _, dir := range []string{"api", "hooks", "server", "sidecar"} {
		require.NoError(t, filepath.WalkDir(filepath.Join(root, dir), func(path string, _ fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || strings.Contains(path, "/redistest/") {
				return err
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			at := strings.TrimPrefix(path, root+"/") + ": "
			ast.Inspect(file, func(node ast.Node) bool {
				switch n := node.(type) {
				case *ast.GenDecl:
					if n.Tok == token.CONST {
						for _, spec := range n.Specs {
							noteConstants(constants, at, spec.(*ast.ValueSpec))
						}
					}
				case *ast.FuncDecl: // its constants are its own
					ast.Inspect(n, func(inner ast.Node) bool {
						if pair, ok := inner.(*ast.KeyValueExpr); ok {
							note(others, at, pair.Key, pair.Value)
						}
						return true
					})
					return false
				}
				return true
			})
			return nil
		}))
	}
	return constants, others
}

func noteConstants(constants map[string]time.Duration, at string, spec *ast.ValueSpec) {
	for i, name := range spec.Names {
		if i < len(spec.Values) {
			note(constants, at, name, spec.Values[i])
		}
	}
}

// note keeps what is a time: a number of a unit, or a number whose name ends in its unit. What is 0 is none.
func note(times map[string]time.Duration, at string, key, value ast.Expr) {
	name, ok := key.(*ast.Ident)
	if !ok {
		return
	}
	if d := evaluate(value); d > 0 {
		times[at+name.Name] = d
		return
	}
	number, ok := value.(*ast.BasicLit)
	if !ok || number.Kind != token.INT {
		return
	}
	n, _ := strconv.Atoi(strings.ReplaceAll(number.Value, "_", ""))
	switch lower := strings.ToLower(name.Name); {
	case strings.HasSuffix(lower, "milliseconds"):
		times[at+name.Name] = time.Duration(n) * time.Millisecond
	case strings.HasSuffix(lower, "seconds"):
		times[at+name.Name] = time.Duration(n) * time.Second
	}
}

// evaluate is the time that `n * time.Unit` or `time.Unit` stands for; 0 for everything else.
func evaluate(expr ast.Expr) time.Duration {
	switch e := expr.(type) {
	case *ast.SelectorExpr:
		units := map[string]time.Duration{
			"Millisecond": time.Millisecond, "Second": time.Second, "Minute": time.Minute, "Hour": time.Hour,
		}
		if pkg, ok := e.X.(*ast.Ident); ok && pkg.Name == "time" {
			return units[e.Sel.Name]
		}
	case *ast.BinaryExpr:
		if n, ok := e.X.(*ast.BasicLit); ok && e.Op == token.MUL {
			factor, _ := strconv.Atoi(n.Value)
			return time.Duration(factor) * evaluate(e.Y)
		}
	}
	return 0
}

// readTime reads a value of the table, such as "1.5 s" or "20 min".
func readTime(t *testing.T, text string) time.Duration {
	t.Helper()
	d, err := time.ParseDuration(strings.NewReplacer(" ", "", "min", "m").Replace(text))
	require.NoError(t, err, text)
	return d
}
