package rebalance

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kvrocks/kvrocks-operator/api/slots"
	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

// shardsWith returns n shards of the record, with the slots that they have.
func shardsWith(n int, have *owners) []Shard {
	sets, shards := make([]slots.Set, n), someHolders(n)
	have.runs(slots.Range{Last: slots.Count - 1}, func(run slots.Range, owner int16) {
		if owner >= 0 {
			sets[owner].Add(run)
		}
	})
	for i := range shards {
		shards[i].Slots = &sets[i]
	}
	return shards
}

// leaving marks one shard as one that is to be removed, and absent one that is not in the record yet.
func leaving(i int) func([]Shard) { return func(shards []Shard) { shards[i].Leaving = true } }
func absent(i int) func([]Shard)  { return func(shards []Shard) { shards[i].Slots = nil } }

func TestQueue(t *testing.T) {
	t.Parallel()
	begun := &metav1.Time{Time: time.Unix(1000, 0)}
	// Of three shards the first has 0-5460, the second 5461-10921, the third the rest.
	for _, c := range []struct {
		name    string
		change  func([]Shard)
		last    []v1alpha1.MigrationStatus
		migrate map[string]int32 // slots by the shard where they are to be
		policy  v1alpha1.MigrationPolicy
		want    []string
	}{
		{name: "nothing is wanted", want: []string{}},
		{
			name: "slots that are elsewhere, and slots that are there", migrate: map[string]int32{"0-9": 1, "6000": 1},
			want: []string{"0-9 0->1 Pending: waiting for its turn", "6000 1->1 Done: the slots were there already"},
		},
		{
			name: "a range of two shards", migrate: map[string]int32{"5460-5461": 2},
			want: []string{"5460 0->2 Pending: waiting for its turn", "5461 1->2 Pending: waiting for its turn"},
		},
		{
			name: "a shard that does not exist", migrate: map[string]int32{"0": 7},
			want: []string{"0 7->7 Failed: there is no shard 7; name one of the shards 0 to 2 in spec.migrate, or raise spec.master"},
		},
		{
			name: "a shard that leaves", change: leaving(1), migrate: map[string]int32{"0": 1},
			want: []string{"0 1->1 Failed: shard 1 is to be removed; name one of the shards [0 2] in spec.migrate"},
		},
		{
			name: "what is no range", migrate: map[string]int32{"9-1": 1},
			want: []string{`9-1 1->1 Failed: "9-1": a range of slots must go from the lower to the higher, for example 1-2; write a single slot as one number`},
		},
		{
			name: "one slot to two shards", migrate: map[string]int32{"0": 1, "0-1": 2},
			want: []string{
				"0 0->1 Pending: waiting for its turn",
				"0-1 2->2 Failed: the slots 0 are sent to shard 1 as well; leave them in one entry of spec.migrate",
			},
		},
		{
			name: "a shard that is yet to join", change: absent(2), migrate: map[string]int32{"0": 2, "16383": 1},
			want: []string{"0 0->2 Pending: waiting for shard 2 to join the cluster", "16383 1->1 Pending: waiting: no shard of this cluster has the slots"},
		},
		{
			name: "what has begun stays first while it is wanted", migrate: map[string]int32{"0": 1, "1-2": 1},
			last: []v1alpha1.MigrationStatus{{Slots: "1-2", From: 0, To: 1, State: v1alpha1.MigrationRunning, StartedAt: begun, Message: "begun"}},
			want: []string{"1-2 0->1 Running: begun", "0 0->1 Pending: waiting for its turn"},
		},
		{
			name: "what has begun and is not wanted any more goes",
			last: []v1alpha1.MigrationStatus{{Slots: "1-2", From: 0, To: 1, State: v1alpha1.MigrationRunning, StartedAt: begun}},
			want: []string{},
		},
		{
			name: "but not while keys are on their way",
			last: []v1alpha1.MigrationStatus{{Slots: "1-2", Current: "1", From: 0, To: 1, State: v1alpha1.MigrationRunning, StartedAt: begun, Message: "on its way"}},
			want: []string{"1-2 0->1 Running: on its way"},
		},
		{
			name: "what was given up is not begun again", migrate: map[string]int32{"1-2": 1},
			last: []v1alpha1.MigrationStatus{{Slots: "1-2", From: 0, To: 1, State: v1alpha1.MigrationFailed, StartedAt: begun, Message: "given up"}},
			want: []string{"1-2 0->1 Failed: given up"},
		},
		{
			name: "what was given up and is there after all", migrate: map[string]int32{"5461": 1},
			last: []v1alpha1.MigrationStatus{{Slots: "5461", From: 0, To: 1, State: v1alpha1.MigrationFailed, StartedAt: begun}},
			want: []string{"5461 1->1 Done: the slots were there already"},
		},
		{
			name: "a drain", change: leaving(2), policy: v1alpha1.MigrationPolicy{Drain: true},
			want: []string{"10922-13652 2->0 Pending: waiting for its turn", "13653-16383 2->1 Pending: waiting for its turn"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			shards := shardsWith(3, evenly(3))
			if c.change != nil {
				c.change(shards)
			}
			var migrate []v1alpha1.TopologyMigration
			for _, r := range slices.Sorted(maps.Keys(c.migrate)) {
				migrate = append(migrate, v1alpha1.TopologyMigration{Shard: c.migrate[r], Slots: []v1alpha1.SlotRange{v1alpha1.SlotRange(r)}})
			}
			entries := Queue(c.last, migrate, c.policy, shards)
			got := []string{}
			for _, m := range entries {
				got = append(got, fmt.Sprintf("%s %d->%d %s: %s", m.Slots, m.From, m.To, m.State, m.Message))
			}
			assert.Equal(t, c.want, got)
			assert.Equal(t, entries, Queue(entries, migrate, c.policy, shards), "it is its own result")
		})
	}
}

func TestQueueIsCutWithASummary(t *testing.T) {
	t.Parallel()
	var migrate []v1alpha1.TopologyMigration
	for i := range 300 {
		migrate = append(migrate, v1alpha1.TopologyMigration{Shard: 1, Slots: []v1alpha1.SlotRange{v1alpha1.SlotRange(fmt.Sprint(2 * i))}})
	}
	entries := Queue(nil, migrate, v1alpha1.MigrationPolicy{}, shardsWith(2, evenly(2)))
	assert.Len(t, entries, mostEntries)
	assert.Equal(t, "waiting for its turn (further ranges: 44 Pending, 0 Failed, 0 Done)", entries[mostEntries-1].Message)
	assert.Equal(t, entries, Queue(entries, migrate, v1alpha1.MigrationPolicy{}, shardsWith(2, evenly(2))))
}

// BenchmarkRebalance plans a rebalance from 50 to 100 shards; far below 1 ms.
func BenchmarkRebalance(b *testing.B) {
	shards := shardsWith(100, evenly(50))
	b.ReportAllocs()
	for b.Loop() {
		if entries := Queue(nil, nil, v1alpha1.MigrationPolicy{Rebalance: true}, shards); len(entries) < 50 {
			b.Fatal(len(entries))
		}
	}
}

// BenchmarkQueueSettled looks at 64 entries of spec.migrate over 100 shards that are all done; far below 1 ms.
func BenchmarkQueueSettled(b *testing.B) {
	shards := shardsWith(100, evenly(100))
	var migrate []v1alpha1.TopologyMigration
	for i := range 64 {
		migrate = append(migrate, v1alpha1.TopologyMigration{Shard: int32(i), Slots: []v1alpha1.SlotRange{
			v1alpha1.SlotRange(fmt.Sprintf("%d-%d", i*slots.Count/100+1, i*slots.Count/100+100)),
		}})
	}
	entries := Queue(nil, migrate, v1alpha1.MigrationPolicy{}, shards)
	b.ReportAllocs()
	for b.Loop() {
		if got := Queue(entries, migrate, v1alpha1.MigrationPolicy{}, shards); len(got) != 64 {
			b.Fatal(len(got))
		}
	}
}
