package kvrocks

import (
	"context"
	"fmt"
	"strconv"

	"github.com/kvrocks/kvrocks-operator/api/slots"
)

// TooMany is the result of a count that was given up.
const TooMany = -1

// scanPage is how many keys one SCAN reads. A thousand take about a millisecond.
const scanPage = 1000

// noKey is the beginning of no key. SCAN looks for keys that begin with it in 50 slots and then gives a cursor to the next
// key behind them, without having read the keys between.
const noKey = "\xff\xffkvrocks-operator\xff"

// CountKeys counts the keys in some slots, on a master or a replica, whichever shard owns the slots. It stops beyond most keys
// and then returns TooMany. Keys that have expired do not count, and neither do keys in namespaces of kvrocks.
//
// kvrocks 2.10 counts no keys of slots, but it keeps the keys of a cluster in the order of their slots and SCAN walks them
// in that order. A cursor cannot be made, only taken from an answer. So the way to the first slot is made in leaps of 50
// slots, which read one key each, and then the keys are read in pages. Each page is an operation with its own timeout.
func (n *Node) CountKeys(ctx context.Context, which slots.Range, most int64) (int64, error) {
	hasher := slots.NewHasher()
	cursor, err := n.before(ctx, which.First, hasher)
	if err != nil {
		return 0, err
	}
	var count int64
	for {
		page, err := n.scan(ctx, cursor, "COUNT", strconv.Itoa(scanPage))
		if err != nil {
			return 0, err
		}
		for _, key := range page.keys {
			switch slot := hasher.Slot(key); {
			case slot > which.Last:
				return count, nil
			case slot >= which.First:
				count++
			}
		}
		if count > most {
			return TooMany, nil
		}
		if page.cursor == start {
			return count, nil
		}
		cursor = page.cursor
	}
}

// start is the cursor that SCAN begins with, and the one that it ends with.
const start = "0"

// before returns a cursor to a key in a lower slot, or to the beginning, with less than 100 slots between.
func (n *Node) before(ctx context.Context, slot int, hasher *slots.Hasher) (string, error) {
	cursor := start
	for {
		leap, err := n.scan(ctx, cursor, "MATCH", noKey+"*")
		if err != nil {
			return "", err
		}
		if leap.cursor == start { // there is nothing behind
			return cursor, nil
		}
		// The key that the leap ended at is known only to the server; the one behind it shows where that is.
		next, err := n.scan(ctx, leap.cursor, "COUNT", "1")
		if err != nil {
			return "", err
		}
		if len(next.keys) == 0 || hasher.Slot(next.keys[0]) >= slot {
			return cursor, nil
		}
		if next.cursor == start { // that was the last key
			return leap.cursor, nil
		}
		cursor = next.cursor
	}
}

type scanned struct {
	cursor string
	keys   []string
}

// scan sends one SCAN.
func (n *Node) scan(ctx context.Context, cursor string, options ...any) (scanned, error) {
	var s scanned
	err := n.conn.run(ctx, operation{name: "SCAN"}, func(ctx context.Context) error {
		// Raw, because cursors of kvrocks may be something else than numbers.
		reply, err := n.conn.client.Do(ctx, append([]any{"SCAN", cursor}, options...)...).Slice()
		if err != nil {
			return err
		}
		s, err = readScan(reply)
		return err
	})
	return s, err
}

// readScan reads [cursor, keys].
func readScan(reply []any) (scanned, error) {
	if len(reply) != 2 {
		return scanned{}, fmt.Errorf("SCAN answered %d elements, want 2", len(reply))
	}
	cursor, okCursor := reply[0].(string)
	keys, okKeys := reply[1].([]any)
	if !okCursor || !okKeys {
		return scanned{}, fmt.Errorf("SCAN answered %T and %T, want a cursor and keys", reply[0], reply[1])
	}
	s := scanned{cursor: cursor, keys: make([]string, len(keys))}
	for i, key := range keys {
		var ok bool
		if s.keys[i], ok = key.(string); !ok {
			return scanned{}, fmt.Errorf("SCAN answered a key that is %T", key)
		}
	}
	return s, nil
}
