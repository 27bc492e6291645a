// Package lag says how far behind its master a replica may be, which lags are worth reporting, and remembers what a master had.
package lag

// Noise is the lag, in sequence numbers, below which it is not reported: nodes are not observed at the same
// instant, and a busy master is some thousand writes further by the time the next one answers.
const Noise = 10_000

// Same reports whether two lags are reported as one.
func Same(a, b int64) bool {
	a, b = max(a, Noise), max(b, Noise)
	return a < 2*b && b < 2*a
}

// SameSequence reports whether the sequence before still tells an old copy of the volume from the volume: it has not fallen,
// as it does after a full sync, nor grown by more than a quarter.
func SameSequence(before, now int64) bool {
	return now >= before && now-before <= max(before/4, Noise)
}

// Round keeps the first two digits.
func Round(n int64) int64 {
	unit := int64(1)
	for n/unit >= 100 {
		unit *= 10
	}
	return n / unit * unit
}
