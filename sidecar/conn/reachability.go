package conn

import (
	"errors"
	"net"

	"github.com/kvrocks/kvrocks-operator/sidecar/kvrocks"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan"
)

// ReachOf returns how far a call got, by its error.
func ReachOf(err error) plan.Reach {
	var op *net.OpError
	dialling := errors.As(err, &op) && op.Op == "dial"
	switch {
	case err == nil:
		return plan.Answered
	case errors.Is(err, kvrocks.ErrLoading):
		return plan.Loading
	case PasswordRefused(err):
		return plan.Refused
	case errors.Is(err, kvrocks.ErrTimeout) && !dialling:
		return plan.Unresponsive
	case errors.Is(err, kvrocks.ErrUnreachable):
		return plan.Unreachable
	default: // something answered, such as "max number of clients reached": alive, and of no use
		return plan.Refused
	}
}
