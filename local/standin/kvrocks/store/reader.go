package store

import "strings"

// Reader looks at the live keys of a store while the store holds still.
type Reader struct {
	data *keyspace
	seq  uint64
	now  int64
}

// Sequence returns the number of the last record.
func (r Reader) Sequence() uint64 { return r.seq }

// Dump gives the operations that rebuild a key.
func (r Reader) Dump(key string, emit func(Op)) {
	if v := r.Get(key); v != nil {
		dumpValue(key, v, emit)
	}
}

// Now returns the time of the look in Unix milliseconds.
func (r Reader) Now() int64 { return r.now }

// Get returns the value of a key, nil if there is none.
func (r Reader) Get(key string) *Value { return r.data.live(key, r.now) }

// Kind returns the type of a key's value.
func (r Reader) Kind(key string) Kind {
	if v := r.Get(key); v != nil {
		return v.Kind
	}
	return None
}

// Keys calls visit for each key with the prefix that stands after the given one, in order, until it returns false.
func (r Reader) Keys(prefix, after string, visit func(string, *Value) bool) {
	start := ""
	if after != "" {
		start = r.data.place(after)
	} else if r.data.slot == nil {
		start = prefix
	}
	r.data.keys.Ascend(start, func(place string, v *Value) bool {
		key := r.data.name(place)
		if after != "" && key == after {
			return true
		}
		if !strings.HasPrefix(key, prefix) {
			return r.data.slot != nil || key < prefix
		}
		if v.expired(r.now) {
			return true
		}
		return visit(key, v)
	})
}
