package toolchain

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const source = "../.."

func TestProgramsAreKeptByTheVersionsOfGoMod(t *testing.T) {
	tools, err := Open(source, "/cache", "")
	require.NoError(t, err)
	assert.Regexp(t, `^/cache/programs-`+tools.KubernetesVersion()+`-[0-9a-f]{8}/etcd$`, tools.Path("etcd"))
	assert.Contains(t, tools.ldflags(), "gitVersion="+tools.KubernetesVersion())
}

func TestReadyMadeProgramsAreUsedWhereThereAre(t *testing.T) {
	assets := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(assets, "etcd"), nil, 0o600))
	tools, err := Open(source, "/cache", assets)
	require.NoError(t, err)
	assert.Equal(t, filepath.Join(assets, "etcd"), tools.Path("etcd"))
	assert.Contains(t, tools.Path("kubelet"), "/cache/programs-")
}

func TestAGoModWithoutThePinsIsRefused(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module x\n"), 0o600))
	_, err := Open(dir, "/cache", "")
	assert.ErrorContains(t, err, "does not require k8s.io/kubernetes")
}
