package programtest

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/kvrocks/kvrocks-operator/local/kubernetes/layout"
	"github.com/kvrocks/kvrocks-operator/local/kubernetes/toolchain"
)

// Run is the body of a TestMain and returns its exit code. It calls prepare, once and before the tests, with a folder that
// is there until they have ended.
func Run(m *testing.M, prepare func(folder string) error) int {
	folder, err := os.MkdirTemp("", "contract-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(folder) }()
	if err := prepare(folder); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// Find returns the real program that the environment variable names; without it, it builds the stand-in pkg, a main
// package, as name in the folder.
func Find(variable, folder, name, pkg string) (string, error) {
	if binary := os.Getenv(variable); binary != "" {
		return binary, nil
	}
	binary := filepath.Join(folder, name)
	build := exec.Command("go", "build", "-o", binary, pkg)
	build.Stdout, build.Stderr = os.Stdout, os.Stderr
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if err := build.Run(); err != nil {
		return "", fmt.Errorf("build the stand-in %s: %w", name, err)
	}
	return binary, nil
}

// Tools returns the programs of the local cluster, which it builds the first time, or those of KUBEBUILDER_ASSETS.
func Tools() (*toolchain.Toolchain, error) {
	here, err := layout.New()
	if err != nil {
		return nil, err
	}
	tools, err := toolchain.Open(here.Source, here.Cache, os.Getenv("KUBEBUILDER_ASSETS"))
	if err != nil {
		return nil, err
	}
	return tools, tools.Build(context.Background())
}
