package settings

import (
	"iter"
	"slices"
	"strings"
)

// namespacesSetting is given to nodes of a standard instance by the hooks, not by a person. A kvrocks that lacks it keeps no
// tokens; there is nothing that a person could correct in spec.kvrocksConfig.
const namespacesSetting = "repl-namespace-enabled"

// Unknown returns, sorted, the wanted settings that some node does not know: CONFIG GET * does not list them. kvrocks ignores
// them in its file with a warning, so nothing is wrong with the node; they are misspelt, or of another release. nodes are the settings of
// each node, nil where it was not asked in this pass; then what was last reported stands.
func Unknown(wanted map[string]string, nodes iter.Seq[map[string]string], reported []string) []string {
	var unknown []string
	add := func(name string) {
		if !slices.Contains(unknown, name) {
			unknown = append(unknown, name)
		}
	}
	unread := false
	for have := range nodes {
		if have == nil {
			unread = true
			continue
		}
		for name := range wanted {
			if _, known := have[name]; !known && name != namespacesSetting {
				add(name)
			}
		}
	}
	for _, name := range reported {
		if _, still := wanted[name]; still && unread {
			add(name)
		}
	}
	slices.Sort(unknown)
	return unknown
}

// UnknownMessage returns what is said of settings that are unknown.
func UnknownMessage(names []string) string {
	return "kvrocks does not know " + strings.Join(names, ", ") + " and ignores them; correct the names in spec.kvrocksConfig or leave them out"
}
