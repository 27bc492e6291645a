// Package slots is about the 16384 hash slots of a cluster: sets of them, as single numbers and ranges.
package slots

import (
	"errors"
	"fmt"
	"math/bits"
	"strconv"
	"strings"
)

// Count is the number of slots of a cluster.
const Count = 16384

// Range is the slots from First to Last, both included.
type Range struct{ First, Last int }

// Len returns the number of slots in the range.
func (r Range) Len() int { return r.Last - r.First + 1 }

// String returns the range as kvrocks takes it: "5", never "5-5", or "1-2".
func (r Range) String() string {
	if r.First == r.Last {
		return strconv.Itoa(r.First)
	}
	return strconv.Itoa(r.First) + "-" + strconv.Itoa(r.Last)
}

// Why a text is no range of slots; the texts say what to write instead.
var (
	ErrSyntax   = errors.New("a slot must be written as a number or a range, for example 300 or 1-2")
	ErrNoSlot   = errors.New("a slot must be between 0 and 16383")
	ErrBackward = errors.New("a range of slots must go from the lower to the higher, for example 1-2; write a single slot as one number")
)

// ParseRange returns the range that a text names: "5" or "1-2", and "5-5" as "5". It fails with one of the errors above, which wraps the text.
func ParseRange(text string) (Range, error) {
	first, last, isRange := strings.Cut(strings.TrimSpace(text), "-")
	if !isRange {
		last = first
	}
	r := Range{parseSlot(first), parseSlot(last)}
	switch {
	case r.First < 0 || r.Last < 0:
		return Range{}, fmt.Errorf("%q: %w", text, ErrSyntax)
	case r.First >= Count || r.Last >= Count:
		return Range{}, fmt.Errorf("%q: %w", text, ErrNoSlot)
	case r.First > r.Last:
		return Range{}, fmt.Errorf("%q: %w", text, ErrBackward)
	}
	return r, nil
}

// parseSlot returns a number of up to five digits; -1 for anything else.
func parseSlot(text string) int {
	n, err := strconv.ParseUint(text, 10, 17)
	if err != nil || len(text) > 5 {
		return -1
	}
	return int(n)
}

// Set is a set of slots. The zero value is empty. It is comparable with ==.
type Set [Count / 64]uint64

// Of returns the set of ranges.
func Of(ranges ...Range) Set {
	var s Set
	for _, r := range ranges {
		s.Add(r)
	}
	return s
}

// All returns every slot.
func All() Set { return Of(Range{0, Count - 1}) }

// Add puts the slots of a range into the set.
func (s *Set) Add(r Range) {
	for i := r.First; i <= r.Last; {
		n := min(64-i%64, r.Last-i+1) // as many as the word has left
		s[i/64] |= ^uint64(0) >> (64 - n) << (i % 64)
		i += n
	}
}

// Has reports whether the slot is in the set.
func (s *Set) Has(slot int) bool { return s[slot/64]&(1<<(slot%64)) != 0 }

// Len returns the number of slots in the set.
func (s *Set) Len() int {
	n := 0
	for _, w := range s {
		n += bits.OnesCount64(w)
	}
	return n
}

// Empty reports whether there is none.
func (s *Set) Empty() bool { return *s == Set{} }

// Union returns the slots in either set.
func (s *Set) Union(o *Set) Set { return s.combine(o, func(a, b uint64) uint64 { return a | b }) }

// Intersect returns the slots in both sets.
func (s *Set) Intersect(o *Set) Set { return s.combine(o, func(a, b uint64) uint64 { return a & b }) }

// Minus returns the slots of s that are not in o.
func (s *Set) Minus(o *Set) Set { return s.combine(o, func(a, b uint64) uint64 { return a &^ b }) }

func (s *Set) combine(o *Set, f func(a, b uint64) uint64) Set {
	var out Set
	for i := range s {
		out[i] = f(s[i], o[i])
	}
	return out
}

// Ranges returns the slots as the fewest ranges, in ascending order; nil for none.
func (s *Set) Ranges() []Range {
	var ranges []Range
	for i := s.next(0, 0); i < Count; {
		end := s.next(i, ^uint64(0))
		ranges = append(ranges, Range{i, end - 1})
		i = s.next(end, 0)
	}
	return ranges
}

// next returns the first slot from i on that is in the set, or that is not when flip has all bits; Count when there is none.
func (s *Set) next(i int, flip uint64) int {
	for ; i < Count; i = i/64*64 + 64 {
		if w := (s[i/64] ^ flip) >> (i % 64); w != 0 {
			return i + bits.TrailingZeros64(w)
		}
	}
	return Count
}
