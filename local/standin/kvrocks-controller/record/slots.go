package record

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// slotCount is the number of slots of a cluster.
const slotCount = 16384

var errSlotOutOfRange = errors.New("slot id was out of range, should be between 0 and 16383")

// Range is the slots from Start to Stop, both included. As text and in JSON it is "5" or "5-9".
type Range struct{ Start, Stop int }

// Ranges is a set of slots, as ranges in ascending order that do not touch.
type Ranges []Range

// ParseRange reads "5" or "5-9".
func ParseRange(text string) (Range, error) {
	first, last, isRange := strings.Cut(text, "-")
	if strings.Contains(last, "-") {
		return Range{}, fmt.Errorf("%w, cannot have more than one range", ErrInvalid)
	}
	if !isRange {
		last = first
	}
	start, err := strconv.Atoi(first)
	if err != nil {
		return Range{}, err
	}
	stop, err := strconv.Atoi(last)
	if err != nil {
		return Range{}, err
	}
	switch {
	case start > stop:
		return Range{}, errors.New("start slot id greater than stop slot id")
	case start < 0 || stop >= slotCount:
		return Range{}, errSlotOutOfRange
	}
	return Range{Start: start, Stop: stop}, nil
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (r *Range) UnmarshalText(text []byte) error {
	parsed, err := ParseRange(string(text))
	if err != nil {
		return err
	}
	*r = parsed
	return nil
}

// MarshalText implements encoding.TextMarshaler.
func (r Range) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

func (r Range) String() string {
	if r.Start == r.Stop {
		return strconv.Itoa(r.Start)
	}
	return fmt.Sprintf("%d-%d", r.Start, r.Stop)
}

func (r Range) overlaps(other Range) bool { return r.Start <= other.Stop && other.Start <= r.Stop }

func (rs Ranges) overlap(other Range) bool {
	return slices.ContainsFunc(rs, func(r Range) bool { return r.overlaps(other) })
}

func (rs Ranges) String() string {
	words := make([]string, len(rs))
	for i, r := range rs {
		words[i] = r.String()
	}
	return strings.Join(words, " ")
}

// with returns the set with a range added.
func (rs Ranges) with(added Range) Ranges {
	all := append(slices.Clone(rs), added)
	all.sort()
	merged := Ranges{all[0]}
	for _, r := range all[1:] {
		last := &merged[len(merged)-1]
		if r.Start <= last.Stop+1 {
			last.Stop = max(last.Stop, r.Stop)
		} else {
			merged = append(merged, r)
		}
	}
	return merged
}

// without returns the set with the slots of a range taken out.
func (rs Ranges) without(removed Range) Ranges {
	rest := Ranges{}
	for _, r := range rs {
		if !r.overlaps(removed) {
			rest = append(rest, r)
			continue
		}
		if r.Start < removed.Start {
			rest = append(rest, Range{Start: r.Start, Stop: removed.Start - 1})
		}
		if r.Stop > removed.Stop {
			rest = append(rest, Range{Start: removed.Stop + 1, Stop: r.Stop})
		}
	}
	rest.sort()
	return rest
}

func (rs Ranges) sort() { slices.SortFunc(rs, func(a, b Range) int { return a.Start - b.Start }) }

// evenly cuts all slots into n ranges; the last one has what does not divide.
func evenly(n int) Ranges {
	size := slotCount / n
	cuts := make(Ranges, n)
	for i := range cuts {
		cuts[i] = Range{Start: i * size, Stop: (i+1)*size - 1}
	}
	cuts[n-1].Stop = slotCount - 1
	return cuts
}
