package settings

import (
	"maps"
	"slices"
	"strings"

	"github.com/kvrocks/kvrocks-operator/sidecar/plan/condition"
)

// Node is what is known of the settings of a node.
type Node struct {
	Pod  string
	Have map[string]string
	// Refusals are what it answered to settings that it did not take, by their names; RequiresRestart holds those that it takes when it
	// starts.
	Refusals        map[string]string
	RequiresRestart map[string]bool
}

// Verdict describes the first wanted setting that the node has not taken; ok is true when it has all that it knows.
func (n Node) Verdict(wanted map[string]string) (v condition.Verdict, ok bool) {
	if refused := slices.Sorted(maps.Keys(n.Refusals)); len(refused) > 0 {
		name := refused[0]
		if n.RequiresRestart[name] {
			return condition.Verdict{
				Reason:  condition.ReasonRestartRequired,
				Message: n.Pod + " takes " + name + " only when it starts: restart the pods, for example with kubectl rollout restart on their StatefulSets",
			}, false
		}
		return condition.Verdict{Reason: condition.ReasonRefused, Message: n.Pod + " refuses " + name + ": " + n.Refusals[name]}, false
	}
	if names := Differing(n.Have, wanted); len(names) > 0 {
		return condition.Verdict{Reason: condition.ReasonApplying, Message: "applying " + strings.Join(names, ", ") + " to " + n.Pod}, false
	}
	return condition.Verdict{}, true
}
