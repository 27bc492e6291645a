package lag

import "time"

// historySteps is how many marks of a window are kept: the age of what Before returns exceeds the window by at most a part of
// so many.
const historySteps = 12

// History remembers what a master had at moments of the past, so that it can be known that a replica lacks what its
// master has had for some time. The caller keeps one for every node; the zero value is an empty one.
type History struct{ marks []mark }

type mark struct {
	at       time.Time
	sequence int64
}

// Note adds what the master has now. The marks are of one process while it is master: the caller forgets the history when that ends.
func (t *History) Note(now time.Time, sequence int64, window time.Duration) {
	if n := len(t.marks); n == 0 || now.Sub(t.marks[n-1].at) >= window/historySteps {
		t.marks = append(t.marks, mark{now, sequence})
	}
	for len(t.marks) > 1 && now.Sub(t.marks[1].at) >= window {
		t.marks = t.marks[1:]
	}
}

// Before returns what the master had when the window began; 0 when it was not known then.
func (t *History) Before(now time.Time, window time.Duration) int64 {
	if len(t.marks) == 0 || now.Sub(t.marks[0].at) < window {
		return 0
	}
	return t.marks[0].sequence
}
