package hooks

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

// frozen reports whether kvrocks refuses to change a setting live. The names are the read-only fields of src/config/config.cc
// in kvrocks 2.10.1 (38 of them) and on its unstable branch of 2024-10 (which adds socket-fd and rocksdb.wal_compression). A
// setting that is not listed is tried live; if the node refuses it, ConfigApplied says so.
func frozen(setting string) bool {
	switch setting {
	case "bind", "cluster-enabled", "daemonize", "db-name", "dir", "log-dir", "pidfile", "port", "rename-command",
		"slaveof", "socket-fd", "supervised", "tcp-backlog", "tls-port", "tls-replication", "txn-context-enabled",
		"unixsocket", "unixsocketperm", "use-rsid-psync",
		"rocksdb.avoid_unnecessary_blocking_io", "rocksdb.block_cache_size", "rocksdb.block_cache_type",
		"rocksdb.block_size", "rocksdb.cache_index_and_filter_blocks", "rocksdb.compression_level",
		"rocksdb.enable_pipelined_write", "rocksdb.max_background_flushes", "rocksdb.metadata_block_cache_size",
		"rocksdb.rate_limiter_auto_tuned", "rocksdb.row_cache_size",
		"rocksdb.share_metadata_and_subkey_block_cache", "rocksdb.subkey_block_cache_size",
		"rocksdb.wal_compression", "rocksdb.wal_size_limit_mb", "rocksdb.wal_ttl_seconds",
		"rocksdb.write_options.disable_wal", "rocksdb.write_options.low_pri",
		"rocksdb.write_options.memtable_insert_hint_per_batch", "rocksdb.write_options.no_slowdown",
		"rocksdb.write_options.sync":
		return true
	}
	return false
}

// decided reports whether the operator decides a setting; a wanted value is either what it decides or was refused.
func decided(setting string) bool {
	switch setting {
	case "slave-priority", "slave-read-only":
		return true
	}
	return frozen(setting)
}

// crashes reports whether CONFIG SET of the setting crashes a node that is not in cluster mode, where it means nothing
// (seen on kvrocks 2.10.1).
func crashes(setting string) bool {
	return setting == "migrate-batch-rate-limit-mb" || setting == "migrate-batch-size-kb"
}

// liveSettings are those that the sidecar applies to running nodes.
func (in *instance) liveSettings() map[string]string {
	live := make(map[string]string, len(in.spec.KVRocksConfig))
	for setting, value := range in.spec.KVRocksConfig {
		if !decided(setting) && (in.spec.Type == v1alpha1.TypeCluster || !crashes(setting)) {
			live[setting] = string(value)
		}
	}
	return live
}

// frozenHash changes when a setting changes that takes a restart.
func (in *instance) frozenHash() string {
	return hash([]byte(configLines(in.settings(), frozen)))
}

// configText is kvrocks.conf as far as all pods share it. start.sh adds what differs from pod to pod, and the password.
func (in *instance) configText() string {
	return configLines(in.settings(), func(string) bool { return true })
}

// settings are those of the spec with those that the operator decides.
func (in *instance) settings() map[string]string {
	settings := make(map[string]string, len(in.spec.KVRocksConfig)+10)
	for setting, value := range in.spec.KVRocksConfig {
		settings[setting] = string(value)
	}
	maps.Copy(settings, map[string]string{
		"bind":            "0.0.0.0",
		"cluster-enabled": yesNo(in.spec.Type == v1alpha1.TypeCluster),
		"daemonize":       "no",
		"dir":             dataDir,
		"log-dir":         "stdout",
		"pidfile":         dataDir + "/kvrocks.pid",
		"port":            strconv.Itoa(int(in.spec.Port())),
		"slave-read-only": "yes",
		// Partial sync would otherwise compare sequence numbers alone, and a returning master keep its diverged data.
		"use-rsid-psync": "yes",
	})
	return settings
}

// configLines writes those settings that pass, in the order of their names.
func configLines(settings map[string]string, pass func(string) bool) string {
	var text strings.Builder
	for _, setting := range slices.Sorted(maps.Keys(settings)) {
		if pass(setting) {
			text.WriteString(configLine(setting, settings[setting]))
			text.WriteByte('\n')
		}
	}
	return text.String()
}

// configLine writes one line of kvrocks.conf. A value is quoted where it must be: older releases read no quotes.
func configLine(setting, value string) string {
	if value != "" && !strings.ContainsAny(value, "#\"'\\\t") && strings.TrimSpace(value) == value {
		return setting + " " + value
	}
	return setting + ` "` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\t", `\t`).Replace(value) + `"`
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// hash is short enough for an annotation and long enough never to collide by accident.
func hash(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:8])
}
