package store

import (
	"fmt"
	"time"
)

// Snapshot returns the whole store, as Restore and a replica take it.
func (s *Store) Snapshot() []byte {
	s.mu.RLock()
	defer s.mu.RUnlock()
	// One batch whose sequence is the last record's: its operations rebuild the data.
	b := Batch{Sequence: s.seq, ReplID: s.replID}
	s.data.dump(func(op Op) { b.Ops = append(b.Ops, op) })
	return b.Encode()
}

// Restore replaces everything by a snapshot. The log starts empty after it, so this node cannot bring a replica up to
// date from before that point.
func (s *Store) Restore(snapshot []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.files.replace(snapshot); err != nil {
		return err
	}
	return s.restore(snapshot)
}

// Clear drops all data and the sequence, as a replica does that empties itself before a full sync.
func (s *Store) Clear() error { return s.Restore(Batch{}.Encode()) }

func (s *Store) restore(snapshot []byte) error {
	b, err := DecodeBatch(snapshot)
	if err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	s.data = keyspace{slot: s.data.slot}
	s.seq, s.replID = b.Sequence, b.ReplID
	return s.applyAll(b.Ops, time.Now().UnixMilli())
}
