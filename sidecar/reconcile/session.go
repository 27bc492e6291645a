package reconcile

import (
	"errors"
	"sync"
	"sync/atomic"

	"github.com/kvrocks/kvrocks-operator/sidecar/kvrocks"
)

// passwords are what may open a server.
type passwords struct {
	// wanted is the password that every node should have; empty when none is wanted.
	wanted kvrocks.Secret
	// previous is the one before; empty when unknown.
	previous kvrocks.Secret
}

// candidates in the order in which they are tried.
func (p passwords) candidates() []kvrocks.Secret {
	list := []kvrocks.Secret{p.wanted}
	if p.previous != "" && p.previous != p.wanted {
		list = append(list, p.previous)
	}
	if p.wanted != "" {
		list = append(list, "") // a node that was started without any
	}
	return list
}

// session is one connection and the password that opens it.
type session[C interface{ Close() error }] struct {
	dial func(kvrocks.Secret) C

	mu     sync.Mutex
	conn   C
	opened bool
	used   kvrocks.Secret
	tried  passwords // that used was chosen from
	// proved is the last password that the server took; nil before the first answer. It can be read without waiting for a call.
	proved atomic.Pointer[kvrocks.Secret]
}

// do runs f on the connection. It opens one when there is none, finds the password that the server takes, and repeats f
// once when the connection had been closed by the other side in the meantime; so f must be idempotent.
func (s *session[C]) do(p passwords, f func(C) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.opened || s.tried != p {
		s.open(p, p.wanted)
	}
	err := f(s.conn)
	if closedByPeer(err) {
		err = f(s.conn)
	}
	if !passwordRefused(err) {
		s.prove(err)
		return err
	}
	first := err
	for _, candidate := range p.candidates() {
		s.open(p, candidate)
		if err = f(s.conn); !passwordRefused(err) {
			s.prove(err)
			return err
		}
	}
	s.open(p, p.wanted)
	return first
}

// prove notes that the server took the password, when a call was answered without an error.
func (s *session[C]) prove(err error) {
	if used := s.used; err == nil {
		s.proved.Store(&used)
	}
}

// stale reports whether the server was opened with something other than the wanted password.
func (s *session[C]) stale() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.opened && s.used != s.tried.wanted
}

// accepted returns the password that the server took, or the wanted one when it was not asked yet.
func (s *session[C]) accepted(p passwords) kvrocks.Secret {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.opened && s.tried == p {
		return s.used
	}
	return p.wanted
}

// close ends the connection. The next do opens a new one.
func (s *session[C]) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.drop()
}

func (s *session[C]) open(p passwords, use kvrocks.Secret) {
	s.drop()
	s.conn, s.opened, s.used, s.tried = s.dial(use), true, use, p
}

func (s *session[C]) drop() {
	if s.opened {
		_ = s.conn.Close() // nothing to do about a connection that does not even close
	}
	var none C
	s.conn, s.opened = none, false
}

func passwordRefused(err error) bool {
	return errors.Is(err, kvrocks.ErrWrongPassword) || errors.Is(err, kvrocks.ErrNoAuth) ||
		errors.Is(err, kvrocks.ErrNoPasswordSet)
}

// closedByPeer reports whether err is that of an established connection that broke, and not of a server that cannot be reached.
func closedByPeer(err error) bool {
	return errors.Is(err, kvrocks.ErrUnreachable) && !errors.Is(err, kvrocks.ErrRefused) &&
		!errors.Is(err, kvrocks.ErrTimeout)
}
