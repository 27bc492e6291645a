package plan_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kvrocks/kvrocks-operator/api/slots"
	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/layout"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/migration"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/plantest"
)

func moveID(shard int) string { return fmt.Sprintf("id%d-0", shard) }

type moveBuilder struct {
	t       testing.TB
	in      plan.Input
	record  *layout.Layout
	joining map[int]bool
	nodes   [][]string
	owns    [][]string
}

func parseMoves(t testing.TB, given string) plan.Input {
	t.Helper()
	b := &moveBuilder{t: t, joining: map[int]bool{}}
	b.in.Topology = &v1alpha1.KVRocksTopology{}
	b.in.Topology.Generation = 4
	b.in.Topology.Status.ObservedGeneration = 4
	b.in.Topology.Spec = v1alpha1.KVRocksTopologySpec{
		Type: v1alpha1.TypeCluster, Port: scenarioPort, Migration: &v1alpha1.MigrationPolicy{DeadlineSeconds: 3600},
	}
	for _, line := range lines(given) {
		b.line(strings.Fields(line))
	}
	b.finish()
	return b.in
}

func (b *moveBuilder) shard(word string) int { return int(number(b.t, word)) }

func (b *moveBuilder) line(words []string) {
	spec := &b.in.Topology.Spec
	switch first, rest := words[0], words[1:]; first {
	case "report":
	case "shards":
		for i := range b.shard(rest[0]) {
			b.add(i)
		}
	case "joining":
		i := b.shard(rest[0])
		b.add(i)
		b.joining[i] = true
	case "leaving":
		spec.Shards[b.shard(rest[0])].Leaving = true
	case "owns":
		b.owns = append(b.owns, rest)
	case "migrate":
		m := v1alpha1.TopologyMigration{Shard: int32(number(b.t, rest[0]))}
		for _, r := range rest[1:] {
			m.Slots = append(m.Slots, v1alpha1.SlotRange(r))
		}
		spec.Migrate = append(spec.Migrate, m)
	case "policy":
		b.policy(rest)
	case "by":
		spec.Config = map[string]string{"migrate-type": "redis-command"}
	case "next":
		b.in.Topology.Status.NextMoveAt = after(b.t, rest[0])
	case "changed":
		b.in.Topology.Generation++
	case "entry":
		b.entry(rest)
	case "node":
		b.nodes = append(b.nodes, rest)
	default:
		b.t.Fatalf("unknown line %q", words)
	}
}

func (b *moveBuilder) add(i int) {
	spec := &b.in.Topology.Spec
	spec.Shards = append(spec.Shards, v1alpha1.TopologyShard{
		Index: int32(i), MasterName: fmt.Sprint("orders.", i), Replicas: 1,
		Members: []v1alpha1.Member{{Pod: fmt.Sprintf("orders-%d-0", i), Address: fmt.Sprintf("10.96.%d.0", i)}},
	})
}

func (b *moveBuilder) policy(words []string) {
	p := b.in.Topology.Spec.Migration
	for _, word := range words {
		key, value, _ := strings.Cut(word, "=")
		switch key {
		case "rebalance":
			p.Rebalance = true
		case "drain":
			p.Drain = true
		case "paused":
			p.Paused = true
		case "speed":
			p.KeysPerSecond = int32(number(b.t, value))
		case "deadline":
			p.DeadlineSeconds = int32(number(b.t, value))
		default:
			b.t.Fatalf("unknown policy %q", word)
		}
	}
}

func (b *moveBuilder) entry(words []string) {
	from, to, ok := strings.Cut(words[1], "->")
	require.True(b.t, ok)
	m := v1alpha1.MigrationStatus{
		Slots: v1alpha1.SlotRange(words[0]), From: int32(number(b.t, from)), To: int32(number(b.t, to)),
		State: v1alpha1.MigrationState(words[2]),
	}
	for _, word := range words[3:] {
		key, value, _ := strings.Cut(word, "=")
		switch key {
		case "current":
			m.Current = v1alpha1.SlotRange(value)
		case "repeated":
			m.Repeated = true
		case "moved":
			m.Moved = int32(number(b.t, value))
		case "keys":
			m.Keys = number(b.t, value)
		case "attempts":
			m.Attempts = int32(number(b.t, value))
		case "started":
			m.StartedAt = after(b.t, "-"+value)
		case "retry":
			m.RetryAt = after(b.t, value)
		case "stuck":
			m.StuckAt = after(b.t, value)
		default:
			b.t.Fatalf("unknown word %q of an entry", word)
		}
	}
	b.in.Topology.Status.Migrations = append(b.in.Topology.Status.Migrations, m)
}

// after is a time so long after the scenario's.
func after(t testing.TB, text string) *metav1.Time {
	t.Helper()
	d, err := time.ParseDuration(text)
	require.NoError(t, err)
	return &metav1.Time{Time: scenarioNow.Add(d)}
}

func parseRange(t testing.TB, text string) slots.Range {
	t.Helper()
	r, err := slots.ParseRange(text)
	require.NoError(t, err)
	return r
}

func (b *moveBuilder) finish() {
	spec := &b.in.Topology.Spec
	b.record = &layout.Layout{Version: 7}
	n := len(spec.Shards) - len(b.joining)
	for i := range spec.Shards {
		if b.joining[i] {
			continue
		}
		b.record.Shards = append(b.record.Shards, layout.Shard{
			Nodes: []layout.Node{{ID: moveID(i), Address: fmt.Sprintf("10.96.%d.0", i), Port: scenarioPort, Master: true}},
			Slots: plantest.EvenSlots(i, n),
		})
	}
	for _, o := range b.owns {
		var all slots.Set
		for _, r := range o[1:] {
			all.Add(parseRange(b.t, r))
		}
		for i := range b.record.Shards {
			b.record.Shards[i].Slots = b.record.Shards[i].Slots.Minus(&all)
		}
		own := &b.record.Shards[b.shard(o[0])].Slots
		rest := own.Minus(&all)
		other := &b.record.Shards[(b.shard(o[0])+1)%n].Slots
		*other, *own = other.Union(&rest), all
	}
	b.in = moveInput(b.in.Topology, b.record)
	for _, words := range b.nodes {
		b.node("orders-"+words[0]+"-0", words[1:])
	}
}

// moveInput is a cluster of shards of one pod in which all is well.
func moveInput(topology *v1alpha1.KVRocksTopology, record *layout.Layout) plan.Input {
	in := plan.Input{
		Now: scenarioNow, Topology: topology, Pods: map[string]plan.Pod{}, Nodes: map[string]plan.Node{},
		Controller: plan.Controller{Reach: plan.Answered, Record: record},
	}
	topology.Status.LayoutVersion = record.Version
	for i := range topology.Spec.Shards {
		s := &topology.Spec.Shards[i]
		pod := s.Members[0].Pod
		node := plan.Node{
			Reach: plan.Answered, RunID: pod, Role: v1alpha1.RoleMaster, Sequence: 100, Priority: 100, LastMaster: scenarioNow,
			Cluster: &plan.ClusterNode{Version: record.Version, Layout: record, Outgoing: &layout.SlotMove{
				Slots: slots.Range{First: slots.Count - 1, Last: slots.Count - 1}, To: "f", State: layout.MoveFailed,
			}},
		}
		p := plan.Pod{UID: pod, IP: fmt.Sprintf("10.244.%d.0", i), Running: true, Attached: true, Role: v1alpha1.RoleMaster}
		status := v1alpha1.TopologyShardStatus{Index: s.Index, Master: pod}
		reported := v1alpha1.TopologyNode{Pod: pod, Address: s.Members[0].Address, Role: v1alpha1.RoleMaster, Attached: true, Sequence: 100}
		found := false
		for j := range record.Shards {
			if n := &record.Shards[j].Nodes[0]; n.Address == s.Members[0].Address {
				node.Cluster.ID, reported.NodeID, found = n.ID, n.ID, true
				for _, r := range record.Shards[j].Slots.Ranges() {
					status.Slots = append(status.Slots, v1alpha1.SlotRange(r.String()))
				}
			}
		}
		if !found {
			node.Role, node.MasterHost, node.MasterPort, node.Cluster = v1alpha1.RoleReplica, "127.0.0.1", scenarioPort, &plan.ClusterNode{Version: -1}
			p.Attached, p.Role, status, reported = false, "", v1alpha1.TopologyShardStatus{Index: s.Index}, v1alpha1.TopologyNode{Pod: pod}
			node.LastMaster = time.Time{}
		}
		status.Nodes = []v1alpha1.TopologyNode{reported}
		topology.Status.Shards = append(topology.Status.Shards, status)
		in.Pods[pod], in.Nodes[pod] = p, node
	}
	return in
}

func (b *moveBuilder) node(pod string, words []string) {
	n, p := b.in.Nodes[pod], b.in.Pods[pod]
	cluster := *n.Cluster
	for _, word := range words {
		key, value, _ := strings.Cut(word, "=")
		switch key {
		case "out":
			r, rest, _ := strings.Cut(value, ">")
			to, state, _ := strings.Cut(rest, ":")
			cluster.Outgoing = &layout.SlotMove{Slots: parseRange(b.t, r), To: moveID(b.shard(to)), State: layout.MoveState(state)}
		case "in":
			r, state, _ := strings.Cut(value, ":")
			cluster.Incoming = &layout.SlotMove{Slots: parseRange(b.t, r), State: layout.MoveState(state)}
		case "count":
			r, keys, _ := strings.Cut(value, ":")
			n.Count = &migration.SlotCount{Slots: parseRange(b.t, r), Keys: number(b.t, keys)}
		case "fresh":
			cluster.Outgoing = nil
		case "down":
			n.Reach, n.Err, n.DownSince = plan.Unreachable, "connection refused", scenarioNow
		case "restarted":
			n.Role, n.MasterHost, n.MasterPort, n.LinkUp = v1alpha1.RoleReplica, "127.0.0.1", scenarioPort, true
			cluster = plan.ClusterNode{Version: -1, Outgoing: cluster.Outgoing, Incoming: cluster.Incoming}
		default:
			b.t.Fatalf("unknown word %q of %s", word, pod)
		}
	}
	n.Cluster = &cluster
	b.in.Nodes[pod], b.in.Pods[pod] = n, p
}
