package kvrocksconf

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

func spec(kind v1alpha1.InstanceType, config v1alpha1.KVRocksConfig) *v1alpha1.KVRocksSpec {
	return (&v1alpha1.KVRocksSpec{Type: kind, KVRocksConfig: config}).WithDefaults()
}

func TestTextHoldsWhatIsWantedAndWhatIsDecided(t *testing.T) {
	text := Text(spec(v1alpha1.TypeStandard, v1alpha1.KVRocksConfig{
		"maxclients": "100", "log-level": " info", "db-name": `a"b`, "rename-command": `KEYS "", FLUSHALL WipeAll`,
	}), false)
	assert.Equal(t, `bind 0.0.0.0
cluster-enabled no
daemonize no
db-name "a\"b"
dir /var/lib/kvrocks
log-dir stdout
log-level " info"
maxclients 100
pidfile /var/lib/kvrocks/kvrocks.pid
port 6379
rename-command "keys \"\""
rename-command "flushall wipeall"
repl-namespace-enabled yes
slave-read-only yes
use-rsid-psync yes
`, text)
}

func TestBoundedLossKeepsStartingNodesFromBeingElected(t *testing.T) {
	bounded := spec(v1alpha1.TypeStandard, nil)
	bounded.Failover.MaxLostWrites = new(int64)
	assert.Contains(t, Text(bounded, true), "\nslave-priority 0\n")
	assert.NotContains(t, Text(bounded, false), settingPriority, "no sentinel elects")
}

func TestSettingsAreAppliedLiveOrTakeARestart(t *testing.T) {
	config := v1alpha1.KVRocksConfig{"maxclients": "100", "rocksdb.block_size": "4096", "migrate-batch-size-kb": "16", settingPriority: "100"}
	assert.Equal(t, map[string]string{"maxclients": "100", settingNamespaces: "yes"}, Live(spec(v1alpha1.TypeStandard, config)))
	assert.Equal(t, map[string]string{"maxclients": "100", "migrate-batch-size-kb": "16"}, Live(spec(v1alpha1.TypeCluster, config)))
	text := RestartText(spec(v1alpha1.TypeStandard, config))
	assert.Contains(t, text, "rocksdb.block_size 4096\n")
	assert.NotContains(t, text, "maxclients")
}

// More is tried by the files of hooks/testdata/wrong.
func TestSettingsThatAreRefused(t *testing.T) {
	assert.Empty(t, Check(spec(v1alpha1.TypeStandard, v1alpha1.KVRocksConfig{
		"port": "6390", "maxclients": "64", "redis-databases": "0", "migrate-batch-rate-limit-mb": "1", "use-rsid-psync": "yes", settingNamespaces: "yes",
	})))
	for setting, value := range map[string]string{
		"Port": "6379", "a": "b\nc", "requirepass": "x", "slaveof": "x", "cluster-enabled": "yes", "replica-announce-ip": "x", "dir": "/", "port": "80",
		"tls-port": "1", "namespace.a": "b", "socket-fd": "3", "redis-databases": "1", "migrate-batch-rate-limit-mb": "0", "maxclients": "63",
		"rename-command": "KEYS", "use-rsid-psync": "no", "daemonize": "yes", "slave-read-only": "no", "bind": "127.0.0.1",
		"slave-serve-stale-data": "no", "master-use-repl-port": "yes", "rocksdb.write_options.disable_wal": "yes", settingPriority: "0", settingNamespaces: "no",
	} {
		assert.Len(t, Check(spec(v1alpha1.TypeStandard, v1alpha1.KVRocksConfig{setting: v1alpha1.ConfigValue(value)})), 1, setting)
	}
	many := v1alpha1.KVRocksConfig{}
	for i := range 257 {
		many[string(rune('a'+i%26))+string(rune('a'+i/26))] = "x"
	}
	assert.Len(t, Check(spec(v1alpha1.TypeStandard, many)), 1)
	for _, text := range []string{"GET A, INFO B", "GET PING", "GET A, GET B"} {
		_, problem := parseRenames(text)
		assert.NotEmpty(t, problem, text)
	}
}
