// Package docs holds the documentation and the tests that keep it true: they run in `make unit` and `make check`, and read
// nothing but the tree.
package docs

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const root = ".."

var (
	fence   = regexp.MustCompile("(?ms)^```.*?^```\n")
	span    = regexp.MustCompile("`([^`\n]+)`")
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#+ +(.+)$`)

	inTree   = regexp.MustCompile(`^(\.ci|api|docs|examples|hooks|local|manifests|metacontroller|server|sidecar)(/|$)`)
	fileName = regexp.MustCompile(`^[A-Za-z0-9_.-]+\.(go|sh)$`)
	funcIn   = regexp.MustCompile(`^([A-Za-z0-9_./-]+\.go): ([A-Za-z0-9_.]+(?:, [A-Za-z0-9_.]+)*)$`)
	testName = regexp.MustCompile(`^(?:Test|Fuzz|Benchmark)[A-Z]\w*(?:/.+)?$`)
	target   = regexp.MustCompile(`^make ([a-z][a-z-]*)`)
)

// TestDocsNameWhatExists fails when the documentation names a path, a function of a file (`file.go: name`), a test, a make target
// or a heading that is not there.
func TestDocsNameWhatExists(t *testing.T) {
	tree := readTree(t)
	for _, doc := range documents(t) {
		t.Run(strings.TrimPrefix(doc, root+"/"), func(t *testing.T) {
			text := prose(t, doc)
			for _, match := range span.FindAllStringSubmatch(text, -1) {
				assert.Empty(t, tree.missing(match[1]), "`%s`", match[1])
			}
			if strings.HasSuffix(doc, "/api.md") {
				return // generated, with anchors that its generator makes up for maps
			}
			for _, match := range link.FindAllStringSubmatch(text, -1) {
				assert.Empty(t, missingLink(t, doc, match[1]), "](%s)", match[1])
			}
		})
	}
}

func TestMissingNamesAreNoticed(t *testing.T) {
	tree := readTree(t)
	for _, text := range []string{
		"hooks/nowhere.go", "hooks/nothing/*.go", "nowhere.go", "sidecar/plan/doc.go: nothing", "sidecar/plan/nowhere.go: Standard",
		"TestNothingOfTheKind", "TestGolden/no case of this name", "TestScenarios/standard/nothing", "TestScenarios/standard/handover/no case of this name", "make nothing", "sidecar/nothing/",
	} {
		assert.NotEmpty(t, tree.missing(text), text)
	}
	for _, text := range []string{
		"hooks/doc.go", "hooks/*.go", "hooks/<mode>.go", "doc.go", "sidecar/plan/", "TestGolden", "make unit FUZZ_RUNS=1", "kvrocks.conf",
		"docs/docs_test.go: prose, source.missing", "GET a/b", "go test ./hooks",
	} {
		assert.Empty(t, tree.missing(text), text)
	}
}

// documents lists the files that the tests keep true.
func documents(t *testing.T) []string {
	t.Helper()
	found := []string{filepath.Join(root, "README.md"), filepath.Join(root, "CONTRIBUTING.md")}
	require.NoError(t, filepath.WalkDir(".", func(path string, _ fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, ".md") {
			found = append(found, filepath.Join(root, "docs", path))
		}
		return err
	}))
	return found
}

// prose is the text of a document without its blocks of code.
func prose(t *testing.T, doc string) string {
	t.Helper()
	text, err := os.ReadFile(doc)
	require.NoError(t, err)
	return fence.ReplaceAllString(string(text), "")
}

// missing says what the text of a code span names and the tree does not have; "" when it names nothing of the tree.
func (s *source) missing(text string) string {
	if match := funcIn.FindStringSubmatch(text); match != nil {
		return s.missingFunctions(match[1], strings.Split(match[2], ", "))
	}
	switch {
	case testName.MatchString(text):
		return s.missingTest(text)
	case target.MatchString(text):
		if name := target.FindStringSubmatch(text)[1]; !s.targets[name] {
			return "the Makefile has no target " + name
		}
	case inTree.MatchString(text) && !strings.ContainsAny(text, " :"):
		pattern := placeholder.ReplaceAllString(text, "*")
		if found, err := filepath.Glob(filepath.Join(root, pattern)); err != nil || len(found) == 0 {
			return "there is no such path"
		}
	case fileName.MatchString(text):
		if !s.files[text] {
			return "no file has this name"
		}
	}
	return ""
}

var placeholder = regexp.MustCompile(`<[a-z]+>|\{[^}]*\}|…`)

// missingLink says why a link of a document leads nowhere; "" for one that does, or that leads out of the tree.
func missingLink(t *testing.T, doc, to string) string {
	t.Helper()
	if strings.Contains(to, "://") {
		return ""
	}
	path, anchor, _ := strings.Cut(to, "#")
	if path = filepath.Join(filepath.Dir(doc), path); strings.HasPrefix(to, "#") {
		path = doc
	}
	info, err := os.Stat(path)
	if err != nil {
		return err.Error()
	}
	if anchor == "" || info.IsDir() {
		return ""
	}
	for _, match := range heading.FindAllStringSubmatch(prose(t, path), -1) {
		if slug(match[1]) == anchor {
			return ""
		}
	}
	return "no such heading in " + path
}

// slug is the anchor that code hosts make of a heading.
func slug(text string) string {
	keep := func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r):
			return r
		}
		return -1
	}
	return strings.Map(keep, strings.ToLower(text))
}
