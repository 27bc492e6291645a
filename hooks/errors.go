package hooks

import (
	"errors"
	"fmt"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

// ErrNoParent is returned for a request without a parent, or with one that has no name or namespace.
var ErrNoParent = errors.New("the request has no parent with a name and a namespace")

// UnknownTypeError is returned for a parent whose spec.type is missing or not one of the known types.
type UnknownTypeError struct {
	Type v1alpha1.InstanceType
}

// Error returns which types there are.
func (e UnknownTypeError) Error() string {
	return fmt.Sprintf("spec.type is %q; write sentinel, standard or cluster", string(e.Type))
}
