package host

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kvrocks/kvrocks-operator/local/kubernetes/process"
)

func TestIsShimKnowsOnlyThoseOfOurContainerd(t *testing.T) {
	const socket = "/run/ours/containerd.sock"
	tests := map[string]struct {
		args []string
		want bool
	}{
		"ours":             {[]string{"/usr/bin/containerd-shim-runc-v2", "-namespace", "k8s.io", "-address", socket}, true},
		"another's":        {[]string{"/usr/bin/containerd-shim-runc-v2", "-address", "/run/containerd/containerd.sock"}, false},
		"something else":   {[]string{"/usr/bin/vi", "-address", socket}, false},
		"no address":       {[]string{"containerd-shim-runc-v2", "-address"}, false},
		"a kernel process": {[]string{""}, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, tt.want, IsShim(process.Running{Args: tt.args}, socket))
		})
	}
}

func TestContainerIDsAreReadFromTheFoldersThatOutliveContainerd(t *testing.T) {
	root := t.TempDir()
	for _, dir := range []string{"io.containerd.runtime.v2.task/k8s.io/a", "io.containerd.grpc.v1.cri/sandboxes/b"} {
		require.NoError(t, os.MkdirAll(filepath.Join(root, dir), 0o755))
	}
	assert.ElementsMatch(t, []string{"a", "b"}, ContainerIDs(root))
}

func TestRemoveLinksIntoLeavesOthersLinks(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.Symlink("/ours/log/x", filepath.Join(dir, "ours")))
	require.NoError(t, os.Symlink("/theirs/log/x", filepath.Join(dir, "theirs")))
	require.NoError(t, RemoveLinksInto(dir, "/ours/log"))
	assert.NoFileExists(t, filepath.Join(dir, "ours"))
	_, err := os.Lstat(filepath.Join(dir, "theirs"))
	assert.NoError(t, err)
}

func TestLockExcludesAnotherUntilGivenBack(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cache", "lock")
	unlock, err := Lock(path)
	require.NoError(t, err)

	other, err := os.Open(path)
	require.NoError(t, err)
	t.Cleanup(func() { _ = other.Close() })
	require.ErrorIs(t, syscall.Flock(int(other.Fd()), syscall.LOCK_EX|syscall.LOCK_NB), syscall.EWOULDBLOCK)
	unlock()
	assert.NoError(t, syscall.Flock(int(other.Fd()), syscall.LOCK_EX|syscall.LOCK_NB))
}
