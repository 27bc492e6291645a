package kvrocksconf

import (
	"slices"
	"strings"
)

// rename is one line rename-command of kvrocks.conf. An empty target ("") takes the command away.
type rename struct{ command, target string }

// parseRenames reads kvrocksConfig.rename-command: "OLD NEW" as in kvrocks.conf, or several of them with commas between, because
// a map holds a key once. problem says what is wrong and what to write instead; "" when nothing is.
func parseRenames(value string) (list []rename, problem string) {
	for part := range strings.SplitSeq(value, ",") {
		words := strings.Fields(part)
		if len(words) != 2 {
			return nil, `kvrocksConfig.rename-command must be the old and the new name, as in KEYS HIDDEN-KEYS, or KEYS "" to take the command away; write a comma between several`
		}
		for i := range words {
			words[i] = strings.ToLower(strings.Trim(words[i], `"'`))
		}
		r := rename{command: words[0], target: words[1]}
		switch {
		case inUse(r.command):
			return nil, "kvrocksConfig.rename-command must leave alone what the operator, sentinels or replicas use; leave " + strings.ToUpper(r.command) + " out"
		case inUse(r.target):
			return nil, "kvrocksConfig.rename-command cannot call a command " + strings.ToUpper(r.target) + ", which exists; choose another name"
		case slices.ContainsFunc(list, func(other rename) bool { return other.command == r.command }):
			return nil, "kvrocksConfig.rename-command names " + strings.ToUpper(r.command) + " twice; keep one of them"
		}
		list = append(list, r)
	}
	return list, ""
}

// inUse reports whether something that keeps an instance alive sends a command to data nodes.
func inUse(command string) bool {
	switch command {
	case "auth", "hello", "client", "info", "ping", "config", // sidecar, scripts, sentinels, kvrocks-controller
		"slaveof", "replicaof", "scan", "set", "clusterx", "cluster", "publish", // sidecar
		"subscribe", "multi", "exec", "script", "role", // sentinels
		"psync", "replconf", "_db_name", "_fetch_meta", "_fetch_file", // replicas
		"applybatch", "command": // slots that move
		return true
	}
	return false
}

// line returns the line of kvrocks.conf.
func (r rename) line() string {
	target := r.target
	if target == "" {
		target = `\"\"` // inside of quotes
	}
	return `rename-command "` + r.command + " " + target + `"`
}
