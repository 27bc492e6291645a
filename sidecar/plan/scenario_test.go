package plan_test

import (
	"flag"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/tools/txtar"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan"
)

var update = flag.Bool("update", false, "write what is planned into testdata, where it differs from what a scenario wants")

// kinds are what makes an input of a given text, by the folder of testdata.
func kinds() map[string]func(testing.TB, string) plan.Input {
	return map[string]func(testing.TB, string) plan.Input{"standard": parse, "cluster": parseCluster}
}

// scenarioPort is the port of every kvrocks.
const scenarioPort = 6379

var scenarioNow = time.Date(2026, 11, 22, 15, 0, 0, 0, time.UTC)

// TestScenarios holds what one pass plans, whole. After a change that is meant, -update writes what is planned now.
func TestScenarios(t *testing.T) {
	for _, kind := range slices.Sorted(maps.Keys(kinds())) {
		files, err := filepath.Glob(filepath.Join("testdata", kind, "*.txt"))
		require.NoError(t, err)
		require.NotEmpty(t, files)
		for _, file := range files {
			t.Run(kind+"/"+strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
				runFile(t, kind, file)
			})
		}
	}
}

// runFile runs the scenarios of a file: each is a part with its name, which is what is given, and one called want.
func runFile(t *testing.T, kind, file string) {
	t.Helper()
	archive, err := txtar.ParseFile(file)
	require.NoError(t, err)
	parts, names := archive.Files, map[string]bool{}
	require.Zero(t, len(parts)%2, "a scenario without a want")
	for i := 0; i < len(parts); i += 2 {
		name, given, want := parts[i].Name, string(parts[i].Data), &parts[i+1]
		require.Equal(t, "want", want.Name, "after %q", name)
		require.False(t, names[name], "two scenarios %q", name)
		names[name] = true
		t.Run(name, func(t *testing.T) {
			got := planned(t, kind, given)
			if *update {
				want.Data = []byte(got + "\n\n")
			}
			assert.Equal(t, strings.TrimSpace(string(want.Data)), got)
		})
	}
	if *update {
		require.NoError(t, os.WriteFile(file, txtar.Format(archive), 0o600))
	}
}

// planned is the plan of a scenario in words. Planning leaves its input alone, and gives the same again.
func planned(t *testing.T, kind, given string) string {
	t.Helper()
	in, makePlan := kinds()[kind](t, given), plan.Standard
	if kind == "cluster" {
		makePlan = plan.Cluster
	}
	all := slices.Contains(lines(given), "report all")
	text := planText(in, makePlan(in), all)
	assert.Equal(t, kinds()[kind](t, given), in, "the input")
	assert.Equal(t, text, planText(in, makePlan(in), all), "the same input, the same plan")
	return text
}

func lines(s string) []string {
	var all []string
	for line := range strings.Lines(s) {
		if line, _, _ = strings.Cut(line, "#"); strings.TrimSpace(line) != "" {
			all = append(all, strings.TrimSpace(line))
		}
	}
	return all
}

func addressOf(pod string) string { return "10.96.0." + pod[strings.LastIndexByte(pod, '-')+1:] }

// parse builds the input of a scenario.
func parse(t testing.TB, given string) plan.Input {
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
	t     testing.TB
	in    plan.Input
	last  v1alpha1.TopologyShardStatus
	alone []string
}

func newBuilder(t testing.TB, mode v1alpha1.InstanceType) builder {
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
	case b.common(first, rest):
	case first == "replicas":
		shard.Replicas = int32(number(b.t, rest[0]))
	case first == "record":
		b.last.Master = rest[0]
	case first == "handoff":
		shard.Handoff = rest
	case first == "primary":
		shard.Primary = rest[0]
		if len(rest) > 1 {
			b.last.PrimarySwitched = rest[0]
		}
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
	case first == "no-such-sentinel":
		b.in.Sentinels.Configured, b.in.Sentinels.Exists = true, false
	case strings.HasPrefix(first, "orders-"):
		b.member(first, rest)
	case strings.HasPrefix(first, "watch-"):
		b.sentinel(first, rest)
	default:
		b.t.Fatalf("unknown line %q", words)
	}
}

// common takes a line that a standard instance and a cluster have alike; it reports whether it is one.
func (b *builder) common(first string, rest []string) bool {
	spec, status := &b.in.Topology.Spec, &b.in.Topology.Status
	switch first {
	case "report": // See planned.
	case "warn":
		spec.StorageWarnPercent = int32(number(b.t, rest[0]))
	case "max-lost-writes":
		most := number(b.t, rest[0])
		spec.Failover = &v1alpha1.Failover{MaxLostWrites: &most}
	case "paused":
		spec.Paused = true
	case "release":
		spec.Release = true
	case "releasing":
		b.releasing(rest[0])
	case "config":
		if spec.Config == nil {
			spec.Config = map[string]string{}
		}
		spec.Config[rest[0]] = rest[1]
	case "unknown":
		status.UnknownSettings = append(status.UnknownSettings, rest[0])
	default:
		return false
	}
	return true
}

func number(t testing.TB, s string) int64 {
	t.Helper()
	n, err := strconv.ParseInt(s, 10, 64)
	require.NoError(t, err)
	return n
}

func duration(t testing.TB, s string) time.Duration {
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
