package plan

import (
	"maps"
	"slices"
	"strings"

	"github.com/kvrocks/kvrocks-operator/sidecar/plan/condition"
)

// namespacesSetting is given to nodes of a standard instance by the hooks, not by a person. A kvrocks that lacks it keeps no
// tokens; there is nothing that a person could correct in spec.kvrocksConfig.
const namespacesSetting = "repl-namespace-enabled"

// unknownSettings returns, sorted, the settings of spec.config that some node does not know: CONFIG GET * does not list them.
// kvrocks ignores them in its file with a warning, so nothing is wrong with the node; they are misspelt, or of another
// release. Of nodes that were not asked in this pass, what was last reported stands.
func unknownSettings(in *Input) []string {
	unknown, unread := map[string]bool{}, false
	for i := range in.Topology.Spec.Shards {
		for _, member := range in.Topology.Spec.Shards[i].Members {
			node, here := in.Nodes[member.Pod]
			if !here || node.Reach != Answered || node.Config == nil {
				unread = true
				continue
			}
			for name := range in.Topology.Spec.Config {
				if _, known := node.Config[name]; !known && name != namespacesSetting {
					unknown[name] = true
				}
			}
		}
	}
	for _, name := range in.Topology.Status.UnknownSettings {
		if _, wanted := in.Topology.Spec.Config[name]; wanted && unread {
			unknown[name] = true
		}
	}
	return slices.Sorted(maps.Keys(unknown))
}

// reportUnknownSettings returns what to report, and warns when there are more than before.
func (o *outcome) reportUnknownSettings(in *Input) []string {
	names := unknownSettings(in)
	if slices.ContainsFunc(names, func(name string) bool { return !slices.Contains(in.Topology.Status.UnknownSettings, name) }) {
		o.Warn(condition.ReasonUnknownSettings, unknownMessage(names))
	}
	return names
}

func unknownMessage(names []string) string {
	return "kvrocks does not know " + strings.Join(names, ", ") + " and ignores them; correct the names in spec.kvrocksConfig or leave them out"
}

// applied returns the verdict on nodes that have every setting that they know.
func applied(in *Input) condition.Verdict {
	if names := unknownSettings(in); len(names) > 0 {
		return condition.Verdict{Reason: condition.ReasonUnknownSettings, Message: unknownMessage(names)}
	}
	return condition.Verdict{Reason: condition.ReasonApplied, Message: "every node runs with kvrocksConfig"}
}
