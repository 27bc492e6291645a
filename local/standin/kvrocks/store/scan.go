package store

import "strings"

// Scan is one step of SCAN.
type Scan struct {
	// After is the key to go on after; empty for the beginning.
	After string
	// Prefix of the keys; empty for all.
	Prefix string
	// Kind of the keys; None for all.
	Kind Kind
	// Limit is the most keys.
	Limit int
}

// scanSlots is how many slots one step looks for a prefix in, besides the one that it begins in.
const scanSlots = 50

// lastSlot is the highest slot of a cluster.
const lastSlot = 16383

// Scan returns the keys of a step and the key to go on after; that is empty at the end. As in the real program, a step that
// looks for a prefix in a cluster goes through so many slots, and may find nothing and still have an end.
func (r Reader) Scan(s Scan) (keys []string, end string) {
	if r.data.slot == nil || s.Prefix == "" {
		r.Keys(s.Prefix, s.After, func(key string, v *Value) bool {
			if s.Kind == None || v.Kind == s.Kind {
				keys = append(keys, key)
			}
			return len(keys) < s.Limit
		})
		if len(keys) == s.Limit {
			end = keys[len(keys)-1]
		}
		return keys, end
	}
	return r.scanSlots(s)
}

func (r Reader) scanSlots(s Scan) (keys []string, end string) {
	first := 0
	if s.After != "" {
		first = r.data.slot(s.After)
	}
	for slot := first; slot <= lastSlot; slot++ {
		from, behind := placeIn(slot, s.Prefix), ""
		if slot == first && s.After != "" {
			from = r.data.place(s.After) + "\x00" // nothing stands between
		}
		r.data.keys.Ascend(from, func(place string, v *Value) bool {
			if len(keys) == s.Limit {
				return false
			}
			if !strings.HasPrefix(place, placeIn(slot, s.Prefix)) {
				behind = place
				return false
			}
			key := r.data.name(place)
			if !v.expired(r.now) && (s.Kind == None || v.Kind == s.Kind) {
				keys = append(keys, key)
			}
			return true
		})
		switch {
		case len(keys) == s.Limit, slot == first+scanSlots && len(keys) > 0:
			return keys, keys[len(keys)-1]
		case slot == first+scanSlots && behind != "":
			end = r.data.name(behind)
			if strings.HasPrefix(end, s.Prefix) {
				keys = append(keys, end)
			}
			return keys, end
		case slot == first+scanSlots:
			return nil, ""
		}
	}
	return keys, ""
}
