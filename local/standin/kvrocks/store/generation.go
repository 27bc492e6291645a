package store

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"syscall"
)

// generation is a snapshot and the log of batches after it.
type generation struct {
	dir    string
	number int
	lock   *os.File
	log    *os.File
	size   int64
	index  []position // of each batch in the log, ascending
}

type position struct {
	seq    uint64
	offset int64
}

// openGeneration finds the current generation in dir and keeps other processes out of it.
func openGeneration(dir string) (*generation, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("create store: %w", err)
	}
	lock, err := os.OpenFile(filepath.Join(dir, "LOCK"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("create store: %w", err)
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("lock %s: %w", dir, err), lock.Close())
	}
	g := &generation{dir: dir, lock: lock}
	current, err := os.ReadFile(filepath.Join(dir, "CURRENT"))
	switch {
	case errors.Is(err, os.ErrNotExist):
	case err != nil:
		return nil, errors.Join(fmt.Errorf("open store: %w", err), lock.Close())
	default:
		if g.number, err = strconv.Atoi(strings.TrimSpace(string(current))); err != nil {
			return nil, errors.Join(fmt.Errorf("read CURRENT: %w", err), lock.Close())
		}
	}
	if g.log, err = os.OpenFile(g.path("log"), os.O_CREATE|os.O_RDWR, 0o644); err != nil {
		return nil, errors.Join(fmt.Errorf("open log: %w", err), lock.Close())
	}
	return g, nil
}

func (g *generation) path(kind string) string {
	return filepath.Join(g.dir, kind+"."+strconv.Itoa(g.number))
}

func (g *generation) close() error { return errors.Join(g.log.Close(), g.lock.Close()) }

// load gives the snapshot to restore and each batch after it to replay. A batch that a crash cut short was never
// acknowledged and is dropped.
func (g *generation) load(restore func([]byte) error, replay func(Batch) error) error {
	base, err := os.ReadFile(g.path("base"))
	if err == nil {
		err = restore(base)
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("snapshot: %w", err)
	}
	for {
		payload, next, err := readRecord(g.log, g.size)
		if err != nil {
			if errors.Is(err, io.ErrUnexpectedEOF) {
				return g.log.Truncate(g.size)
			}
			return nil
		}
		b, err := DecodeBatch(payload)
		if err == nil {
			err = replay(b)
		}
		if err != nil {
			return err
		}
		g.index = append(g.index, position{b.Sequence, g.size})
		g.size = next
	}
}

func (g *generation) append(b Batch) error {
	record := appendRecord(nil, b.Encode())
	if _, err := g.log.WriteAt(record, g.size); err != nil {
		return err
	}
	g.index = append(g.index, position{b.Sequence, g.size})
	g.size += int64(len(record))
	return nil
}

// batchWith returns the batch that holds seq, io.EOF if the log has none.
func (g *generation) batchWith(seq uint64) (Batch, error) {
	i := sort.Search(len(g.index), func(i int) bool { return g.index[i].seq > seq }) - 1
	if i < 0 {
		return Batch{}, io.EOF
	}
	payload, _, err := readRecord(g.log, g.index[i].offset)
	if err != nil {
		return Batch{}, fmt.Errorf("read log: %w", err)
	}
	b, err := DecodeBatch(payload)
	if err == nil && seq > b.Last() {
		return Batch{}, io.EOF
	}
	return b, err
}

// replace starts the next generation with a snapshot and an empty log.
func (g *generation) replace(snapshot []byte) error {
	next := &generation{dir: g.dir, number: g.number + 1, lock: g.lock}
	if err := os.WriteFile(next.path("base"), snapshot, 0o644); err != nil {
		return fmt.Errorf("write snapshot: %w", err)
	}
	log, err := os.OpenFile(next.path("log"), os.O_CREATE|os.O_TRUNC|os.O_RDWR, 0o644)
	if err != nil {
		return fmt.Errorf("start log: %w", err)
	}
	next.log = log
	tmp := filepath.Join(g.dir, "CURRENT.tmp")
	err = os.WriteFile(tmp, []byte(strconv.Itoa(next.number)+"\n"), 0o644)
	if err == nil {
		err = os.Rename(tmp, filepath.Join(g.dir, "CURRENT"))
	}
	if err != nil {
		return errors.Join(fmt.Errorf("switch generation: %w", err), log.Close())
	}
	old := *g
	*g = *next
	// A crash before these leaves two stale files; nothing reads them.
	return errors.Join(old.log.Close(), os.Remove(old.path("log")), ignoreMissing(os.Remove(old.path("base"))))
}

func ignoreMissing(err error) error {
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}
