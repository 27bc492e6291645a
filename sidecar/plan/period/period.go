// Package period says how soon the next pass is wanted.
package period

import "time"

// These are the times after which the next pass is wanted at the latest.
const (
	// Writes: writes are stopped, every millisecond counts.
	Writes = 10 * time.Millisecond
	// Step: the next step needs only what the node answers to the last one.
	Step = 50 * time.Millisecond
	// Moving: keys are on their way. The two nodes are busy with them, so they are not asked more often than needed.
	Moving = 200 * time.Millisecond
	// Soon: something is under way that takes about a second, such as a link or an election.
	Soon = 250 * time.Millisecond
	// Wait: another process has to do something first.
	Wait = time.Second
)
