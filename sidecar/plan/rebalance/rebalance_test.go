package rebalance

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kvrocks/kvrocks-operator/api/slots"
)

// evenly gives the slots to the first n holders.
func evenly(n int) *owners {
	have := unowned()
	for i := range n {
		have.assign(slots.Range{First: i * slots.Count / n, Last: (i+1)*slots.Count/n - 1}, int16(i))
	}
	return have
}

func someHolders(n int, leaving ...int) []Shard {
	holders := make([]Shard, n)
	for i := range holders {
		holders[i] = Shard{Index: int32(i), Slots: &slots.Set{}, Leaving: slices.Contains(leaving, i)}
	}
	return holders
}

func text(moves []move) []string {
	all := []string{}
	for _, m := range moves {
		all = append(all, fmt.Sprintf("%s %d->%d", m.slots, m.from, m.to))
	}
	return all
}

func TestSpread(t *testing.T) {
	for _, c := range []struct {
		name             string
		have             *owners
		holders          []Shard
		pin              map[string]int16
		drain, rebalance bool
		want             []string
		sizes            []int
	}{
		{
			name: "what is even stays", have: evenly(3), holders: someHolders(3), drain: true, rebalance: true,
			want: []string{}, sizes: []int{5461, 5461, 5462},
		},
		{
			name: "nobody asked", have: evenly(3), holders: someHolders(5, 0), want: []string{}, sizes: []int{5461, 5461, 5462, 0, 0},
		},
		{
			name: "two new shards", have: evenly(3), holders: someHolders(5), rebalance: true,
			want:  []string{"3277-5460 0->3", "8738-9830 1->3", "9831-10921 1->4", "14199-16383 2->4"},
			sizes: []int{3277, 3277, 3277, 3277, 3276},
		},
		{
			name: "two shards leave", have: evenly(5), holders: someHolders(5, 3, 4), drain: true,
			want:  []string{"9830-12015 3->0", "12016-13106 3->1", "13107-14199 4->1", "14200-16383 4->2"},
			sizes: []int{5462, 5461, 5461, 0, 0},
		},
		{
			name: "a drain moves nothing else", have: evenly(3), holders: someHolders(4, 2), drain: true,
			want: []string{"10922-16383 2->3"}, sizes: []int{5461, 5461, 0, 5462},
		},
		{
			name: "a drain and a rebalance", have: evenly(3), holders: someHolders(4, 2), drain: true, rebalance: true,
			want: []string{"10922-16383 2->3"}, sizes: []int{5461, 5461, 0, 5462},
		},
		{
			name: "pins stay", have: evenly(2), holders: someHolders(4), pin: map[string]int16{"0-7999": 0}, rebalance: true,
			want:  []string{"8000-8191 0->2", "10987-13589 1->2", "13590-16383 1->3"},
			sizes: []int{8000, 2795, 2795, 2794},
		},
		{
			name: "nobody is left to take them", have: evenly(1), holders: someHolders(1, 0), drain: true, rebalance: true,
			want: []string{}, sizes: []int{16384},
		},
		{
			name: "a rebalance waits for every shard", have: evenly(1), holders: []Shard{{Slots: &slots.Set{}}, {Index: 1, Slots: &slots.Set{}}, {Index: 2}},
			rebalance: true, want: []string{}, sizes: []int{16384, 0, 0},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			pins := unowned()
			for r, to := range c.pin {
				parsed, err := slots.ParseRange(r)
				require.NoError(t, err)
				pins.assign(parsed, to)
			}
			after := *c.have
			assert.Equal(t, c.want, text(planRebalance(&after, pins, c.holders, c.drain, c.rebalance)))
			assert.Equal(t, c.sizes, after.sizes(len(c.holders)))
		})
	}
}

// TestSpreadIsEvenMinimalAndContinues checks random layouts: the sizes differ by at most one, no more slots move than must,
// leaving shards end empty, and when some of the moves were made the rest is planned as before.
func TestSpreadIsEvenMinimalAndContinues(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		n := 2 + rng.IntN(12)
		holders := someHolders(n)
		for i := 1; i < n; i++ {
			holders[i].Leaving = rng.IntN(4) == 0
		}
		have := unowned()
		for slot, owner := 0, int16(0); slot < slots.Count; slot++ {
			if rng.IntN(400) == 0 {
				owner = int16(rng.IntN(n))
			}
			have[slot] = owner
		}
		after := *have
		moves := planRebalance(&after, unowned(), holders, true, true)
		sizes, before := after.sizes(n), have.sizes(n)
		least, most, must, moved := slots.Count, 0, 0, 0
		for i := range holders {
			if holders[i].Leaving {
				require.Zero(t, sizes[i])
				must += before[i]
				continue
			}
			least, most = min(least, sizes[i]), max(most, sizes[i])
			must += max(0, before[i]-sizes[i])
		}
		for _, m := range moves {
			moved += m.slots.Len()
		}
		require.LessOrEqual(t, most-least, 1)
		require.LessOrEqual(t, moved, must+before[0]) // a drain fills the smallest first, so a rebalance seldom moves a slot twice

		// Some moves are made; the rest of the plan still leads to the same layout.
		half := *have
		for _, m := range moves[:len(moves)/2] {
			half.assign(m.slots, m.to)
		}
		planRebalance(&half, unowned(), holders, true, true)
		again := half.sizes(n)
		slices.Sort(sizes)
		slices.Sort(again)
		require.Equal(t, sizes, again)
	}
}
