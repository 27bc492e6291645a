package store

import (
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/tidwall/btree"
)

// Kind is the type of a value, spelled as the TYPE command answers it.
type Kind string

// The kinds the stand-in keeps.
const (
	None   Kind = "none"
	String Kind = "string"
	Hash   Kind = "hash"
	List   Kind = "list"
	Set    Kind = "set"
	ZSet   Kind = "zset"
)

// Value is what a key holds. Only the field of its kind is used. Callers outside the package only read it.
type Value struct {
	Kind     Kind
	ExpireAt int64 // Unix milliseconds; 0 means never
	Str      string
	Fields   map[string]string // Hash; Set keeps its members as keys
	List     []string
	Scores   map[string]float64
}

// keyspace is ordered because KEYS and SCAN of the real program walk the keys in byte order; in a cluster, in the order of
// their slots first.
type keyspace struct {
	keys btree.Map[string, *Value] // by place
	slot SlotOf
}

// SlotOf tells the slot of a key.
type SlotOf func(key string) int

// slotBytes is how much of a place stands before the key in a cluster.
const slotBytes = 2

// place of a key in the order.
func (k *keyspace) place(key string) string {
	if k.slot == nil {
		return key
	}
	return placeIn(k.slot(key), key)
}

func placeIn(slot int, key string) string { return string([]byte{byte(slot >> 8), byte(slot)}) + key }

// name of the key at a place.
func (k *keyspace) name(place string) string {
	if k.slot == nil {
		return place
	}
	return place[slotBytes:]
}

// live returns the value of a key that exists and has not expired. Expired values stay until they are overwritten, as
// they do in the real program until compaction: replicas expire by the clock too, without a logged deletion.
func (k *keyspace) live(key string, now int64) *Value {
	v, ok := k.keys.Get(k.place(key))
	if !ok || v.expired(now) {
		return nil
	}
	return v
}

func (v *Value) expired(now int64) bool { return v.ExpireAt != 0 && v.ExpireAt <= now }

func (k *keyspace) make(key string, kind Kind, now int64) *Value {
	if v := k.live(key, now); v != nil && v.Kind == kind {
		return v
	}
	v := &Value{Kind: kind}
	switch kind {
	case Hash, Set:
		v.Fields = map[string]string{}
	case ZSet:
		v.Scores = map[string]float64{}
	case None, String, List:
	}
	k.keys.Set(k.place(key), v)
	return v
}

// apply makes the change that op describes. Operations that only travel (publish, replid) change nothing here.
func (k *keyspace) apply(op Op, now int64) error {
	switch op[0] {
	case OpSet: // key value expireAt
		expire, err := strconv.ParseInt(op[3], 10, 64)
		if err != nil {
			return fmt.Errorf("apply %q: %w", op, err)
		}
		k.keys.Set(k.place(op[1]), &Value{Kind: String, Str: op[2], ExpireAt: expire})
	case OpDelete: // key
		k.keys.Delete(k.place(op[1]))
	case OpClearSlot: // slot
		slot, err := strconv.Atoi(op[1])
		if err != nil {
			return fmt.Errorf("apply %q: %w", op, err)
		}
		k.clearSlot(slot)
	case OpExpire: // key expireAt
		expire, err := strconv.ParseInt(op[2], 10, 64)
		if err != nil {
			return fmt.Errorf("apply %q: %w", op, err)
		}
		if v, ok := k.keys.Get(k.place(op[1])); ok {
			v.ExpireAt = expire
		}
	case OpFlush:
		k.keys.Clear()
	case OpHashSet: // key field value ...
		v := k.make(op[1], Hash, now)
		for i := 2; i+1 < len(op); i += 2 {
			v.Fields[op[i]] = op[i+1]
		}
	case OpSetAdd: // key member ...
		v := k.make(op[1], Set, now)
		for _, m := range op[2:] {
			v.Fields[m] = ""
		}
	case OpFieldsDelete: // key field|member ...
		if v, ok := k.keys.Get(k.place(op[1])); ok {
			for _, f := range op[2:] {
				delete(v.Fields, f)
			}
			if len(v.Fields) == 0 {
				k.keys.Delete(k.place(op[1]))
			}
		}
	case OpPushLeft, OpPushRight: // key element ...
		v := k.make(op[1], List, now)
		added := slices.Clone(op[2:])
		if op[0] == OpPushLeft {
			slices.Reverse(added)
			v.List = append(added, v.List...)
		} else {
			v.List = append(v.List, added...)
		}
	case OpZSetAdd: // key score member ...
		v := k.make(op[1], ZSet, now)
		for i := 2; i+1 < len(op); i += 2 {
			score, err := strconv.ParseFloat(op[i], 64)
			if err != nil || math.IsNaN(score) {
				return fmt.Errorf("apply %q: score is not a number", op)
			}
			v.Scores[op[i+1]] = score
		}
	case OpPublish, OpReplID:
	default:
		return fmt.Errorf("apply: unknown operation %q", op[0])
	}
	return nil
}

// clearSlot deletes all keys of a slot, expired ones too.
func (k *keyspace) clearSlot(slot int) {
	var places []string
	end := placeIn(slot+1, "")
	k.keys.Ascend(placeIn(slot, ""), func(place string, _ *Value) bool {
		if place >= end {
			return false
		}
		places = append(places, place)
		return true
	})
	for _, place := range places {
		k.keys.Delete(place)
	}
}

// dump gives the operations that rebuild the keyspace.
func (k *keyspace) dump(emit func(Op)) {
	k.keys.Scan(func(place string, v *Value) bool {
		dumpValue(k.name(place), v, emit)
		return true
	})
}

func dumpValue(key string, v *Value, emit func(Op)) {
	switch v.Kind {
	case None:
	case String:
		emit(Op{OpSet, key, v.Str, strconv.FormatInt(v.ExpireAt, 10)})
		return
	case Hash:
		op := Op{OpHashSet, key}
		for f, val := range v.Fields {
			op = append(op, f, val)
		}
		emit(op)
	case Set:
		op := Op{OpSetAdd, key}
		for m := range v.Fields {
			op = append(op, m)
		}
		emit(op)
	case List:
		emit(append(Op{OpPushRight, key}, v.List...))
	case ZSet:
		op := Op{OpZSetAdd, key}
		for m, score := range v.Scores {
			op = append(op, strconv.FormatFloat(score, 'g', -1, 64), m)
		}
		emit(op)
	}
	if v.ExpireAt != 0 {
		emit(Op{OpExpire, key, strconv.FormatInt(v.ExpireAt, 10)})
	}
}

// Names of operations in the log.
const (
	OpSet          = "set"
	OpDelete       = "del"
	OpClearSlot    = "clearslot" // of a cluster only
	OpExpire       = "expire"
	OpFlush        = "flush"
	OpHashSet      = "hset"
	OpSetAdd       = "sadd"
	OpFieldsDelete = "fdel"
	OpPushLeft     = "lpush"
	OpPushRight    = "rpush"
	OpZSetAdd      = "zadd"
	OpPublish      = "publish"
	OpReplID       = "replid"
)
