package store_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kvrocks/kvrocks-operator/local/standin/kvrocks/store"
)

const (
	history      = "AAAAAAAAAAAAAAAA"
	otherHistory = "BBBBBBBBBBBBBBBB"
)

func open(t *testing.T, dir string) *store.Store {
	t.Helper()
	s, err := store.Open(dir, nil)
	require.NoError(t, err)
	return s
}

func set(t *testing.T, s *store.Store, key, value string) {
	t.Helper()
	write(t, s, history, 1, store.Op{store.OpSet, key, value, "0"})
}

func write(t *testing.T, s *store.Store, replID string, count uint64, ops ...store.Op) {
	t.Helper()
	require.NoError(t, s.Update(replID, func(store.Reader) ([]store.Op, uint64) { return ops, count }))
}

func get(s *store.Store, key string) (value string) {
	s.View(func(r store.Reader) {
		if v := r.Get(key); v != nil {
			value = v.Str
		}
	})
	return value
}

func TestReopenFindsDataSequenceAndHistory(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	write(t, s, history, 1, store.Op{store.OpReplID, history})
	set(t, s, "a", "1")
	write(t, s, history, 3, store.Op{store.OpHashSet, "h", "f1", "v1", "f2", "v2"})
	require.NoError(t, s.Close())

	s = open(t, dir)
	defer func() { _ = s.Close() }()
	assert.Equal(t, uint64(5), s.Sequence())
	assert.Equal(t, "1", get(s, "a"))
	assert.Equal(t, history, s.LastReplID())
	assert.Equal(t, history, s.ReplIDAt(4), "within the batch of 3..5")
	assert.Empty(t, s.ReplIDAt(6))
	assert.Empty(t, s.ReplIDAt(0))
}

func TestATornRecordIsDropped(t *testing.T) {
	for name, damage := range map[string]func([]byte) []byte{
		"cut in the payload": func(log []byte) []byte { return log[:len(log)-3] },
		"cut in the header":  func(log []byte) []byte { return append(log, 1, 2, 3) },
		"wrong bytes":        func(log []byte) []byte { log[len(log)-3] ^= 0xff; return log },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			s := open(t, dir)
			set(t, s, "a", "1")
			set(t, s, "b", "2")
			require.NoError(t, s.Close())
			path := filepath.Join(dir, "log.0")
			log, err := os.ReadFile(path)
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(path, damage(log), 0o644))

			s = open(t, dir)
			defer func() { _ = s.Close() }()
			assert.Equal(t, "1", get(s, "a"))
			set(t, s, "c", "3")
			seq := s.Sequence()
			require.NoError(t, s.Close())
			s = open(t, dir)
			assert.Equal(t, seq, s.Sequence())
			assert.Equal(t, "3", get(s, "c"), "the log goes on after what was good")
		})
	}
}

func TestSecondProcessIsKeptOut(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	defer func() { _ = s.Close() }()
	_, err := store.Open(dir, nil)
	assert.ErrorContains(t, err, "lock")
}

func TestTransactionIsOneBatch(t *testing.T) {
	s := open(t, t.TempDir())
	defer func() { _ = s.Close() }()
	s.Begin()
	set(t, s, "a", "1")
	set(t, s, "b", "2")
	assert.Equal(t, "1", get(s, "a"), "visible at once")
	assert.Zero(t, s.Sequence())
	require.NoError(t, s.Commit())
	assert.Equal(t, uint64(2), s.Sequence())
	batch, _, err := s.BatchAt(1)
	require.NoError(t, err)
	assert.Len(t, batch.Ops, 2)
	_, _, err = s.BatchAt(2)
	require.ErrorIs(t, err, store.ErrNotInLog, "in the middle of a batch")

	s.Begin()
	require.NoError(t, s.Commit())
	assert.Equal(t, uint64(2), s.Sequence(), "an empty transaction takes no number")
}

func TestFollowerReadsTheLog(t *testing.T) {
	s := open(t, t.TempDir())
	defer func() { _ = s.Close() }()
	set(t, s, "a", "1")
	_, grown, err := s.BatchAt(2)
	require.NoError(t, err)
	select {
	case <-grown:
		require.Fail(t, "nothing was written")
	default:
	}
	set(t, s, "b", "2")
	<-grown
	batch, _, err := s.BatchAt(2)
	require.NoError(t, err)
	assert.Equal(t, []store.Op{{store.OpSet, "b", "2", "0"}}, batch.Ops)
	_, _, err = s.BatchAt(9)
	require.ErrorIs(t, err, store.ErrNotInLog)
}

func TestReplicaAppliesOnlyTheNextBatch(t *testing.T) {
	master, replica := open(t, t.TempDir()), open(t, t.TempDir())
	defer func() { _ = master.Close() }()
	defer func() { _ = replica.Close() }()
	set(t, master, "a", "1")
	set(t, master, "b", "2")
	first, _, err := master.BatchAt(1)
	require.NoError(t, err)
	second, _, err := master.BatchAt(2)
	require.NoError(t, err)
	require.ErrorContains(t, replica.ApplyReplicated(*second), "batch starts at 2, want 1")
	require.NoError(t, replica.ApplyReplicated(*first))
	require.NoError(t, replica.ApplyReplicated(*second))
	assert.Equal(t, "2", get(replica, "b"))
	assert.Equal(t, history, replica.ReplIDAt(2))
}

func TestRestoreReplacesEverythingForGood(t *testing.T) {
	source, dir := open(t, t.TempDir()), t.TempDir()
	defer func() { _ = source.Close() }()
	write(t, source, history, 1, store.Op{store.OpReplID, history})
	write(t, source, history, 1, store.Op{store.OpSet, "s", "v", "99999999999999"})
	write(t, source, history, 3, store.Op{store.OpHashSet, "h", "f", "v"}, store.Op{store.OpExpire, "h", "99999999999999"})
	write(t, source, history, 3, store.Op{store.OpPushRight, "l", "a", "b"}, store.Op{store.OpPushLeft, "l", "x", "y"})
	write(t, source, history, 2, store.Op{store.OpZSetAdd, "z", "1.5", "m"}, store.Op{store.OpSetAdd, "m", "e"})

	s := open(t, dir)
	write(t, s, otherHistory, 1, store.Op{store.OpReplID, otherHistory})
	set(t, s, "own", "v")
	require.NoError(t, s.Restore(source.Snapshot()))
	for range 2 {
		assert.Equal(t, source.Sequence(), s.Sequence())
		assert.Equal(t, history, s.LastReplID())
		assert.Empty(t, get(s, "own"))
		assert.Empty(t, s.ReplIDAt(s.Sequence()), "the log starts empty")
		s.View(func(r store.Reader) {
			assert.Equal(t, "v", r.Get("s").Str)
			assert.Equal(t, int64(99999999999999), r.Get("s").ExpireAt)
			assert.Equal(t, map[string]string{"f": "v"}, r.Get("h").Fields)
			assert.Equal(t, int64(99999999999999), r.Get("h").ExpireAt)
			assert.Equal(t, []string{"y", "x", "a", "b"}, r.Get("l").List)
			assert.Equal(t, map[string]float64{"m": 1.5}, r.Get("z").Scores)
			assert.Equal(t, store.Set, r.Kind("m"))
		})
		require.NoError(t, s.Close())
		s = open(t, dir)
	}
	require.NoError(t, s.Clear())
	assert.Zero(t, s.Sequence())
	require.NoError(t, s.Close())
}

func TestKeysInOrder(t *testing.T) {
	s := open(t, t.TempDir())
	defer func() { _ = s.Close() }()
	for _, key := range []string{"b", "a2", "a1", "a3", "c"} {
		set(t, s, key, "v")
	}
	write(t, s, history, 1, store.Op{store.OpSet, "a4", "expired", "1"})
	for _, step := range []struct {
		prefix, after string
		want          []string
	}{
		{"", "", []string{"a1", "a2", "a3", "b", "c"}},
		{"a", "", []string{"a1", "a2", "a3"}},
		{"a", "a1", []string{"a2", "a3"}},
		{"", "a3", []string{"b", "c"}},
		{"x", "", nil},
	} {
		var got []string
		s.View(func(r store.Reader) {
			r.Keys(step.prefix, step.after, func(key string, _ *store.Value) bool {
				got = append(got, key)
				return true
			})
		})
		assert.Equal(t, step.want, got, "%q after %q", step.prefix, step.after)
	}
}

func FuzzDecodeBatch(f *testing.F) {
	f.Add(store.Batch{Sequence: 7, Count: 2, ReplID: history, Ops: []store.Op{{store.OpSet, "k", "v", "0"}}}.Encode())
	f.Add([]byte("*3\r\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		b, err := store.DecodeBatch(data)
		if err != nil {
			return
		}
		again, err := store.DecodeBatch(b.Encode())
		require.NoError(t, err)
		assert.Equal(t, b, again)
	})
}

func TestSlotIsClearedWithoutItsNeighbours(t *testing.T) {
	dir := t.TempDir()
	slotOf := func(key string) int { return int(key[0]-'a') * 256 }
	s, err := store.Open(dir, slotOf)
	require.NoError(t, err)
	for _, key := range []string{"a1", "b1", "b2", "c1"} {
		set(t, s, key, "v")
	}
	write(t, s, history, 1, store.Op{store.OpClearSlot, "256"})
	keys := func() (all []string) {
		s.View(func(r store.Reader) {
			r.Keys("", "", func(key string, _ *store.Value) bool {
				all = append(all, key)
				return true
			})
		})
		return all
	}
	assert.Equal(t, []string{"a1", "c1"}, keys())
	require.NoError(t, s.Close())
	s, err = store.Open(dir, slotOf)
	require.NoError(t, err)
	defer func() { _ = s.Close() }()
	assert.Equal(t, []string{"a1", "c1"}, keys())
}
