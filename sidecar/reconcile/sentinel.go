package reconcile

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/kvrocks/kvrocks-operator/sidecar/kvrocks"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan"
)

// sentinel is the connection to one sentinel pod and its subscription. All instances that it monitors share it.
type sentinel struct {
	pod, addr string
	session   session[Sentinel]
	stop      context.CancelFunc // ends the subscription

	mu sync.Mutex
	// odown is when +odown came for a master name that is down now.
	odown map[string]time.Time
	// givenPasswords are the passwords that this process gave the sentinel, by master name.
	givenPasswords map[string]kvrocks.Secret
	// unresponsiveSince is when it first left a question unanswered; zero while it answers.
	unresponsiveSince time.Time
	passwords         passwords
	load              load
	// listening is the password of the subscription.
	listening kvrocks.Secret
}

func newSentinel(pod, addr string, dial func(kvrocks.Secret) Sentinel) *sentinel {
	return &sentinel{
		pod: pod, addr: addr,
		session:        session[Sentinel]{dial: dial},
		stop:           func() {},
		odown:          map[string]time.Time{},
		givenPasswords: map[string]kvrocks.Secret{},
	}
}

// noteEvent remembers what an event says about a master.
func (s *sentinel) noteEvent(e kvrocks.Event) {
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

func (s *sentinel) odownAt(name string) time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.odown[name]
}

// authApplied reports whether this process gave the sentinel the password for the name. After a restart of this process it
// is unknown and counts as not given: giving it again is harmless.
func (s *sentinel) authApplied(name string, wanted kvrocks.Secret) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	given, known := s.givenPasswords[name]
	return given == wanted && (known || wanted == "")
}

func (s *sentinel) noteGivenPassword(name string, password kvrocks.Secret) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.givenPasswords[name] = password
}

func (s *sentinel) forgetMaster(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.givenPasswords, name)
	delete(s.odown, name)
}

// do runs f on the connection.
func (s *sentinel) do(f func(Sentinel) error) error {
	s.mu.Lock()
	p := s.passwords
	s.mu.Unlock()
	err := s.session.do(p, f)
	s.mu.Lock()
	defer s.mu.Unlock()
	if errors.Is(err, kvrocks.ErrTimeout) {
		if s.unresponsiveSince.IsZero() {
			s.unresponsiveSince = time.Now()
		}
	} else {
		s.unresponsiveSince = time.Time{}
	}
	return err
}

func (s *sentinel) unresponsive() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.unresponsiveSince.IsZero()
}

func (s *sentinel) close() {
	s.stop()
	s.session.close()
}

// sentinelView is what is remembered of one sentinel's view of one instance between passes.
type sentinelView struct {
	conn    *sentinel
	asking  inflight[viewAnswer]
	last    plan.SentinelView
	details map[string]masterDetails
	// renewed is when the sentinel's connections to the nodes of the instance were last ended.
	renewed time.Time
}

// masterDetails are asked rarely while the counts in the master's own entry stay the same.
type masterDetails struct {
	peers, replicas []string
	counts          [2]int
	at              time.Time
}

type viewAnswer struct {
	masters map[string]plan.MasterView
	details map[string]masterDetails
	// spinning: it uses up a processor; tilt: it is in TILT.
	spinning, tilt bool
	// access is nil when it was not asked or does not say.
	access *plan.SentinelAccess
	err    error
}
