package cluster

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"

	"github.com/kvrocks/kvrocks-operator/local/kubernetes/layout"
)

func newCluster(t *testing.T) *Cluster {
	t.Helper()
	dir := t.TempDir()
	l := layout.Layout{State: filepath.Join(dir, "state"), Run: filepath.Join(dir, "run"), Cache: filepath.Join(dir, "cache")}
	return New(l, noPrograms{}, noImages{}, &bytes.Buffer{})
}

func TestConfigurationFilesAreWellFormed(t *testing.T) {
	c := newCluster(t)
	require.NoError(t, c.writeConfig())
	for _, name := range []string{"kubelet.yaml", "kube-proxy.yaml", "kube-scheduler.yaml", "cni/cni.conflist"} {
		data, err := os.ReadFile(c.configFile(name))
		require.NoError(t, err)
		assert.NotContains(t, string(data), "{{", name)
		var content map[string]any
		require.NoError(t, yaml.UnmarshalStrict(data, &content), name)
		assert.NotEmpty(t, content, name)
	}
}

func TestWritingConfigurationAgainTouchesNothing(t *testing.T) {
	c := newCluster(t)
	require.NoError(t, c.writeConfig())
	before, err := os.Stat(c.configFile("kubelet.yaml"))
	require.NoError(t, err)
	require.NoError(t, c.writeConfig())
	after, err := os.Stat(c.configFile("kubelet.yaml"))
	require.NoError(t, err)
	assert.Equal(t, before.ModTime(), after.ModTime())
}

func TestEveryComponentIsNamedOnceAndCanBeAsked(t *testing.T) {
	names := map[string]bool{}
	for _, comp := range newCluster(t).all() {
		assert.False(t, names[comp.Name], "%s twice", comp.Name)
		names[comp.Name] = true
		assert.True(t, filepath.IsAbs(comp.Path), comp.Path)
		assert.True(t, comp.ready != "" || comp.Name == "containerd" || comp.Name == "volumes", "%s cannot be asked", comp.Name)
	}
}

func TestAProgramThatDoesNotRunIsNotWaitedFor(t *testing.T) {
	c := newCluster(t)
	err := c.check(t.Context(), c.etcd())
	require.Error(t, err)
	assert.NotErrorIs(t, err, errNotReady)
}
