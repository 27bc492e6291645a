package scenarios

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

// The replicas of a cluster grow and shrink under load; masters on pods that go hand over.
func TestClusterReplicasComeAndGoWithoutLosingAWrite(t *testing.T) {
	t.Parallel()
	s := begin(t)
	s.sharded("orders", 1, 1, "watch")
	w, p := s.writeCluster("orders", thirds...), s.pulse()

	// With the usual patience: this is about planned moves, and a busy machine must not pass for a lost master.
	s.patch("orders", `{"spec":{"replicas":3,"failover":{"downAfterMilliseconds":5000}}}`)
	s.podCount("orders", v1alpha1.ComponentData, 9)
	s.settled("orders", "watch")
	s.promoteLast("orders", 3, 3)

	shrunk := time.Now()
	s.patch("orders", `{"spec":{"replicas":1}}`)
	s.podCount("orders", v1alpha1.ComponentData, 3)
	s.settled("orders", "watch")
	gaps := w.gaps(shrunk)
	topology, err := s.topology("orders")
	require.NoError(t, err)
	handovers := 0
	for _, record := range topology.Status.Failovers {
		if record.At.After(shrunk) {
			handovers++
			assert.Equal(t, v1alpha1.CauseHandover, record.Cause)
			assert.NotEqual(t, fmt.Sprintf("orders-%d-0", record.Shard), record.From, "the pod that stays has nothing to hand over")
			assert.Positive(t, record.PromoteMs, "the write pause is reported")
			t.Logf("journal: %+v", record)
		}
	}
	assert.GreaterOrEqual(t, handovers, 3, "each master must have handed over")
	t.Logf("3→1: gaps %v", gaps)
	p.within(t, 2*time.Second+noise, "clients must hardly notice", gaps...)
	s.nothingLost(t, "orders", w)
}

// promoteLast makes the pods with the highest ordinal the masters: a pod that is deleted with grace hands over, to the only one
// that is not being deleted.
func (s *scenario) promoteLast(name string, shards, replicas int) {
	s.Helper()
	for attempt := 0; ; attempt++ {
		others := 0
		for shard := range shards {
			before, last := s.shardMaster(name, shard), fmt.Sprintf("%s-%d-%d", name, shard, replicas-1)
			if before == last {
				continue
			}
			others++
			var pods []string
			for ordinal := range replicas {
				pods = append(pods, fmt.Sprintf("%s-%d-%d", name, shard, ordinal))
			}
			s.deleteAllBut(before, last, pods)
			s.anotherOf(name, shard, before)
		}
		s.settled(name, "watch")
		if others == 0 {
			return
		}
		require.Less(s, attempt, 4, "the masters must come to the highest ordinals")
	}
}

// Shards are added, get slots when that is asked for and not paused, and are removed when they own none.
func TestShardsComeAndGoWithTheirSlotsUnderLoad(t *testing.T) {
	t.Parallel()
	s := begin(t)
	s.sharded("orders", 1, 1, "")
	there, back := slotRange{0, 999}, slotRange{6000, 6999}
	p := s.pulse()
	w := s.writeCluster("orders", there, back, slotRange{1000, 5460}, slotRange{11000, 16383})

	s.patch("orders", `{"spec":{"master":5}}`)
	s.podCount("orders", v1alpha1.ComponentData, 5)
	grown := s.settled("orders", "")
	assert.Len(t, grown.owned(), 3, "new shards must not get slots by themselves")

	s.patch("orders", `{"metadata":{"annotations":{"kvrocks.apache.org/migration":"paused"}},
		"spec":{"migrate":[{"shard":3,"slots":["0-999"]},{"shard":4,"slots":["6000-6999"]}]}}`)
	s.eventually("the paused moves are pending", time.Minute, func() error {
		return s.eachMigration("orders", 2, func(m v1alpha1.MigrationStatus) error {
			if m.State != v1alpha1.MigrationPending || !strings.Contains(m.Message, "paused") {
				return fmt.Errorf("%+v", m)
			}
			return nil
		})
	})
	assert.Equal(t, grown.owner, s.whole("orders").owner, "nothing may have moved")
	moved := time.Now()
	s.patch("orders", `{"metadata":{"annotations":{"kvrocks.apache.org/migration":null}}}`)
	s.migrated("orders", 2)
	t.Logf("2,000 slots moved in %s, gaps %v", time.Since(moved).Round(time.Millisecond), w.gaps(moved))
	s.onShard("orders", there, 3)
	s.onShard("orders", back, 4)
	s.event("orders", "0-999")
	p.within(t, 2*time.Second+noise, "clients must hardly notice", w.gaps(moved)...)

	// Shrinking a shard that still owns slots deletes nothing and says what to do.
	five := uids(s.dataPods("orders"))
	s.patch("orders", `{"spec":{"master":3,"migrate":null}}`)
	s.eventually("a condition says which slots must leave the highest shard", time.Minute, func() error {
		return s.says("orders", "shard 4 is to be removed and owns the slots 6000-6999", "spec.migrate", "drain")
	})
	assert.Equal(t, five, uids(s.dataPods("orders")))
	s.onShard("orders", there, 3)

	s.patch("orders", `{"spec":{"migrate":[{"shard":0,"slots":["0-999"]},{"shard":1,"slots":["6000-6999"]}]}}`)
	s.podCount("orders", v1alpha1.ComponentData, 3)
	s.settled("orders", "")
	for shard, slots := range thirds {
		s.onShard("orders", slots, shard)
	}
	s.nothingLost(t, "orders", w)
}

// Slots follow the shards without being told where to go.
func TestSlotsAreSpreadOverNewShardsAndDrainedFromOldOnes(t *testing.T) {
	t.Parallel()
	s := begin(t)
	s.sharded("orders", 1, 1, "")
	before := s.whole("orders")
	w, p := s.writeCluster("orders", thirds...), s.pulse()

	began := time.Now()
	s.patch("orders", `{"spec":{"master":5,"cluster":{"rebalance":true}}}`)
	s.podCount("orders", v1alpha1.ComponentData, 5)
	s.spread("orders", 5)
	after := s.settled("orders", "")
	changed := 0
	for slot, owner := range after.owner {
		if owner != before.owner[slot] {
			changed++
		}
	}
	t.Logf("%d slots moved in %s, gaps %v", changed, time.Since(began).Round(time.Millisecond), w.gaps(began))
	assert.LessOrEqual(t, changed, 2*(slotCount/5+1), "no slot may move that need not")

	s.patch("orders", `{"spec":{"master":3,"cluster":{"rebalance":false,"drain":true}}}`)
	s.podCount("orders", v1alpha1.ComponentData, 3)
	s.settled("orders", "")
	s.spread("orders", 3)
	p.within(t, 2*time.Second+noise, "clients must hardly notice", w.gaps(began)...)
	s.nothingLost(t, "orders", w)
	claims, err := s.kube.CoreV1().PersistentVolumeClaims(s.namespace).List(s.ctx, metav1.ListOptions{})
	require.NoError(t, err)
	for _, claim := range claims.Items {
		assert.NotRegexp(t, `^data-orders-[34]-`, claim.Name, "the volumes of a shard that left are deleted, as reclaim asks for")
	}
}

// spread waits until the slots are spread evenly over so many shards.
func (s *scenario) spread(name string, shards int) {
	s.Helper()
	s.eventually(fmt.Sprintf("the slots are spread over %d shards", shards), 2*migratedWithin, func() error {
		record, err := s.record(name)
		if err != nil {
			return err
		}
		owned := record.owned()
		if counts := slices.Collect(maps.Values(owned)); len(counts) != shards || slices.Max(counts)-slices.Min(counts) > 1 {
			return fmt.Errorf("slots by master: %v", owned)
		}
		return nil
	})
}
