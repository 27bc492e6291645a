package reconcile

import "time"

// flight keeps at most one question to a server on the way. A pass that has run out of patience goes on without the
// answer, and a later pass waits for the same one: one hung process must not hold up the passes of everybody else.
// The zero value is ready. It belongs to one goroutine at a time.
type flight[T any] struct{ answer chan T }

// ask puts the question, or waits for the one that is still on the way; an answer that came since the last call is old and
// is dropped. ok is false when there is no answer within patience; late is then called with it, once it comes, from
// another goroutine.
func (f *flight[T]) ask(patience time.Duration, question func() T, late func(T)) (answer T, ok bool) {
	select {
	case <-f.answer:
		f.answer = nil
	default:
	}
	if f.answer == nil {
		f.answer = make(chan T, 1)
		go deliver(f.answer, patience, question, late)
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case answer = <-f.answer:
		f.answer = nil
		return answer, true
	case <-timer.C:
		return answer, false
	}
}

func deliver[T any](to chan<- T, patience time.Duration, question func() T, late func(T)) {
	start := time.Now()
	answer := question()
	to <- answer
	if time.Since(start) > patience {
		late(answer)
	}
}
