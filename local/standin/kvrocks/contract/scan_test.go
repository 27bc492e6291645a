package contract

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kvrocks/kvrocks-operator/api/slots"
	"github.com/kvrocks/kvrocks-operator/local/standin/programtest"
	"github.com/kvrocks/kvrocks-operator/sidecar/kvrocks"
)

// wholeCluster starts a node that owns every slot.
func wholeCluster(t *testing.T, opts options) *node {
	t.Helper()
	n := clusterNode(t, 0, opts)
	setNodes(t, 1, []string{member(0, n, "master - 0-16383")}, n)
	return n
}

// fill writes keys that name wants and returns how many are in each slot.
func (n *node) fill(count int, name func(i int) string) (perSlot [slots.Count]int64) {
	n.t.Helper()
	const batch = 1000
	hasher := slots.NewHasher()
	for first := 0; first < count; first += batch {
		pipe := n.Client.Pipeline()
		for i := first; i < min(first+batch, count); i++ {
			key := name(i)
			pipe.Set(context.Background(), key, "v", 0)
			perSlot[hasher.Slot(key)]++
		}
		_, err := pipe.Exec(context.Background())
		require.NoError(n.t, err)
	}
	return perSlot
}

func TestScanOfAClusterGoesFromSlotToSlot(t *testing.T) {
	t.Parallel()
	n := wholeCluster(t, nil)
	n.fill(500, func(i int) string { return fmt.Sprintf("key:%d", i) })
	hasher := slots.NewHasher()
	cursor, seen, lastSlot, lastKey := "0", 0, 0, ""
	for {
		reply, err := n.Client.Do(context.Background(), "SCAN", cursor, "COUNT", 7).Slice()
		require.NoError(t, err)
		for _, item := range reply[1].([]any) {
			key := item.(string)
			slot := hasher.Slot(key)
			require.True(t, slot > lastSlot || slot == lastSlot && key > lastKey, "%s in slot %d after %s in %d", key, slot, lastKey, lastSlot)
			lastSlot, lastKey = slot, key
			seen++
		}
		if cursor = reply[0].(string); cursor == "0" {
			break
		}
	}
	assert.Equal(t, 500, seen)
}

func TestScanForAPrefixGoesThrough50Slots(t *testing.T) {
	t.Parallel()
	n := wholeCluster(t, nil)
	hasher := slots.NewHasher()
	inSlot := func(wanted int) string {
		for i := 0; ; i++ {
			if key := fmt.Sprintf("k%d", i); hasher.Slot(key) == wanted {
				return key
			}
		}
	}
	for _, slot := range []int{3, 50, 51, 52, 4000, 4001} {
		n.must("SET", inSlot(slot), "v")
	}
	step := func(cursor string, args ...any) (string, []any) {
		reply, err := n.Client.Do(context.Background(), append([]any{"SCAN", cursor}, args...)...).Slice()
		require.NoError(t, err)
		return reply[0].(string), reply[1].([]any)
	}
	leap, none := step("0", "MATCH", "\xff*")
	assert.Empty(t, none)
	_, next := step(leap, "COUNT", "1")
	assert.Equal(t, []any{inSlot(52)}, next, "the leap ended at the first key behind slot 50, and the cursor goes on behind that")
	leap, none = step(leap, "MATCH", "\xff*")
	assert.Empty(t, none)
	_, next = step(leap, "COUNT", "1")
	assert.Equal(t, []any{inSlot(4001)}, next, "empty slots cost nothing")
	leap, none = step(leap, "MATCH", "\xff*")
	assert.Empty(t, none)
	assert.Equal(t, "0", leap, "nothing is left")
	_, found := step("0", "MATCH", inSlot(50)+"*")
	assert.Equal(t, []any{inSlot(50)}, found)
}

func TestKeysOfSlotsAreCounted(t *testing.T) {
	t.Parallel()
	for _, compatible := range []string{"yes", "no"} {
		t.Run("redis-cursor-compatible "+compatible, func(t *testing.T) {
			t.Parallel()
			n := wholeCluster(t, options{"redis-cursor-compatible": compatible})
			visitor := kvrocks.NewNode(n.Addr(), kvrocks.Options{Timeout: programtest.Patience})
			t.Cleanup(func() { _ = visitor.Close() })
			count := func(first, last int) int64 {
				got, err := visitor.CountKeys(t.Context(), slots.Range{First: first, Last: last}, 1<<40)
				require.NoError(t, err)
				return got
			}
			assert.Zero(t, count(0, slots.Count-1), "nothing in an empty node")
			perSlot := n.fill(6000, func(i int) string {
				return [...]string{"k", "\xfe\xff", "\x00", "{b}", "{user1000}:"}[i%5] + strconv.Itoa(i)
			})
			sum := func(first, last int) (total int64) {
				for slot := first; slot <= last; slot++ {
					total += perSlot[slot]
				}
				return total
			}
			for range 40 {
				first := rand.IntN(slots.Count)
				last := first + rand.IntN(min(300, slots.Count-first))
				require.Equal(t, sum(first, last), count(first, last), "slots %d-%d", first, last)
			}
			for _, r := range [][2]int{{0, 0}, {0, 16383}, {16383, 16383}, {3300, 3300}, {3301, 3301}, {3443, 9000}} {
				assert.Equal(t, sum(r[0], r[1]), count(r[0], r[1]), "slots %v", r)
			}
			got, err := visitor.CountKeys(t.Context(), slots.Range{Last: slots.Count - 1}, 100)
			require.NoError(t, err)
			assert.Equal(t, int64(kvrocks.TooMany), got)
		})
	}
}
