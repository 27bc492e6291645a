package cluster

import (
	"fmt"
	"strconv"
	"strings"
)

// Refusal is an error in the real program's words.
type Refusal string

// Error returns the words.
func (r Refusal) Error() string { return string(r) }

func refusef(format string, args ...any) error { return Refusal(fmt.Sprintf(format, args...)) }

// Slots is the number of hash slots of a cluster.
const Slots = 16384

// Range is the slots from Start to End, both included.
type Range struct{ Start, End int }

// NoRange is the empty range.
var NoRange = Range{-1, -1}

// Valid says whether the range has a slot.
func (r Range) Valid() bool { return r.Start >= 0 && r.Start <= r.End && r.End < Slots }

// Contains says whether a slot is in the range.
func (r Range) Contains(slot int) bool { return r.Valid() && slot >= r.Start && slot <= r.End }

// Overlaps says whether two ranges share a slot.
func (r Range) Overlaps(other Range) bool {
	return r.Valid() && other.Valid() && r.End >= other.Start && other.End >= r.Start
}

// String is the slot, the range, or -1.
func (r Range) String() string {
	switch {
	case !r.Valid():
		return "-1"
	case r.Start == r.End:
		return strconv.Itoa(r.Start)
	}
	return fmt.Sprintf("%d-%d", r.Start, r.End)
}

// ParseRange reads "5" or "5-7" as commands take it.
func ParseRange(text string) (Range, error) {
	first, last, isRange := strings.Cut(text, "-")
	if !isRange {
		slot, err := strconv.Atoi(text)
		if err != nil {
			return NoRange, Refusal("Invalid slot id: encounter non-integer characters")
		}
		if slot < 0 || slot >= Slots {
			return NoRange, Refusal("Invalid slot id: out of numeric range")
		}
		return Range{slot, slot}, nil
	}
	if first == "" || last == "" {
		return NoRange, refusef("Invalid slot range: `%s`. The character '-' can't appear in the first or last "+
			"position.", text)
	}
	if strings.Contains(last, "-") {
		return NoRange, refusef("Invalid slot range: `%s`. The slot range should be of the form `int1-int2`.", text)
	}
	start, err1 := strconv.Atoi(first)
	end, err2 := strconv.Atoi(last)
	r := Range{start, end}
	if err1 != nil || err2 != nil || !r.Valid() {
		return NoRange, refusef("Invalid slot range: `%s`. The slot range `int1-int2` needs to satisfy the "+
			"condition (int1 <= int2).", text)
	}
	return r, nil
}

// KeySlot returns the slot of a key: of its {tag} if it has one that is not empty.
func KeySlot(key string) int {
	if _, rest, found := strings.Cut(key, "{"); found {
		if tag, _, closed := strings.Cut(rest, "}"); closed && tag != "" {
			key = tag
		}
	}
	var crc uint16 // CRC-16/XMODEM
	for i := range len(key) {
		crc ^= uint16(key[i]) << 8
		for range 8 {
			if crc&0x8000 != 0 {
				crc = crc<<1 ^ 0x1021
			} else {
				crc <<= 1
			}
		}
	}
	return int(crc % Slots)
}
