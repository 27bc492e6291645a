package kvrocksconf

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

// DataDir is where a data pod mounts its volume.
const DataDir = "/var/lib/kvrocks"

// requiresRestart reports whether a setting takes effect only when kvrocks starts. The names are the read-only fields of
// src/config/config.cc from kvrocks 2.10 to 2.17, and those whose CONFIG SET can only fail: log-retention-days with our log to
// stdout, and rocksdb.level_compaction_dynamic_level_bytes, which RocksDB does not change while it runs. One too many here costs
// a roll; one that is missing is tried live, and ConfigApplied says that it takes a restart.
func requiresRestart(setting string) bool {
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

// neverLive reports whether the sidecar must not apply a setting to running nodes: the operator decides it, so that a wanted value
// is that one or was refused, or it takes a restart.
func neverLive(setting string) bool {
	switch setting {
	case settingPriority, "slave-read-only", "slave-serve-stale-data", "master-use-repl-port":
		return true
	}
	return requiresRestart(setting)
}

// crashesStandalone reports whether CONFIG SET of a setting crashes a node that is not in cluster mode, where it means nothing
// (seen on kvrocks 2.10.1).
func crashesStandalone(setting string) bool {
	return setting == "migrate-batch-rate-limit-mb" || setting == "migrate-batch-size-kb"
}

// Live returns the settings that the sidecar applies to running nodes.
func Live(spec *v1alpha1.KVRocksSpec) map[string]string {
	live := make(map[string]string, len(spec.KVRocksConfig)+1)
	if spec.Type == v1alpha1.TypeStandard {
		live[settingNamespaces] = "yes"
	}
	for setting, value := range spec.KVRocksConfig {
		if !neverLive(setting) && (spec.Type == v1alpha1.TypeCluster || !crashesStandalone(setting)) {
			live[setting] = string(value)
		}
	}
	return live
}

// RestartText returns the lines of the settings that take a restart. Pods that were started with another text are restarted.
func RestartText(spec *v1alpha1.KVRocksSpec) string {
	return lines(Settings(spec), requiresRestart)
}

// Text returns kvrocks.conf as far as all pods share it. scripts/start.sh adds what differs from pod to pod, and the password.
// monitored is true when a sentinel instance monitors this one.
func Text(spec *v1alpha1.KVRocksSpec, monitored bool) string {
	settings := Settings(spec)
	maps.Copy(settings, derivedSettings(spec))
	if f := spec.Failover; f != nil && f.MaxLostWrites != nil && spec.Type == v1alpha1.TypeStandard && monitored {
		// A node whose process restarts in an attached pod must not be elected before the sidecar sees it. The sidecar sets this live
		// on those that run, and takes it back when the loss is not bounded any more, so it restarts nothing.
		settings[settingPriority] = "0"
	}
	return lines(settings, func(string) bool { return true })
}

// settingPriority keeps sentinel from electing a replica when it is 0.
const settingPriority = "slave-priority"

// settingNamespaces has kvrocks keep the tokens of namespaces in its database: replicas have them as well, and a restart, for
// which start.sh makes a fresh file, does not lose them. A cluster has no namespaces.
const settingNamespaces = "repl-namespace-enabled"

// Settings returns the settings of a spec with those that the operator decides, without the sizes that follow from limits.
func Settings(spec *v1alpha1.KVRocksSpec) map[string]string {
	settings := make(map[string]string, len(spec.KVRocksConfig)+10)
	for setting, value := range spec.KVRocksConfig {
		settings[setting] = string(value)
	}
	maps.Copy(settings, map[string]string{
		"bind":            "0.0.0.0",
		"cluster-enabled": yesNo(spec.Type == v1alpha1.TypeCluster),
		"daemonize":       "no",
		"dir":             DataDir,
		"log-dir":         "stdout",
		"pidfile":         DataDir + "/kvrocks.pid",
		"port":            strconv.Itoa(int(spec.Port())),
		"slave-read-only": "yes",
		// Partial sync would otherwise compare sequence numbers alone, and a returning master keep its diverged data.
		"use-rsid-psync": "yes",
	})
	if spec.Type == v1alpha1.TypeStandard {
		settings[settingNamespaces] = "yes"
	}
	return settings
}

// lines returns kvrocks.conf of the settings that pass, in the order of their names.
func lines(settings map[string]string, pass func(string) bool) string {
	var text strings.Builder
	for _, setting := range slices.Sorted(maps.Keys(settings)) {
		if !pass(setting) {
			continue
		}
		writeSetting(&text, setting, settings[setting])
	}
	return text.String()
}

// writeSetting appends the lines of kvrocks.conf for a setting: one, or one for each command that is renamed.
func writeSetting(text *strings.Builder, setting, value string) {
	if setting != "rename-command" {
		writeLine(text, setting, value)
		return
	}
	renames, _ := parseRenames(value) // what is wrong was refused
	for i := range renames {
		text.WriteString(renames[i].line())
		text.WriteByte('\n')
	}
}

// writeLine appends one line of kvrocks.conf. A value is quoted where it must be: older releases read no quotes.
func writeLine(text *strings.Builder, setting, value string) {
	if value == "" || strings.ContainsAny(value, "#\"'\\\t") || strings.TrimSpace(value) != value {
		value = `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\t", `\t`).Replace(value) + `"`
	}
	text.WriteString(setting)
	text.WriteByte(' ')
	text.WriteString(value)
	text.WriteByte('\n')
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}
