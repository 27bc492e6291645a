package plan_test

import (
	"slices"
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
)

// moveLine takes a line about slots that move; it reports whether it is one.
func (b *clusterBuilder) moveLine(first string, rest []string) bool {
	spec := &b.in.Topology.Spec
	switch first {
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
	case "next":
		b.in.Topology.Status.NextMoveAt = after(b.t, rest[0])
	case "changed":
		b.in.Topology.Generation++
	case "entry":
		b.entry(rest)
	default:
		return false
	}
	return true
}

func (b *clusterBuilder) policy(words []string) {
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

func (b *clusterBuilder) entry(words []string) {
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

// own gives a shard some slots, and what else it had to the next of the shards on record.
func (b *clusterBuilder) own(words []string, shards []int) {
	index := int(number(b.t, words[0]))
	var all slots.Set
	for _, r := range words[1:] {
		all.Add(parseRange(b.t, r))
	}
	for i := range b.record.Shards {
		b.record.Shards[i].Slots = b.record.Shards[i].Slots.Minus(&all)
	}
	own, next := &b.record.Shards[index].Slots, &b.record.Shards[shards[(slices.Index(shards, index)+1)%len(shards)]].Slots
	*next, *own = next.Union(own), all
}

// moveWord is what a node says of a move. Without it, it once began one and failed.
func (b *clusterBuilder) moveWord(key, value string, n *plan.Node) {
	r, rest, _ := strings.Cut(value, ":")
	switch key {
	case "out":
		r, to, _ := strings.Cut(r, ">")
		n.Cluster.Outgoing = &layout.SlotMove{Slots: parseRange(b.t, r), To: "id" + to, State: layout.MoveState(rest)}
	case "in":
		n.Cluster.Incoming = &layout.SlotMove{Slots: parseRange(b.t, r), State: layout.MoveState(rest)}
	case "count":
		n.Count = &migration.SlotCount{Slots: parseRange(b.t, r), Keys: number(b.t, rest)}
	case "fresh":
		n.Cluster.Outgoing = nil
	}
}
