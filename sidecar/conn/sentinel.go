package conn

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/kvrocks/kvrocks-operator/sidecar/kvrocks"
)

// SharedSentinel is the connection to one sentinel pod and its subscription. All instances that it monitors share it.
type SharedSentinel struct {
	addr    string
	session Session[Sentinel]
	stop    context.CancelFunc // ends the subscription

	mu sync.Mutex
	// odown is when +odown came for a master name that is down now.
	odown map[string]time.Time
	// givenPasswords are the passwords that this process gave the sentinel, by master name.
	givenPasswords map[string]kvrocks.Secret
	// unresponsive is true when it left the last question unanswered.
	unresponsive bool
	passwords    Passwords
	load         load
	// listening is the password of the subscription.
	listening kvrocks.Secret
}

func newSharedSentinel(addr string, dial func(kvrocks.Secret) Sentinel) *SharedSentinel {
	return &SharedSentinel{
		addr:           addr,
		session:        Session[Sentinel]{Dial: dial},
		stop:           func() {},
		odown:          map[string]time.Time{},
		givenPasswords: map[string]kvrocks.Secret{},
	}
}

// noteEvent remembers what an event says about a master.
func (s *SharedSentinel) noteEvent(e kvrocks.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch e.Name {
	case kvrocks.EventODown:
		if _, known := s.odown[e.Master]; !known {
			s.odown[e.Master] = e.At
		}
	case kvrocks.EventODownOver, kvrocks.EventSwitchMaster, kvrocks.EventUnmonitor:
		delete(s.odown, e.Master)
	case kvrocks.EventTilt, kvrocks.EventTiltOver:
		s.load.tilt = e.Name == kvrocks.EventTilt
	}
}

// ODownAt returns when +odown came for a master that is down now; zero when it did not.
func (s *SharedSentinel) ODownAt(name string) time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.odown[name]
}

// AuthApplied reports whether this process gave the sentinel the password for the name. After a restart of this process it
// is unknown and counts as not given: giving it again is harmless.
func (s *SharedSentinel) AuthApplied(name string, wanted kvrocks.Secret) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	given, known := s.givenPasswords[name]
	return given == wanted && (known || wanted == "")
}

// NoteGivenPassword remembers that the sentinel was given the password for the name.
func (s *SharedSentinel) NoteGivenPassword(name string, password kvrocks.Secret) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.givenPasswords[name] = password
}

// ForgetMaster drops what is remembered of a name that the sentinel does not monitor any more.
func (s *SharedSentinel) ForgetMaster(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.givenPasswords, name)
	delete(s.odown, name)
}

// Wanted returns the password that the sentinel should take; empty when none is wanted.
func (s *SharedSentinel) Wanted() kvrocks.Secret {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.passwords.Wanted
}

// GivePassword carries out one step of a change of the sentinel's own password. The connection is then made again, with the
// password that is wanted.
func (s *SharedSentinel) GivePassword(ctx context.Context, step func(Sentinel, context.Context, kvrocks.Secret) error) error {
	wanted := s.Wanted()
	if err := s.Do(func(c Sentinel) error { return step(c, ctx, wanted) }); err != nil {
		return err
	}
	s.session.Close()
	return nil
}

// Do runs f on the connection.
func (s *SharedSentinel) Do(f func(Sentinel) error) error {
	s.mu.Lock()
	p := s.passwords
	s.mu.Unlock()
	err := s.session.Do(p, f)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unresponsive = errors.Is(err, kvrocks.ErrTimeout)
	return err
}

// Ask puts a question over the connection.
func Ask[T any](s *SharedSentinel, question func(Sentinel) (T, error)) (answer T, err error) {
	err = s.Do(func(c Sentinel) (err error) {
		answer, err = question(c)
		return err
	})
	return answer, err
}

// Unresponsive reports whether the sentinel left the last question unanswered.
func (s *SharedSentinel) Unresponsive() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.unresponsive
}

func (s *SharedSentinel) close() {
	s.stop()
	s.session.Close()
}
