package kvrocksconf

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

// Check returns what is wrong with kvrocksConfig, in sentences that say what to write instead; nil when nothing is. It refuses
// settings that the operator decides, values that would break what it relies on, and sizes that cannot fit.
func Check(spec *v1alpha1.KVRocksSpec) []string {
	var problems []string
	for _, check := range []func(*v1alpha1.KVRocksSpec) string{checkSettings, checkSizes} {
		if problem := check(spec); problem != "" {
			problems = append(problems, problem)
		}
	}
	return problems
}

// checkSettings returns what is wrong with the first setting, by name, that is refused.
func checkSettings(spec *v1alpha1.KVRocksSpec) string {
	if len(spec.KVRocksConfig) > 256 {
		return "spec.kvrocksConfig has more than 256 settings; leave out those that keep their default"
	}
	for _, setting := range slices.Sorted(maps.Keys(spec.KVRocksConfig)) {
		if problem := checkSetting(setting, string(spec.KVRocksConfig[setting])); problem != "" {
			return problem
		}
	}
	must := yesNo(spec.Type == v1alpha1.TypeStandard)
	if value, set := spec.KVRocksConfig[settingNamespaces]; set && string(value) != must {
		return "repl-namespace-enabled must be yes in a standard instance, or tokens of namespaces are lost at restarts and failovers, and no in a cluster, which has no namespaces; leave it out of kvrocksConfig"
	}
	return ""
}

func checkSetting(setting, value string) string {
	switch {
	case !settingName(setting):
		return "a key of kvrocksConfig must be the name of a kvrocks.conf setting, such as maxclients or rocksdb.block_size"
	case len(value) > 1024 || strings.ContainsAny(value, "\r\n\x00"):
		return "spec.kvrocksConfig." + setting + " must be one line of at most 1024 characters"
	}
	for _, rule := range []func(setting, value string) string{checkDecided, checkUnsupported, checkFixed} {
		if problem := rule(setting, value); problem != "" {
			return problem
		}
	}
	return ""
}

// checkDecided refuses settings whose value follows from something else of the spec, and ports that a pod cannot open.
func checkDecided(setting, value string) string {
	switch setting {
	case "requirepass", "masterauth":
		return "write the password into spec.password or spec.passwordSecretRef, not into kvrocksConfig.requirepass or masterauth"
	case "slaveof", "replicaof":
		return "kvrocksConfig.slaveof is decided by the operator; leave it out"
	case "cluster-enabled":
		return "kvrocksConfig.cluster-enabled follows from spec.type; leave it out and write type: cluster"
	case "replica-announce-ip", "replica-announce-port":
		return "the operator announces the address of each pod's Service; leave replica-announce-ip and replica-announce-port out of kvrocksConfig"
	case "dir", "backup-dir", "log-dir", "pidfile", "unixsocket":
		return "paths are fixed by the operator (data is in /var/lib/kvrocks); leave dir, backup-dir, log-dir, pidfile and unixsocket out of kvrocksConfig"
	case "port":
		if n, err := strconv.Atoi(value); err != nil || n < 1024 || n > 65535 {
			return "kvrocksConfig.port must be a number from 1024 to 65535 (pods run without root); leave it out for 6379"
		}
	}
	return ""
}

// checkFixed refuses every value but the one that a setting must have.
func checkFixed(setting, value string) string {
	if must, why := fixedValue(setting); must != "" && must != value {
		return why
	}
	return ""
}

// checkUnsupported refuses settings that kvrocks takes and that then break what the instance relies on.
func checkUnsupported(setting, value string) string {
	switch {
	case strings.HasPrefix(setting, "tls-"):
		return "the operator does not support TLS yet; leave the tls- settings out of kvrocksConfig, and encrypt between the machines (CNI or service mesh) where that is needed"
	case strings.HasPrefix(setting, "namespace."):
		return "a token in kvrocksConfig could be read by everybody who reads this object; leave namespace. settings out, and send NAMESPACE ADD to the master, which keeps tokens over restarts and failovers"
	}
	switch setting {
	case "socket-fd":
		return "kvrocks ignores bind and port when it has a socket-fd; leave it out of kvrocksConfig"
	case "redis-databases":
		if value != "0" {
			return "databases besides the first are not supported; leave redis-databases out of kvrocksConfig, and use a namespace (NAMESPACE ADD) or an instance for each"
		}
	case "migrate-batch-rate-limit-mb":
		if n, err := strconv.ParseUint(value, 10, 31); err != nil || n == 0 {
			return "kvrocks crashes or does not start with migrate-batch-rate-limit-mb 0; write 1024, which is as good as no limit"
		}
	case "maxclients":
		if n, err := strconv.ParseUint(value, 10, 31); err == nil && n < 64 {
			return "kvrocksConfig.maxclients must leave room for the sidecar, sentinels, replicas and probes, or a node that is full counts as dead; write at least 64"
		}
	case "rename-command":
		_, problem := parseRenames(value)
		return problem
	}
	return ""
}

// fixedValue returns the only value that a setting may have, and why; "" when it may have any.
func fixedValue(setting string) (value, why string) {
	switch setting {
	case "use-rsid-psync":
		return "yes", "use-rsid-psync must stay yes, or a returning master keeps diverged data; leave it out of kvrocksConfig"
	case "daemonize":
		return "no", "daemonize must stay no in a container; leave it out of kvrocksConfig"
	case "slave-read-only":
		return "yes", "slave-read-only must stay yes, or replicas diverge; leave it out of kvrocksConfig"
	case "bind":
		return "0.0.0.0", "bind must be 0.0.0.0 so that the pod can be reached; leave it out of kvrocksConfig"
	case "slave-serve-stale-data":
		return "yes", "slave-serve-stale-data must stay yes: every pod boots without a master and would then refuse even the operator's AUTH; leave it out of kvrocksConfig"
	case "master-use-repl-port":
		return "no", "master-use-repl-port must stay no, because replicas would connect to a port that no Service has; leave it out of kvrocksConfig"
	case "rocksdb.write_options.disable_wal":
		return "no", "rocksdb.write_options.disable_wal must stay no, because replicas are fed from the WAL; leave it out of kvrocksConfig"
	case settingPriority:
		return "100", "slave-priority is used by the operator to keep a leaving pod from being elected; leave it out of kvrocksConfig"
	}
	return "", ""
}

// settingName reports whether text can be the name of a setting: a lower-case letter and up to 63 of a-z, 0-9, '.', '_', '-'.
func settingName(text string) bool {
	if text == "" || len(text) > 64 || text[0] < 'a' || text[0] > 'z' {
		return false
	}
	return strings.Trim(text, "abcdefghijklmnopqrstuvwxyz0123456789._-") == ""
}
