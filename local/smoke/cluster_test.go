//go:build smoke

package smoke

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/kvrocks/kvrocks-operator/local/kubernetes/layout"
)

// local runs the program under test and returns what it printed.
func local(t *testing.T, args ...string) string {
	t.Helper()
	return string(run(t, "go", append([]string{"run", "../kubernetes"}, args...)...))
}

func run(t *testing.T, program string, args ...string) []byte {
	t.Helper()
	out, err := exec.Command(program, args...).CombinedOutput()
	require.NoErrorf(t, err, "%s %s\n%s", program, strings.Join(args, " "), out)
	return out
}

// namespace is a place of its own in the cluster, removed when the test ends.
type namespace struct {
	t    *testing.T
	name string
}

func newNamespace(t *testing.T) namespace {
	t.Helper()
	n := namespace{t: t, name: fmt.Sprintf("smoke-%x", time.Now().UnixNano())}
	n.must("create", "namespace", n.name)
	t.Cleanup(func() {
		// Fails when the test has taken the cluster down, and then there is nothing to remove.
		_, _ = n.kubectl("delete", "namespace", n.name, "--wait=false")
	})
	return n
}

func (n namespace) kubectl(args ...string) (string, error) {
	return n.kubectlWith("", args...)
}

func (n namespace) kubectlWith(stdin string, args ...string) (string, error) {
	here, err := layout.New()
	if err != nil {
		return "", err
	}
	args = append([]string{"--kubeconfig", here.Kubeconfig(), "--namespace", n.name}, args...)
	cmd := exec.Command(filepath.Join(here.Cache, "bin", "kubectl"), args...)
	cmd.Stdin = strings.NewReader(stdin)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("kubectl %s: %w: %s", strings.Join(args, " "), err, stderr.String())
	}
	return string(out), nil
}

func (n namespace) must(args ...string) string {
	n.t.Helper()
	out, err := n.kubectl(args...)
	require.NoError(n.t, err)
	return out
}

func (n namespace) applyPods() {
	n.t.Helper()
	_, err := n.kubectlWith(pods, "apply", "-f", "-")
	require.NoError(n.t, err)
}
