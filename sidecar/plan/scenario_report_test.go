package plan_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/condition"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/plantest"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/quorum"
)

// planText is a whole plan in words: the actions, and after a "=" each what the report says anew of the instance (see
// testdata/README.md). What is as it should be has no line, unless all is wanted.
func planText(in plan.Input, p plan.Plan, all bool) string {
	r := reporter{in: in, p: p, before: &in.Topology.Status, after: &p.Status, all: all}
	for _, a := range p.Actions {
		r.lines = append(r.lines, plantest.Words(a))
	}
	r.pass()
	r.conditions()
	for i := range p.Status.Shards {
		r.shard(&p.Status.Shards[i])
	}
	r.moves()
	r.journal()
	r.rest()
	return cmp.Or(strings.Join(r.lines, "\n"), "= nothing")
}

type reporter struct {
	in            plan.Input
	p             plan.Plan
	before, after *v1alpha1.KVRocksTopologyStatus
	all           bool
	lines         []string
}

func (r *reporter) say(format string, args ...any) {
	r.lines = append(r.lines, strings.TrimSpace("= "+fmt.Sprintf(format, args...)))
}

// pass is what the caller is to do besides the actions.
func (r *reporter) pass() {
	if r.p.Intent {
		r.say("intent")
	}
	if r.p.Again > 0 {
		r.say("again %v", r.p.Again)
	}
	switch skip := r.p.SkipSlowProbes; {
	case skip && r.p.Again > 0:
		r.say("skip slow probes")
	case !skip && r.p.Again == 0: // an instance at rest
		r.say("do not skip slow probes")
	}
	for _, e := range r.p.Events {
		kind := "event"
		if e.Warning {
			kind = "warning"
		}
		r.say("%s %s: %s", kind, e.Reason, e.Message)
	}
}

// usual reports whether a condition says that all is well, and nothing more.
func usual(c *metav1.Condition) bool {
	return c.Status == metav1.ConditionTrue && slices.Contains([]string{
		condition.ReasonMasterServing, condition.ReasonReplicasLinked, condition.ReasonNoReplicas, condition.ReasonVolumesHaveRoom,
		condition.ReasonApplied, condition.ReasonAllAssigned, quorum.ReasonAgreed, quorum.ReasonNotMonitored,
	}, c.Reason)
}

func (r *reporter) conditions() {
	for i := range r.after.Conditions {
		if c := &r.after.Conditions[i]; r.all || !usual(c) {
			r.say("%s %s %s: %s", c.Type, c.Status, c.Reason, c.Message)
		}
	}
	kinds := []string{
		v1alpha1.ConditionPrimaryAvailable, v1alpha1.ConditionReplicationHealthy, v1alpha1.ConditionSentinelAgreed,
		v1alpha1.ConditionStorageHealthy, v1alpha1.ConditionCredentialsApplied,
	}
	if r.in.Topology.Spec.Type == v1alpha1.TypeCluster {
		kinds = append(kinds, v1alpha1.ConditionSlotsAssigned)
	}
	for _, kind := range kinds {
		if meta.FindStatusCondition(r.after.Conditions, kind) == nil {
			r.say("no condition %s", kind)
		}
	}
}

// shard says what is new of a shard, and which of its nodes are not as they should be: the master or a replica, linked and attached.
func (r *reporter) shard(s *v1alpha1.TopologyShardStatus) {
	before := v1alpha1.TopologyShardStatus{Index: s.Index}
	for i := range r.before.Shards {
		if r.before.Shards[i].Index == s.Index {
			before = r.before.Shards[i]
		}
	}
	prefix, members := "", 0
	if r.in.Topology.Spec.Type == v1alpha1.TypeCluster {
		prefix = fmt.Sprint(s.Index, " ")
	}
	for i := range r.in.Topology.Spec.Shards {
		if spec := &r.in.Topology.Spec.Shards[i]; spec.Index == s.Index {
			members = len(spec.Members)
		}
	}
	if s.Master != before.Master || r.all {
		r.say("%smaster %s", prefix, plantest.Short(cmp.Or(s.Master, "none")))
	}
	if !equality.Semantic.DeepEqual(s.Outage, before.Outage) {
		r.say("%s%s", prefix, outageText(s.Outage))
	}
	if int(s.ScaleTo) != members || r.all {
		r.say("%sscaleTo %d", prefix, s.ScaleTo)
	}
	if s.PrimarySwitched != before.PrimarySwitched {
		r.say("%sswitched %s", prefix, cmp.Or(plantest.Short(s.PrimarySwitched), "none"))
	}
	if s.Removable != before.Removable {
		r.say("%sremovable %v", prefix, s.Removable)
	}
	if !slices.Equal(s.Slots, before.Slots) || r.all && len(s.Slots) > 0 {
		r.say("%sslots %v", prefix, s.Slots)
	}
	for i := range s.Nodes {
		n, last := &s.Nodes[i], v1alpha1.TopologyNode{}
		for j := range before.Nodes {
			if before.Nodes[j].Pod == n.Pod {
				last = before.Nodes[j]
			}
		}
		role := v1alpha1.RoleReplica
		if n.Pod == s.Master {
			role = v1alpha1.RoleMaster
		}
		if text := r.node(n, &last); r.all || text != string(role) {
			r.say("node %s %s", plantest.Short(n.Pod), text)
		}
	}
}

// node is a node as reported: its role, its link when it is not up, and what else has changed.
func (r *reporter) node(n, last *v1alpha1.TopologyNode) string {
	words := []string{cmp.Or(string(n.Role), "not-in-sync")}
	add := func(wanted bool, format string, args ...any) {
		if wanted {
			words = append(words, fmt.Sprintf(format, args...))
		}
	}
	add(n.Link != v1alpha1.LinkUp, "link=%s", n.Link)
	add(n.Attached && n.Link == v1alpha1.LinkUnattached, "attached")
	add(!n.Attached && n.Link != v1alpha1.LinkUnattached, "detached")
	add(n.Sequence != last.Sequence, "seq=%d", n.Sequence)
	add(n.Lag != 0, "lag=%d", n.Lag)
	add(n.Version != last.Version, "version=%s", n.Version)
	add(n.Volume != last.Volume, "volume=%s", n.Volume)
	add(n.BehindSince != nil, "behind=%v", ageOf(n.BehindSince))
	add(n.BehindSince == nil && last.BehindSince != nil, "not-behind")
	add(n.UsedPercent != last.UsedPercent, "used=%d", n.UsedPercent)
	add(n.NodeID != last.NodeID, "id=%s", n.NodeID)
	add(n.Address != last.Address && last.Address != "", "address=%s", n.Address)
	add(n.Message != r.in.Nodes[n.Pod].Err, "(%s)", n.Message)
	return strings.Join(words, " ")
}

func ageOf(at *metav1.Time) time.Duration {
	if at == nil {
		return 0
	}
	return scenarioNow.Sub(at.Time)
}

func outageText(o *v1alpha1.Outage) string {
	if o == nil {
		return "outage none"
	}
	text := fmt.Sprintf("outage %s %s seq=%d", o.Cause, plantest.Short(o.Master), o.Sequence)
	if o.MasterSequence > 0 {
		text += fmt.Sprintf(" master-seq=%d", o.MasterSequence)
	}
	if o.Target != "" {
		text += " ->" + plantest.Short(o.Target)
	}
	if age := scenarioNow.Sub(o.Since.Time); age != 0 {
		text += fmt.Sprintf(" since=%v", age)
	}
	if age := scenarioNow.Sub(o.DetectedAt.Time); !o.DetectedAt.Equal(&o.Since) {
		text += fmt.Sprintf(" detected=%v", age)
	}
	if o.PromotedAt != nil {
		text += fmt.Sprintf(" promoted=%v", scenarioNow.Sub(o.PromotedAt.Time))
	}
	if o.ChosenByController {
		text += " by-controller"
	}
	return text
}

// moves are the migrations that have changed.
func (r *reporter) moves() {
	for i := range r.after.Migrations {
		m := &r.after.Migrations[i]
		if i < len(r.before.Migrations) && equality.Semantic.DeepEqual(*m, r.before.Migrations[i]) {
			continue
		}
		text := fmt.Sprintf("move %s %d->%d %s", m.Slots, m.From, m.To, m.State)
		if m.Current != "" {
			text += fmt.Sprintf(" current=%s", m.Current)
		}
		if m.Moved > 0 || m.Keys > 0 {
			text += fmt.Sprintf(" moved=%d keys=%d", m.Moved, m.Keys)
		}
		if m.Attempts > 0 {
			text += fmt.Sprintf(" attempts=%d", m.Attempts)
		}
		if m.Repeated {
			text += " repeated"
		}
		for _, at := range []struct {
			what string
			time *metav1.Time
		}{{"started", m.StartedAt}, {"retry", m.RetryAt}, {"stuck", m.StuckAt}, {"finished", m.FinishedAt}} {
			if at.time != nil {
				text += fmt.Sprintf(" %s=%v", at.what, -ageOf(at.time))
			}
		}
		r.say("%s: %s", text, m.Message)
	}
	if n := len(r.after.Migrations); n < len(r.before.Migrations) {
		r.say("%d moves", n)
	}
	switch before, after := r.before.NextMoveAt, r.after.NextMoveAt; {
	case after.Equal(before):
	case after == nil:
		r.say("next move now")
	default:
		r.say("next move in %v", -ageOf(after))
	}
}

// journal are the entries that are new, or have changed.
func (r *reporter) journal() {
	for i := range r.after.Failovers {
		f := &r.after.Failovers[i]
		if slices.ContainsFunc(r.before.Failovers, func(b v1alpha1.FailoverRecord) bool { return equality.Semantic.DeepEqual(b, *f) }) {
			continue
		}
		lost := "unknown"
		if f.LostSequence != nil {
			lost = fmt.Sprint(*f.LostSequence)
		}
		if f.LossPending {
			lost += "+"
		}
		text := fmt.Sprintf("failover %s %s->%s detect=%d promote=%d seq=%d lost=%s",
			f.Cause, plantest.Short(f.From), plantest.Short(f.To), f.DetectMs, f.PromoteMs, f.Sequence, lost)
		if age := scenarioNow.Sub(f.At.Time); age != 0 {
			text += fmt.Sprintf(" at=%v", -age)
		}
		r.say("%s", text)
	}
}

// rest is all else that a report has, and which changes seldom.
func (r *reporter) rest() {
	if r.after.Released != r.before.Released {
		r.say("released %v", r.after.Released)
	}
	if r.after.LayoutVersion != r.before.LayoutVersion {
		r.say("layout %d", r.after.LayoutVersion)
	}
	if r.after.ControllerEpoch != r.before.ControllerEpoch {
		r.say("controller epoch %d", r.after.ControllerEpoch)
	}
	if r.after.ObservedGeneration != r.in.Topology.Generation {
		r.say("of generation %d", r.after.ObservedGeneration)
	}
	if !slices.Equal(r.after.UnknownSettings, r.before.UnknownSettings) {
		r.say("unknown settings %v", r.after.UnknownSettings)
	}
	if before, after := restOf(r.before), restOf(r.after); !equality.Semantic.DeepEqual(before, after) {
		text, err := json.Marshal(after)
		if err != nil {
			text = []byte(err.Error())
		}
		r.say("%s", text)
	}
}

// restOf is a report without what has words here: a field that is added to it shows in full until it has some.
func restOf(s *v1alpha1.KVRocksTopologyStatus) v1alpha1.KVRocksTopologyStatus {
	rest := *s.DeepCopy()
	rest.Released, rest.LayoutVersion, rest.ControllerEpoch, rest.ObservedGeneration, rest.UnknownSettings = false, 0, 0, 0, nil
	rest.Conditions, rest.Migrations, rest.NextMoveAt, rest.Failovers = nil, nil, nil, nil
	for i := range rest.Shards {
		o := &rest.Shards[i]
		o.Master, o.Slots, o.ScaleTo, o.Removable, o.Outage, o.PrimarySwitched = "", nil, 0, false, nil, ""
		for j := range o.Nodes {
			n := &o.Nodes[j]
			n.Role, n.Link, n.Attached, n.Sequence, n.Lag, n.Volume, n.BehindSince, n.UsedPercent, n.NodeID, n.Message, n.Address =
				"", "", false, 0, 0, "", nil, 0, "", "", ""
		}
		o.Nodes = slices.DeleteFunc(o.Nodes, func(n v1alpha1.TopologyNode) bool { return n == v1alpha1.TopologyNode{Pod: n.Pod} })
	}
	rest.Shards = slices.DeleteFunc(rest.Shards, func(s v1alpha1.TopologyShardStatus) bool {
		return equality.Semantic.DeepEqual(s, v1alpha1.TopologyShardStatus{Index: s.Index})
	})
	return rest
}
