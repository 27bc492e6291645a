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

// frozen reports whether a setting takes effect only when kvrocks starts. The names are the read-only fields of
// src/config/config.cc from kvrocks 2.10 to 2.17, and those whose CONFIG SET can only fail: log-retention-days with our log to
// stdout, and rocksdb.level_compaction_dynamic_level_bytes, which RocksDB does not change while it runs. To take one for frozen
// that is not costs a roll; one that is missing here is tried live, and ConfigApplied says that it takes a restart.
func frozen(setting string) bool {
	switch setting {
	case "bind", "cluster-enabled", "daemonize", "db-name", "dir", "enable-blob-cache", "histogram-bucket-boundaries",
		"log-dir", "log-retention-days", "pidfile", "port", "redis-databases", "rename-command", "replicaof",
		"slaveof", "socket-fd", "supervised", "tcp-backlog", "tls-port", "tls-replication", "txn-context-enabled",
		"unixsocket", "unixsocketperm", "use-rsid-psync",
		"rocksdb.avoid_unnecessary_blocking_io", "rocksdb.block_cache_size", "rocksdb.block_cache_type",
		"rocksdb.block_size", "rocksdb.cache_index_and_filter_blocks", "rocksdb.compression_level",
		"rocksdb.dump_malloc_stats", "rocksdb.enable_pipelined_write",
		"rocksdb.level_compaction_dynamic_level_bytes", "rocksdb.max_background_flushes",
		"rocksdb.metadata_block_cache_size", "rocksdb.partition_filters",
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
	case settingPriority, "slave-read-only", "slave-serve-stale-data", "master-use-repl-port":
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
	live := make(map[string]string, len(in.spec.KVRocksConfig)+1)
	if in.spec.Type == v1alpha1.TypeStandard {
		live[settingNamespaces] = "yes"
	}
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
	settings := in.settings()
	maps.Copy(settings, in.derivedSettings())
	if f := in.spec.Failover; f != nil && f.MaxLostWrites != nil && in.spec.Type == v1alpha1.TypeStandard && in.monitoredBy() != "" {
		// A node whose process restarts in an attached pod must not be elected before the sidecar sees it. The sidecar sets this live
		// on those that run, and takes it back when the loss is not bounded any more, so it restarts nothing.
		settings[settingPriority] = "0"
	}
	return configLines(settings, func(string) bool { return true })
}

// settingPriority keeps sentinel from electing a replica when it is 0.
const settingPriority = "slave-priority"

// settingNamespaces has kvrocks keep the tokens of namespaces in its database: replicas have them as well, and a restart, for
// which start.sh makes a fresh file, does not lose them. A cluster has no namespaces.
const settingNamespaces = "repl-namespace-enabled"

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
	if in.spec.Type == v1alpha1.TypeStandard {
		settings[settingNamespaces] = "yes"
	}
	return settings
}

// configLines writes those settings that pass, in the order of their names.
func configLines(settings map[string]string, pass func(string) bool) string {
	var text strings.Builder
	for _, setting := range slices.Sorted(maps.Keys(settings)) {
		if !pass(setting) {
			continue
		}
		for _, line := range settingLines(setting, settings[setting]) {
			text.WriteString(line)
			text.WriteByte('\n')
		}
	}
	return text.String()
}

// settingLines are the lines of kvrocks.conf for a setting: one, or one for each command that is renamed.
func settingLines(setting, value string) []string {
	if setting != "rename-command" {
		return []string{configLine(setting, value)}
	}
	list, _ := renames(value) // what is wrong was refused
	lines := make([]string, len(list))
	for i := range list {
		lines[i] = list[i].line()
	}
	return lines
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
