package server

import (
	"maps"
	"slices"
	"sync"
	"time"
)

// stats counts what INFO reports.
type stats struct {
	mu                             sync.Mutex
	calls                          map[string]callStat
	total                          uint64
	fullSyncs, psyncOK, psyncError int
	hits, misses                   int
}

type callStat struct {
	calls uint64
	time  time.Duration
}

func (st *stats) record(name string, took time.Duration) {
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.calls == nil {
		st.calls = map[string]callStat{}
	}
	c := st.calls[name]
	st.calls[name] = callStat{c.calls + 1, c.time + took}
	st.total++
}

// count adds one to a counter of this struct.
func (st *stats) count(counter *int) {
	st.mu.Lock()
	defer st.mu.Unlock()
	*counter++
}

// names returns the commands that were called, ordered.
func (st *stats) names() []string { return slices.Sorted(maps.Keys(st.calls)) }

// sizes is what the last DBSIZE SCAN found; DBSIZE knows no more than that.
type sizes struct {
	mu            sync.Mutex
	at            time.Time
	keys, expires int
	avgTTL        int64
	expired       int
}

// cursors gives SCAN its numeric cursors: each stands for the key to go on after.
type cursors struct {
	mu   sync.Mutex
	next uint64
	keys map[uint64]string
}

// cursorLimit is how many cursors are remembered; the real program keeps 16384 as well.
const cursorLimit = 16384

func (cs *cursors) remember(key string) uint64 {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	if cs.keys == nil {
		cs.keys = map[uint64]string{}
	}
	cs.next++
	delete(cs.keys, cs.next-min(cs.next, cursorLimit))
	cs.keys[cs.next] = key
	return cs.next
}

// key returns what a cursor stands for; unknown ones start from the beginning.
func (cs *cursors) key(cursor uint64) string {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	return cs.keys[cursor]
}
