package conn

import "time"

// Inflight keeps at most one question to a server on the way. A pass that has waited long enough goes on without the answer,
// and a later pass waits for the same one: one unresponsive process must not hold up the passes of other instances.
// The zero value is ready. It belongs to one goroutine at a time.
type Inflight[T any] struct{ answer chan T }

// Ask puts the question, or waits for the one that is still on the way; an answer that came since the last call is old and
// is dropped. ok is false when there is no answer within timeout; onLate is then called with it, once it comes, from
// another goroutine.
func (f *Inflight[T]) Ask(timeout time.Duration, question func() T, onLate func(T)) (answer T, ok bool) {
	select {
	case <-f.answer:
		f.answer = nil
	default:
	}
	if f.answer == nil {
		f.answer = make(chan T, 1)
		go deliver(f.answer, timeout, question, onLate)
	}
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	select {
	case answer = <-f.answer:
		f.answer = nil
		return answer, true
	case <-timer.C:
		return answer, false
	}
}

func deliver[T any](to chan<- T, timeout time.Duration, question func() T, onLate func(T)) {
	start := time.Now()
	answer := question()
	to <- answer
	if time.Since(start) > timeout {
		onLate(answer)
	}
}
