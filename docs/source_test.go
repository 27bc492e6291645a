package docs

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// source is what the tree declares.
type source struct {
	files    map[string]bool            // names of files, without directory
	declared map[string]map[string]bool // by path: functions, methods (with and without receiver), types, values, fields
	tests    map[string]string          // test functions, with the text of the files beside them
	targets  map[string]bool            // of the Makefile
}

func readTree(t *testing.T) *source {
	t.Helper()
	s := &source{files: map[string]bool{}, declared: map[string]map[string]bool{}, tests: map[string]string{}, targets: map[string]bool{}}
	require.NoError(t, filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir():
			if name := entry.Name(); name == "testdata" || name == "bin" || len(name) > 2 && name[0] == '.' && name != ".ci" {
				return fs.SkipDir
			}
			return nil
		}
		s.files[entry.Name()] = true
		if strings.HasSuffix(path, ".go") {
			return s.parse(path)
		}
		return nil
	}))
	makefile, err := os.ReadFile(filepath.Join(root, "Makefile"))
	require.NoError(t, err)
	for _, match := range regexp.MustCompile(`(?m)^([a-z][a-z-]*):`).FindAllSubmatch(makefile, -1) {
		s.targets[string(match[1])] = true
	}
	return s
}

// parse notes what a file declares, also the fields of its types and the keys of its literals: settings have no other name.
func (s *source) parse(path string) error {
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	names := map[string]bool{}
	ast.Inspect(file, func(node ast.Node) bool {
		switch n := node.(type) {
		case *ast.FuncDecl:
			names[n.Name.Name] = true
			if n.Recv != nil {
				names[receiver(n)+"."+n.Name.Name] = true
			} else if strings.HasSuffix(path, "_test.go") && testName.MatchString(n.Name.Name) {
				s.tests[n.Name.Name] = filepath.Dir(path)
			}
		case *ast.TypeSpec:
			names[n.Name.Name] = true
		case *ast.ValueSpec:
			for _, name := range n.Names {
				names[name.Name] = true
			}
		case *ast.Field:
			for _, name := range n.Names {
				names[name.Name] = true
			}
		case *ast.KeyValueExpr:
			if key, ok := n.Key.(*ast.Ident); ok {
				names[key.Name] = true
			}
		}
		return true
	})
	s.declared[strings.TrimPrefix(path, root+"/")] = names
	return nil
}

func receiver(f *ast.FuncDecl) string {
	expr := f.Recv.List[0].Type
	if star, ok := expr.(*ast.StarExpr); ok {
		expr = star.X
	}
	if index, ok := expr.(*ast.IndexExpr); ok {
		expr = index.X
	}
	if name, ok := expr.(*ast.Ident); ok {
		return name.Name
	}
	return ""
}

func (s *source) missingFunctions(path string, names []string) string {
	declared, ok := s.declared[path]
	if !ok {
		return "there is no file " + path
	}
	for _, name := range names {
		if !declared[name] {
			return path + " does not declare " + name
		}
	}
	return ""
}

// missingTest looks for a test, and for the text of its subtest in the files beside it or in testdata.
func (s *source) missingTest(name string) string {
	name, sub, _ := strings.Cut(name, "/")
	dir, ok := s.tests[name]
	if !ok {
		return "there is no test " + name
	}
	if parts := strings.SplitN(sub, "/", 3); len(parts) > 1 { // a folder of testdata, a file, and perhaps a case
		text, err := os.ReadFile(filepath.Join(dir, "testdata", parts[0], parts[1]+".txt"))
		if err == nil && (len(parts) == 2 || strings.Contains(string(text), "-- "+parts[2]+" --\n")) {
			return ""
		}
	}
	files, _ := filepath.Glob(filepath.Join(dir, "*_test.go"))
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err == nil && strings.Contains(string(text), sub) {
			return ""
		}
	}
	return name + " has no case " + sub
}
