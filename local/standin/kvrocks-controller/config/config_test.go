package config

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func load(t *testing.T, text string, environ map[string]string) (Config, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config.yaml")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return Load(path, func(name string) string { return environ[name] })
}

func TestDefaults(t *testing.T) {
	c, err := load(t, "", nil)
	require.NoError(t, err)
	assert.Equal(t, []string{"127.0.0.1:2379"}, c.Etcd.Addrs)
	assert.Equal(t, 3*time.Second, c.Controller.Failover.PingInterval())
	assert.EqualValues(t, 5, c.Controller.Failover.MaxPingCount)
	assert.Regexp(t, `:9379$`, c.Addr)
}

func TestTheFileWinsOverTheEnvironment(t *testing.T) {
	environ := map[string]string{"KVROCKS_CONTROLLER_HTTP_HOST": "10.1.2.3", "KVROCKS_CONTROLLER_HTTP_PORT": "99"}
	for text, want := range map[string]string{"": "10.1.2.3:99", "addr: 127.0.0.1:1": "127.0.0.1:1"} {
		c, err := load(t, text, environ)
		require.NoError(t, err)
		assert.Equal(t, want, c.Addr)
	}
	environ["KVROCKS_CONTROLLER_HTTP_HOST"] = "localhost"
	c, err := load(t, "", environ)
	require.NoError(t, err)
	assert.Regexp(t, `:9379$`, c.Addr, "a name is not accepted")
}

func TestRefusals(t *testing.T) {
	for text, want := range map[string]string{
		"controller: {failover: {ping_interval_seconds: 0}}": "ping interval required >= 1s",
		"controller: {failover: {max_ping_count: 2}}":        "max ping count required >= 3",
		"storage_type: raft":                                 "storage type raft",
		"[":                                                  "unmarshal the config file",
	} {
		_, err := load(t, text, nil)
		assert.ErrorContains(t, err, want)
	}
}
