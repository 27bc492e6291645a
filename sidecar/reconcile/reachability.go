package reconcile

import (
	"errors"
	"net"

	"github.com/kvrocks/kvrocks-operator/sidecar/kvrocks"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan"
)

// reachOf says how far a call got.
func reachOf(err error) plan.Reach {
	var op *net.OpError
	dialling := errors.As(err, &op) && op.Op == "dial"
	switch {
	case err == nil:
		return plan.Answered
	case errors.Is(err, kvrocks.ErrLoading):
		return plan.Loading
	case passwordRefused(err):
		return plan.Refused
	case errors.Is(err, kvrocks.ErrTimeout) && !dialling:
		return plan.Hung
	case errors.Is(err, kvrocks.ErrUnreachable):
		return plan.Down
	default: // somebody answered, such as "max number of clients reached": alive, and of no use
		return plan.Refused
	}
}
