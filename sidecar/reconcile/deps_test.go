package reconcile_test

import (
	"go/build"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const module = "github.com/kvrocks/kvrocks-operator/"

// TestDependencyDirection holds the arrows of docs/architecture.md, also against what an import brings along from within
// the module.
func TestDependencyDirection(t *testing.T) {
	const client, redis, hooks = "k8s.io/client-go", "github.com/redis/go-redis", module + "hooks"
	const layouts = module + "sidecar/plan/layout"
	inOut := []string{"net", "net/http", "os", "math/rand", "math/rand/v2", "crypto/rand", "log/slog", client, redis}
	tests := []struct {
		from string // directory, seen from here
		deny []string
	}{
		{"../plan", append([]string{hooks, module + "sidecar/kvrocks"}, inOut...)},
		{"../claims", append([]string{hooks, module + "sidecar/kvrocks", module + "sidecar/kube"}, inOut...)},
		{"../../hooks", append([]string{module + "sidecar"}, inOut...)},
		{"../kube", []string{hooks, module + "sidecar/kvrocks", module + "sidecar/kvctl", module + "sidecar/reconcile", redis}},
		{"../conn", []string{hooks, module + "sidecar/reconcile", redis}},
		{"../kvrocks", []string{"k8s.io", hooks, module + "sidecar/plan", module + "api/v1alpha1"}},
		{"../kvctl", []string{"k8s.io", hooks, module + "sidecar/plan", module + "sidecar/kvrocks", module + "api/v1alpha1", redis}},
		{".", []string{hooks, module + "server", module + "metacontroller", redis}},
		{"../cmd", []string{hooks, module + "server", module + "metacontroller", redis}},
		{"../../api/v1alpha1", append([]string{hooks, module + "sidecar"}, inOut...)},
		{"../../api/slots", append([]string{hooks, module + "sidecar", module + "api/v1alpha1", "k8s.io"}, inOut...)},
	}
	for _, test := range tests {
		t.Run(test.from, func(t *testing.T) {
			for path, via := range imports(t, test.from) {
				if path == layouts {
					continue // nodes and kvrocks-controller say one, and what it imports is looked at as well
				}
				for _, denied := range test.deny {
					below := denied != "net" && strings.HasPrefix(path, denied+"/") // net/netip only parses
					assert.False(t, path == denied || below, "%s must not import %s (through %s)", test.from, path, via)
				}
			}
		})
	}
}

// imports lists what the package in a directory imports, and what the packages of this module that it imports do; each
// with the package through which it comes. Redis stays behind sidecar/kvrocks, so that one is not looked into.
func imports(t *testing.T, dir string) map[string]string {
	t.Helper()
	found := map[string]string{}
	todo := []string{dir}
	for len(todo) > 0 {
		at := todo[0]
		todo = todo[1:]
		pkg, err := build.ImportDir(at, 0)
		require.NoError(t, err)
		for _, path := range pkg.Imports {
			if _, seen := found[path]; seen {
				continue
			}
			found[path] = at
			if inside, ok := strings.CutPrefix(path, module); ok && inside != "sidecar/kvrocks" {
				todo = append(todo, "../../"+inside)
			}
		}
	}
	return found
}
