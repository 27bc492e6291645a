package conn

import (
	"errors"
	"sync"
	"sync/atomic"

	"github.com/kvrocks/kvrocks-operator/sidecar/kvrocks"
)

// Passwords are what may open a server.
type Passwords struct {
	// Wanted is the password that every node should have; empty when none is wanted.
	Wanted kvrocks.Secret
	// Previous is the one before; empty when unknown.
	Previous kvrocks.Secret
}

// candidates in the order in which they are tried.
func (p Passwords) candidates() []kvrocks.Secret {
	list := []kvrocks.Secret{p.Wanted}
	if p.Previous != "" && p.Previous != p.Wanted {
		list = append(list, p.Previous)
	}
	if p.Wanted != "" {
		list = append(list, "") // a node that was started without any
	}
	return list
}

// Session is one connection and the password that opens it.
type Session[C interface{ Close() error }] struct {
	// Dial opens the connection; it is set before the first use.
	Dial func(kvrocks.Secret) C

	mu     sync.Mutex
	conn   C
	opened bool
	used   kvrocks.Secret
	tried  Passwords // that used was chosen from
	// proved is the last password that the server took; nil before the first answer. It can be read without waiting for a call.
	proved atomic.Pointer[kvrocks.Secret]
}

// Do runs f on the connection. It opens one when there is none, finds the password that the server takes, and repeats f
// once when the connection had been closed by the other side in the meantime; so f must be idempotent.
func (s *Session[C]) Do(p Passwords, f func(C) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.opened || s.tried != p {
		s.open(p, p.Wanted)
	}
	err := f(s.conn)
	if closedByPeer(err) {
		err = f(s.conn)
	}
	if !PasswordRefused(err) {
		s.prove(err)
		return err
	}
	first := err
	for _, candidate := range p.candidates() {
		s.open(p, candidate)
		if err = f(s.conn); !PasswordRefused(err) {
			s.prove(err)
			return err
		}
	}
	s.open(p, p.Wanted)
	return first
}

// prove notes that the server took the password, when a call was answered without an error.
func (s *Session[C]) prove(err error) {
	if used := s.used; err == nil {
		s.proved.Store(&used)
	}
}

// Stale reports whether the server was opened with something other than the wanted password.
func (s *Session[C]) Stale() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.opened && s.used != s.tried.Wanted
}

// Accepted returns the password that the server took, or the wanted one when it was not asked yet.
func (s *Session[C]) Accepted(p Passwords) kvrocks.Secret {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.opened && s.tried == p {
		return s.used
	}
	return p.Wanted
}

// Close ends the connection. The next Do opens a new one.
func (s *Session[C]) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.drop()
}

func (s *Session[C]) open(p Passwords, use kvrocks.Secret) {
	s.drop()
	s.conn, s.opened, s.used, s.tried = s.Dial(use), true, use, p
}

func (s *Session[C]) drop() {
	if s.opened {
		_ = s.conn.Close() // nothing to do about a connection that does not even close
	}
	var none C
	s.conn, s.opened = none, false
}

// PasswordRefused reports whether a server did not take the password.
func PasswordRefused(err error) bool {
	return errors.Is(err, kvrocks.ErrWrongPassword) || errors.Is(err, kvrocks.ErrNoAuth) ||
		errors.Is(err, kvrocks.ErrNoPasswordSet)
}

// closedByPeer reports whether err is that of an established connection that broke, and not of a server that cannot be reached.
func closedByPeer(err error) bool {
	return errors.Is(err, kvrocks.ErrUnreachable) && !errors.Is(err, kvrocks.ErrRefused) &&
		!errors.Is(err, kvrocks.ErrTimeout)
}
