package sentinelset

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/kvrocks/kvrocks-operator/sidecar/plan"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/action"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/condition"
)

// A sentinel takes several passwords at a time, so that a new one can be given while all go on talking to each other, in three
// steps of which each is taken by all before the next begins: they take the new password as well, they give it to their peers,
// they take no other. A sentinel that asks for no password ignores that it is given one, so it begins to ask only when all have
// one to give. Connections that stand are not affected by any of it.

// passwordStep plans the next step; pods are those that it waits for or is taken on.
func (in *Input) passwordStep() (actions []action.Action, pods []string) {
	if !in.Password || in.Credentials.Err != "" {
		return nil, nil
	}
	names := slices.Sorted(maps.Keys(in.Views))
	step := func(needs func(*plan.SentinelAccess) bool, of func(pod string) action.Action) bool {
		for _, pod := range names {
			if v := in.Views[pod]; v.Reach == plan.Answered && v.Access != nil && needs(v.Access) {
				actions, pods = append(actions, of(pod)), append(pods, pod)
			}
		}
		return len(actions) > 0
	}
	if step(func(a *plan.SentinelAccess) bool { return !a.Accepts && !a.Open }, func(pod string) action.Action { return action.AcceptPassword{Sentinel: pod} }) ||
		step(func(a *plan.SentinelAccess) bool { return !a.Presents }, func(pod string) action.Action { return action.PresentPassword{Sentinel: pod} }) {
		return actions, pods
	}
	if !step(func(a *plan.SentinelAccess) bool { return a.Open || a.AcceptsOthers }, func(pod string) action.Action { return action.AcceptOnlyPassword{Sentinel: pod} }) {
		return nil, nil
	}
	var awaited []string
	for _, pod := range names {
		if in.Views[pod].Reach != plan.Answered {
			awaited = append(awaited, pod) // it may still give the old one
		}
	}
	if len(awaited) > 0 {
		return nil, awaited
	}
	return actions, pods
}

// credentialsVerdict reports whether every sentinel takes the wanted password and no other.
func (in *Input) credentialsVerdict(changing []string) condition.Verdict {
	if e := in.Credentials.Err; e != "" {
		return condition.Verdict{Reason: condition.ReasonSecretUnreadable, Message: e}
	}
	for _, pod := range slices.Sorted(maps.Keys(in.Views)) {
		if v := in.Views[pod]; v.Reach == plan.Refused {
			return condition.Verdict{Reason: condition.ReasonRefused, Message: pod + " refuses every known password: " + v.Err}
		}
	}
	if len(changing) > 0 {
		return condition.Verdict{Reason: condition.ReasonApplying, Message: fmt.Sprintf("giving the present password to %s", strings.Join(changing, ", "))}
	}
	return condition.Verdict{Reason: condition.ReasonApplied, Message: "every sentinel that answers uses the wanted password"}
}
