package scenarios

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// onlyTakes asserts that every data pod of an instance takes a password, and takes the former one no more.
func (s *scenario) onlyTakes(instance, present, former string) {
	s.Helper()
	for pod := range s.dataPods(instance) {
		require.NoError(s, s.direct(pod, present).Ping(s.ctx).Err(), pod)
		require.ErrorContains(s, s.direct(pod, former).Ping(s.ctx).Err(), "password", pod)
	}
}

// The same for what only a cluster has, and for its password. The layout is read from every node, and from kvrocks-controller.
func TestWaitingForReadyOfAClusterNeverReturnsEarly(t *testing.T) {
	t.Parallel()
	s := begin(t)
	s.sharded("orders", 1, 1, "")
	keys := make([]string, 10_000)
	for n := range keys {
		keys[n] = fmt.Sprintf("k:%d", n)
	}
	s.setAll(s.clusterClient("orders"), keys, func(string) string { return "v" })
	t.Run("spec.password", func(t *testing.T) {
		s.password = "another-secret"
		s.patch("orders", `{"spec":{"password":"another-secret"}}`)
		s.waitReady("orders")
		s.part(t).onlyTakes("orders", s.password, password)
	})
	for shard, slots := range map[int]slotRange{1: {0, 199}, 2: {200, 299}} {
		t.Run("spec.migrate", func(t *testing.T) {
			s.patch("orders", fmt.Sprintf(`{"spec":{"migrate":[{"shard":%d,"slots":["%s"]}]}}`, shard, slots))
			s.waitReady("orders")
			want := s.addressOf("orders", s.shardMaster("orders", shard))
			for where, layout := range s.layouts(t, "orders") {
				for slot := slots.first; slot <= slots.last; slot++ {
					require.Equal(t, want, layout.owner[slot], "slot %d by %s", slot, where)
				}
			}
		})
	}
	t.Run("spec.cluster.rebalance", func(t *testing.T) {
		s.patch("orders", `{"spec":{"migrate":null,"cluster":{"rebalance":true}}}`)
		s.waitReady("orders")
		for where, layout := range s.layouts(t, "orders") {
			owned := slices.Sorted(maps.Values(layout.owned()))
			require.Len(t, owned, 3, where)
			assert.LessOrEqual(t, owned[2]-owned[0], 1, "%v by %s", owned, where)
		}
	})
}

// layouts are the layouts of a cluster as they are now, by what has them: every node, and kvrocks-controller. Its pods are replaced after
// a change of the password, and then nothing answers for it until the next one leads; clients do not notice.
func (s *scenario) layouts(t *testing.T, name string) map[string]slotMap {
	t.Helper()
	all := map[string]slotMap{}
	for pod, object := range s.dataPods(name) {
		layout, err := s.layout(object)
		require.NoError(t, err)
		all[pod] = layout
	}
	s.part(t).eventually("kvrocks-controller answers", 30*time.Second, func() (err error) {
		all["kvrocks-controller"], err = s.record(name)
		return err
	})
	return all
}
