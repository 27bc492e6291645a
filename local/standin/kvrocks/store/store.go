package store

import (
	"errors"
	"fmt"
	"io"
	"sync"
	"time"
)

// ErrNotInLog says that the log does not reach back to the sequence that was asked for.
var ErrNotInLog = errors.New("sequence is not in the log")

// Store is safe for concurrent use.
type Store struct {
	mu     sync.RWMutex
	files  *generation
	data   keyspace
	seq    uint64 // of the last record
	replID string // of the last history this data belongs to, as a restart would find it; empty if there is none
	txn    *Batch // collects the operations of a transaction
	grown  chan struct{}
}

// Open loads the store kept in dir, or starts an empty one there. slot orders the keys of a cluster; nil is no cluster.
func Open(dir string, slot SlotOf) (*Store, error) {
	s := &Store{grown: make(chan struct{}), data: keyspace{slot: slot}}
	files, err := openGeneration(dir)
	if err != nil {
		return nil, err
	}
	s.files = files
	if err := files.load(s.restore, s.replay); err != nil {
		return nil, errors.Join(fmt.Errorf("load %s: %w", dir, err), files.close())
	}
	return s, nil
}

// Close closes the files. The store must not be used afterwards.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.files.close()
}

// Sequence returns the number of the last record, 0 for a store that was never written.
func (s *Store) Sequence() uint64 {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.seq
}

// Size returns the bytes kept on disk.
func (s *Store) Size() int64 {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.files.size
}

// View runs read with the live keys; read must not keep what it sees.
func (s *Store) View(read func(Reader)) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	read(Reader{data: &s.data, seq: s.seq, now: time.Now().UnixMilli()})
}

// Update runs decide, which looks at the data and returns what to change, then changes and logs it as one batch that
// takes count sequence numbers. With count 0 nothing is changed. replID is the history the batch belongs to.
func (s *Store) Update(replID string, decide func(Reader) (ops []Op, count uint64)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now().UnixMilli()
	ops, count := decide(Reader{data: &s.data, seq: s.seq, now: now})
	if count == 0 {
		return nil
	}
	if s.txn != nil {
		s.txn.Ops = append(s.txn.Ops, ops...)
		s.txn.Count += count
		s.txn.ReplID = replID
		return s.applyAll(ops, now)
	}
	if err := s.applyAll(ops, now); err != nil {
		return err
	}
	return s.commit(Batch{Sequence: s.seq + 1, Count: count, ReplID: replID, Ops: ops})
}

// Begin makes the updates until Commit one batch. The caller keeps other writers out meanwhile.
func (s *Store) Begin() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.txn = &Batch{}
}

// Commit logs what was updated since Begin.
func (s *Store) Commit() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.txn
	s.txn = nil
	if b == nil || b.Count == 0 {
		return nil
	}
	b.Sequence = s.seq + 1
	return s.commit(*b)
}

// ApplyReplicated takes over a batch from a master, which must be the next one.
func (s *Store) ApplyReplicated(b Batch) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if b.Sequence != s.seq+1 {
		return fmt.Errorf("batch starts at %d, want %d", b.Sequence, s.seq+1)
	}
	if err := s.applyAll(b.Ops, time.Now().UnixMilli()); err != nil {
		return err
	}
	return s.commit(b)
}

func (s *Store) applyAll(ops []Op, now int64) error {
	for _, op := range ops {
		if err := s.data.apply(op, now); err != nil {
			return err
		}
		if op[0] == OpReplID {
			s.replID = op[1]
		}
	}
	return nil
}

func (s *Store) commit(b Batch) error {
	if err := s.files.append(b); err != nil {
		return fmt.Errorf("log batch %d: %w", b.Sequence, err)
	}
	s.seq = b.Last()
	close(s.grown)
	s.grown = make(chan struct{})
	return nil
}

// replay applies a batch that is already in the log.
func (s *Store) replay(b Batch) error {
	if b.Sequence != s.seq+1 {
		return fmt.Errorf("batch starts at %d, want %d", b.Sequence, s.seq+1)
	}
	s.seq = b.Last()
	return s.applyAll(b.Ops, time.Now().UnixMilli())
}

// ReplIDAt returns the history of the batch that holds seq, empty if the log does not hold it.
func (s *Store) ReplIDAt(seq uint64) string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	b, err := s.files.batchWith(seq)
	if err != nil {
		return ""
	}
	return b.ReplID
}

// LastReplID returns the last history id written into the data, which outlives the log.
func (s *Store) LastReplID() string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.replID
}

// BatchAt returns the batch that starts at seq. If seq is the next one to be written it returns a nil batch and a
// channel that is closed when the log has grown. Any other seq is ErrNotInLog.
func (s *Store) BatchAt(seq uint64) (*Batch, <-chan struct{}, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if seq == s.seq+1 {
		return nil, s.grown, nil
	}
	b, err := s.files.batchWith(seq)
	if errors.Is(err, io.EOF) || (err == nil && b.Sequence != seq) {
		return nil, nil, ErrNotInLog
	}
	if err != nil {
		return nil, nil, err
	}
	return &b, nil, nil
}
