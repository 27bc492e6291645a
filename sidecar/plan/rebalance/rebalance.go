package rebalance

import (
	"cmp"
	"slices"

	"github.com/kvrocks/kvrocks-operator/api/slots"
)

// planRebalance returns the moves that spread the slots over the shards that stay: first those of leaving shards go to the
// smallest shards (drain), then all are made equal, but for one slot, with as few moves as possible (rebalance). A slot with a
// pin stays where it is. The layout is changed to what it is after the moves.
//
// The result depends on nothing but its input, and is the rest of itself when some of the moves have been made.
func planRebalance(have, pins *owners, shards []Shard, drain, rebalance bool) []move {
	s := &rebalancer{have: have, pins: pins, shards: shards, sizes: have.sizes(len(shards))}
	var moves []move
	if drain {
		moves = append(moves, s.moves(s.filled())...)
	}
	if rebalance && s.complete() {
		moves = append(moves, s.moves(s.level())...)
	}
	return moves
}

// rebalancer plans the moves of a drain and of a rebalance.
type rebalancer struct {
	have, pins *owners
	shards     []Shard
	sizes      []int
}

// complete reports whether every shard that is to stay is in the record. Before that a rebalance would move slots twice.
func (s *rebalancer) complete() bool {
	return !slices.ContainsFunc(s.shards, func(h Shard) bool { return !h.present() && !h.Leaving })
}

// receivers returns the shards that may get slots.
func (s *rebalancer) receivers() []int {
	var all []int
	for i := range s.shards {
		if s.shards[i].receives() {
			all = append(all, i)
		}
	}
	return all
}

// filled returns the sizes after a drain: no shard that stays gives slots, and the smallest get the most.
func (s *rebalancer) filled() []int {
	target := slices.Clone(s.sizes)
	receivers := s.receivers()
	if len(receivers) == 0 {
		return target
	}
	pool := 0
	for i := range s.shards {
		if s.shards[i].Leaving {
			pool += s.sizes[i]
			target[i] = 0
		}
	}
	// The smallest are raised to the size of the next, until the pool is used up.
	slices.SortStableFunc(receivers, func(a, b int) int { return s.sizes[a] - s.sizes[b] })
	sum := 0
	for i, r := range receivers {
		sum += s.sizes[r]
		n := i + 1
		if n < len(receivers) && s.sizes[receivers[n]]*n-sum < pool {
			continue
		}
		level, rest := (sum+pool)/n, (sum+pool)%n
		for j, r := range receivers[:n] {
			target[r] = level
			if j < rest {
				target[r]++
			}
		}
		break
	}
	return target
}

// level returns the sizes after a rebalance: equal but for one slot, as far as the pins allow. The larger size goes to those
// that have the most.
func (s *rebalancer) level() []int {
	target := slices.Clone(s.sizes)
	pinned := make([]int, len(s.shards))
	for slot, owner := range s.have {
		if owner >= 0 && s.pins[slot] == owner {
			pinned[owner]++
		}
	}
	open := s.receivers()
	total := 0
	for _, i := range open {
		total += s.sizes[i]
	}
	for len(open) > 0 {
		n := len(open)
		level, rest := total/n, total%n
		ceiling := level
		if rest > 0 {
			ceiling++
		}
		over := slices.IndexFunc(open, func(i int) bool { return pinned[i] > ceiling })
		if over >= 0 { // its pins alone are more than its share
			target[open[over]] = pinned[open[over]]
			total -= pinned[open[over]]
			open = slices.Delete(open, over, over+1)
			continue
		}
		slices.SortStableFunc(open, func(a, b int) int {
			return cmp.Or(max(pinned[b], level)-max(pinned[a], level), s.sizes[b]-s.sizes[a])
		})
		for j, i := range open {
			target[i] = level
			if j < rest {
				target[i]++
			}
		}
		break
	}
	return target
}

// moves brings every shard to its target size: one that has too many gives its highest slots.
func (s *rebalancer) moves(target []int) []move {
	surplus := make([]int, len(target))
	for i := range target {
		surplus[i] = s.sizes[i] - target[i]
	}
	gives := make([][]int, len(target))
	for slot := slots.Count - 1; slot >= 0; slot-- {
		owner := s.have[slot]
		if owner >= 0 && len(gives[owner]) < surplus[owner] && s.pins[slot] != owner {
			gives[owner] = append(gives[owner], slot)
		}
	}
	var moves []move
	to := 0
	for from := range target {
		for _, slot := range slices.Backward(gives[from]) {
			for to < len(target) && surplus[to] >= 0 {
				to++
			}
			if to == len(target) {
				return moves // pins kept a shard from giving all
			}
			surplus[to]++
			s.sizes[from]--
			s.sizes[to]++
			s.have[slot] = int16(to)
			moves = appendMove(moves, slot, int16(from), int16(to))
		}
	}
	return moves
}

// appendMove adds one slot, to the last move when it continues it.
func appendMove(moves []move, slot int, from, to int16) []move {
	if n := len(moves); n > 0 {
		if last := &moves[n-1]; last.from == from && last.to == to && last.slots.Last == slot-1 {
			last.slots.Last = slot
			return moves
		}
	}
	return append(moves, move{slots.Range{First: slot, Last: slot}, from, to})
}
