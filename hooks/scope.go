package hooks

import (
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/metacontroller"
)

// Scope is what the hooks are told of the installation.
type Scope struct {
	// Namespaces whose instances are managed; none means all. The sidecar must have the same list: it reports on no other instance.
	Namespaces []string
	// Operator is the namespace of the sidecar, from which it reaches the instances; "" when it is not known.
	Operator string
}

// Sync answers the sync hook: the children that the parent should have now, and its status. Of an instance outside of the scope nothing is
// made or changed, and its status says so. It fails with [ErrNoParent], with [UnknownTypeError], or when a child cannot be encoded.
func (s Scope) Sync(request *metacontroller.SyncRequest) (*metacontroller.SyncResponse, error) {
	in, err := newInstance(request)
	if err != nil {
		return nil, err
	}
	if !s.excludes(request) {
		in.operatorNamespace = s.Operator
		out, err := sync(in)
		if err != nil {
			return nil, err
		}
		return respond(out)
	}
	kept, err := keepAll(in)
	if err != nil {
		return nil, err
	}
	return respond(answer{children: kept, status: statusBuilder{in}.notManagedStatus(s)})
}

// Finalize answers as the function [Finalize]. An instance outside of the scope goes at once: no sidecar would release it, and
// Metacontroller may have no right to delete its children, which Kubernetes collects when their owner is gone.
func (s Scope) Finalize(request *metacontroller.SyncRequest) (*metacontroller.FinalizeResponse, error) {
	if !s.excludes(request) {
		return Finalize(request)
	}
	response, err := s.Sync(request)
	if err != nil {
		return nil, err
	}
	return &metacontroller.FinalizeResponse{SyncResponse: *response, Finalized: true}, nil
}

func (s Scope) excludes(request *metacontroller.SyncRequest) bool {
	return len(s.Namespaces) > 0 && request != nil && hasName(request.Parent) && !slices.Contains(s.Namespaces, request.Parent.Namespace)
}

// notManagedStatus says that what was reported is not known any more.
func (in statusBuilder) notManagedStatus(s Scope) *v1alpha1.KVRocksStatus {
	message := "this operator manages the namespaces " + strings.Join(slices.Sorted(slices.Values(s.Namespaces)), ", ") +
		" only; create the KVRocks in one of them, or add " + in.namespace + " to --namespaces of the hook server and of the sidecar"
	if in.cr.DeletionTimestamp != nil {
		message = "this operator has let the instance go; what else holds it is in its metadata.finalizers"
	}
	status := in.refusedStatus(reasonNotManaged, message)
	c := conditions{in: in}
	for i := range status.Conditions {
		switch kind := status.Conditions[i].Type; kind {
		case v1alpha1.ConditionReady, v1alpha1.ConditionProgressing:
			c.set(kind, metav1.ConditionFalse, reasonNotManaged, message)
		default:
			c.set(kind, metav1.ConditionUnknown, reasonNotManaged, "not managed, so not known")
		}
	}
	status.Conditions = c.list
	return status
}
