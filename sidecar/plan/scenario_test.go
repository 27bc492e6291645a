package plan_test

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/action"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/plantest"
)

// A scenario is one pass, as text.
//
// Given, one line each:
//
//	replicas 3                      wanted; default: as many as there are orders-* lines
//	record orders-0                 the recorded master
//	outage MasterDown 3s orders-1   cause, age, target of the recorded outage
//	handoff orders-2                pods that must not be master
//	max-lost-writes 100             spec.failover.maxLostWrites
//	warn 85                         spec.storage.warnPercent
//	release | releasing 61s | no-such-sentinel | config maxclients 100 | unknown hz | failover orders-0 orders-1 20 | journalled 5s
//	promoted 50ms                   how long ago the target of the recorded outage was promoted
//	orders-0 master seq=5 serving   a member: what its node is (master, self, dead, ->orders-1, down, hung, loading,
//	                                refused, nopod), then any of seq=5 up syncing silent-link empty serving placed
//	                                attached unready ready-for=1s label=master priority=0 deleting stopped backing-off
//	                                no-address outlives
//	                                heard=2s for=10s insync had=9 volume=a had-volume=b stale-password
//	                                config=name:value refuses=name frozen=name unlabelled refuses-writes=NoSpace
//	                                disk=900/1000:400 (MiB used, there are, of the database) used=85 (as reported)
//	                                behind=10m before=90: reported too far behind since then; what a master had MaxLag ago
//	watch-0 ->orders-0 odown        a sentinel: whom it takes for the master (or down, nothing), then any of odown
//	                                electing tilt quorum=3 ghost-peer ghost-replica self-replica stale-auth alone
//
// Want holds the actions, and after a "=" what the plan reports: master, outage, intent, event, scaleTo, again, released,
// failover, node, or the name of a condition with its status and reason.
type scenario struct {
	name  string
	given string
	want  string
}

// scenarioPort is the port of every kvrocks.
const scenarioPort = 6379

var scenarioNow = time.Date(2026, 11, 22, 15, 0, 0, 0, time.UTC)

func run(t *testing.T, scenarios []scenario) {
	t.Helper()
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			assertPlan(t, s.want, plan.Standard(parse(t, s.given)), plantest.Words, facts)
		})
	}
}

// assertPlan compares a plan with what a scenario wants: all actions in their order, and some of the reports.
func assertPlan(t *testing.T, want string, p plan.Plan, text func(action.Action) string, facts func(plan.Plan) []string) {
	t.Helper()
	var actions, reports, got []string
	for _, line := range lines(want) {
		if report, ok := strings.CutPrefix(line, "= "); ok {
			reports = append(reports, report)
		} else {
			actions = append(actions, line)
		}
	}
	for _, a := range p.Actions {
		got = append(got, text(a))
	}
	assert.Equal(t, actions, got, "actions")
	said := facts(p)
	for _, report := range reports {
		assert.Contains(t, said, report)
	}
}

func lines(s string) []string {
	var all []string
	for line := range strings.Lines(s) {
		if line = strings.TrimSpace(line); line != "" {
			all = append(all, line)
		}
	}
	return all
}

// facts are what a plan reports, in words.
func facts(p plan.Plan) []string {
	all := []string{
		fmt.Sprint("intent ", p.Intent), fmt.Sprint("again ", p.Again), fmt.Sprint("released ", p.Status.Released),
	}
	for _, c := range p.Status.Conditions {
		all = append(all, fmt.Sprint(c.Type, " ", c.Status, " ", c.Reason), fmt.Sprint(c.Type, ": ", c.Message))
	}
	for _, e := range p.Events {
		all = append(all, "event "+e.Reason)
	}
	for _, f := range p.Status.Failovers {
		lost := "unknown"
		if f.LostSequence != nil {
			lost = fmt.Sprint(*f.LostSequence)
		}
		if f.LossPending {
			lost += "+"
		}
		all = append(all, fmt.Sprintf("failover %s %s->%s detect=%d promote=%d seq=%d lost=%s",
			f.Cause, f.From, f.To, f.DetectMs, f.PromoteMs, f.Sequence, lost))
	}
	for _, name := range p.Status.UnknownSettings {
		all = append(all, "unknown "+name)
	}
	for _, s := range p.Status.Shards {
		all = append(all, "master "+cmp.Or(s.Master, "none"), fmt.Sprint("scaleTo ", s.ScaleTo), outageText(s.Outage))
		for _, n := range s.Nodes {
			all = append(all, fmt.Sprintf("node %s role=%s link=%s attached=%v", n.Pod, n.Role, n.Link, n.Attached),
				fmt.Sprintf("volume of %s %s", n.Pod, n.Volume))
		}
	}
	return all
}

func outageText(o *v1alpha1.Outage) string {
	if o == nil {
		return "outage none"
	}
	text := strings.TrimSpace(fmt.Sprintf("outage %s %s seq=%d %s", o.Cause, o.Master, o.Sequence, o.Target))
	if o.ChosenByController {
		text += " by-controller"
	}
	return text
}

func addressOf(pod string) string { return "10.96.0." + pod[strings.LastIndexByte(pod, '-')+1:] }

// parse builds the input of a scenario.
func parse(t *testing.T, given string) plan.Input {
	t.Helper()
	b := newBuilder(t, v1alpha1.TypeStandard)
	b.in.Topology.Spec.Shards = []v1alpha1.TopologyShard{{MasterName: "orders"}}
	b.last.Index = 0
	for _, line := range lines(given) {
		b.line(strings.Fields(line))
	}
	b.finish()
	return b.in
}

// builder makes the input of a scenario from its lines.
type builder struct {
	t     *testing.T
	in    plan.Input
	last  v1alpha1.TopologyShardStatus
	alone []string
}

func newBuilder(t *testing.T, mode v1alpha1.InstanceType) builder {
	t.Helper()
	b := builder{t: t, in: plan.Input{
		Now: scenarioNow, Topology: &v1alpha1.KVRocksTopology{}, Pods: map[string]plan.Pod{}, Nodes: map[string]plan.Node{},
		Sentinels: plan.Sentinels{Exists: true, Views: map[string]plan.SentinelView{}},
	}}
	b.in.Topology.Generation = 4
	b.in.Topology.Spec = v1alpha1.KVRocksTopologySpec{Type: mode, Port: scenarioPort}
	return b
}

func (b *builder) line(words []string) {
	shard := &b.in.Topology.Spec.Shards[0]
	first, rest := words[0], words[1:]
	switch {
	case first == "replicas":
		shard.Replicas = int32(number(b.t, rest[0]))
	case first == "record":
		b.last.Master = rest[0]
	case first == "handoff":
		shard.Handoff = rest
	case first == "outage":
		b.last.Outage = b.outage(b.last.Master, rest[0], rest[1])
		if len(rest) > 2 {
			b.last.Outage.Target = rest[2]
		}
	case first == "failover":
		b.failover(rest[0], rest[1])
		if len(rest) > 2 { // the least that was lost
			lost := number(b.t, rest[2])
			r := &b.in.Topology.Status.Failovers[0]
			r.LostSequence, r.LossPending = &lost, true
		}
	case first == "journalled":
		b.in.Topology.Status.Failovers[0].At.Time = scenarioNow.Add(-duration(b.t, rest[0]))
	case first == "promoted":
		b.promoted(rest[0])
	case first == "warn":
		b.in.Topology.Spec.StorageWarnPercent = int32(number(b.t, rest[0]))
	case first == "max-lost-writes":
		most := number(b.t, rest[0])
		b.in.Topology.Spec.Failover = &v1alpha1.Failover{MaxLostWrites: &most}
	case first == "release":
		b.in.Topology.Spec.Release = true
	case first == "no-such-sentinel":
		b.in.Sentinels.Configured, b.in.Sentinels.Exists = true, false
	case first == "releasing":
		b.releasing(rest[0])
	case first == "config":
		if b.in.Topology.Spec.Config == nil {
			b.in.Topology.Spec.Config = map[string]string{}
		}
		b.in.Topology.Spec.Config[rest[0]] = rest[1]
	case first == "unknown":
		b.in.Topology.Status.UnknownSettings = append(b.in.Topology.Status.UnknownSettings, rest[0])
	case strings.HasPrefix(first, "orders-"):
		b.member(first, rest)
	case strings.HasPrefix(first, "watch-"):
		b.sentinel(first, rest)
	default:
		b.t.Fatalf("unknown line %q", words)
	}
}

func number(t *testing.T, s string) int64 {
	t.Helper()
	n, err := strconv.ParseInt(s, 10, 64)
	require.NoError(t, err)
	return n
}

func duration(t *testing.T, s string) time.Duration {
	t.Helper()
	d, err := time.ParseDuration(s)
	require.NoError(t, err)
	return d
}

// provedMaster: the recorded master was reported as such.
func provedMaster(last *v1alpha1.TopologyShardStatus) {
	for i := range last.Nodes {
		if n := &last.Nodes[i]; n.Pod == last.Master && n.Role == "" {
			n.Role = v1alpha1.RoleMaster
		}
	}
}

func (b *builder) finish() {
	shard := &b.in.Topology.Spec.Shards[0]
	if shard.Replicas == 0 {
		shard.Replicas = int32(len(shard.Members))
	}
	provedMaster(&b.last)
	b.in.Topology.Status.Shards = []v1alpha1.TopologyShardStatus{b.last}
	for pod, v := range b.in.Sentinels.Views {
		m, ok := v.Masters["orders"]
		if !ok {
			continue
		}
		for _, other := range b.in.Sentinels.Views {
			if other.IP != v.IP && !slices.Contains(b.alone, pod) {
				m.Peers = append(m.Peers, other.IP)
			}
		}
		slices.Sort(m.Peers)
		if m.Quorum == 0 {
			m.Quorum = b.in.Sentinels.Want/2 + 1
		}
		v.Masters["orders"] = m
	}
}
