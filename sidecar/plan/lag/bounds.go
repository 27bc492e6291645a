package lag

import (
	"fmt"
	"time"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

// Bounds say how far behind its master a replica may be, and what a promotion may lose; see v1alpha1.Failover.
type Bounds struct {
	// writes and age bound what is in sync.
	writes int64
	age    time.Duration
	// LostWrites bounds what a promotion may lose; nil means that it may lose anything.
	LostWrites *int64
}

// BoundsOf returns those of the settings, which have their defaults.
func BoundsOf(f *v1alpha1.Failover) Bounds {
	return Bounds{writes: f.MaxLagWrites, age: age(f), LostWrites: f.MaxLostWrites}
}

// Max returns how long a replica may lack a write that its master has; f may be nil.
func Max(f *v1alpha1.Failover) time.Duration { return age(f.WithDefaults()) }

func age(f *v1alpha1.Failover) time.Duration { return time.Duration(f.MaxLagSeconds) * time.Second }

// CaughtUp returns the lag at which a member that was not in sync is again: its distance from the bound keeps it from coming and
// going. A busy master is always some thousand writes ahead.
func (b *Bounds) CaughtUp() int64 { return max(Noise, b.writes/10) }

// Exceeded reports whether a replica with this sequence is further behind its master, which had before as long ago as a write may be
// lacked, than a member in sync may be.
func (b *Bounds) Exceeded(sequence, master, before int64) bool {
	return master-sequence > b.writes || sequence < before
}

// Text says how far behind its master a replica with this lag is, in figures that stay while the report does.
func (b *Bounds) Text(lag int64) string {
	if lag > b.writes {
		return fmt.Sprintf("by about %d writes", Round(lag))
	}
	return fmt.Sprintf("for more than %s", b.age)
}
