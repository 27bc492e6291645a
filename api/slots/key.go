package slots

import "strings"

// Hasher tells the slot of a key. Make one with [NewHasher].
type Hasher struct{ table [256]uint16 }

// NewHasher returns a hasher that counts CRC-16/XMODEM, which clusters of the Redis protocol use.
func NewHasher() *Hasher {
	const polynomial = 0x1021
	h := &Hasher{}
	for i := range h.table {
		crc := uint16(i) << 8
		for range 8 {
			if crc&0x8000 != 0 {
				crc = crc<<1 ^ polynomial
			} else {
				crc <<= 1
			}
		}
		h.table[i] = crc
	}
	return h
}

// Slot returns the slot of a key. Of a key with a part in braces only the first such part counts, unless that is empty.
func (h *Hasher) Slot(key string) int {
	if _, after, found := strings.Cut(key, "{"); found {
		if tag, _, closed := strings.Cut(after, "}"); closed && tag != "" {
			key = tag
		}
	}
	var crc uint16
	for i := range len(key) {
		crc = crc<<8 ^ h.table[byte(crc>>8)^key[i]]
	}
	return int(crc) % Count
}
