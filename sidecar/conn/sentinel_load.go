package conn

import (
	"context"
	"errors"
	"time"

	"github.com/kvrocks/kvrocks-operator/sidecar/kvrocks"
)

const (
	// loadAge is how often a sentinel is asked for the processor time that it has used: over less than this, a moment of
	// real work would look like much.
	loadAge = 2 * time.Second
	// spinningShare is the part of a processor that a sentinel at peace does not come near: it uses less than 1 % for a few
	// instances. One that spins uses a whole one, or what the others leave it.
	spinningShare = 0.25
)

// load is how busy a sentinel is.
type load struct {
	at       time.Time     // of the last measurement; zero before the first
	used     time.Duration // by then, since the sentinel was started
	spinning bool          // between the last two
	tilt     bool          // at the last one
}

// due reports whether it is time for a measurement.
func (l *load) due(now time.Time) bool { return now.Sub(l.at) >= loadAge }

func (l *load) measured(now time.Time, stats kvrocks.SentinelStats) {
	if !l.due(now) {
		return // another pass was faster
	}
	used := stats.CPU
	l.tilt = stats.Tilt
	share := float64(used-l.used) / float64(now.Sub(l.at))
	l.spinning = share > spinningShare && !l.at.IsZero()
	l.at, l.used = now, used
}

// Loaded reports whether the sentinel uses up a processor, and whether it is in TILT. One that does not say is none the worse for
// it.
func (s *SharedSentinel) Loaded(ctx context.Context, now time.Time) (spinning, tilt bool, err error) {
	s.mu.Lock()
	due := s.load.due(now)
	s.mu.Unlock()
	var stats kvrocks.SentinelStats
	if due {
		stats, err = Ask(s, func(c Sentinel) (kvrocks.SentinelStats, error) { return c.Stats(ctx) })
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case errors.Is(err, kvrocks.ErrUnreachable) || PasswordRefused(err):
		return false, false, err
	case err != nil:
		s.load = load{}
	case due:
		s.load.measured(now, stats)
	}
	return s.load.spinning, s.load.tilt, nil
}
