package layout

import "github.com/kvrocks/kvrocks-operator/api/slots"

// SlotMove is a move of slots as one end reports it.
type SlotMove struct {
	Slots slots.Range
	// To is the id of the destination; empty on the incoming side, which does not say.
	To    string
	State MoveState
}

// MoveState is how far a node says a move of slots is.
type MoveState string

// The states of a move, the same for both ends.
const (
	MoveRunning   MoveState = "Running"
	MoveSucceeded MoveState = "Succeeded"
	MoveFailed    MoveState = "Failed"
)
