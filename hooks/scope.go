package hooks

import (
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/metacontroller"
)

// Scope lists the namespaces whose instances are managed; an empty one means all. The sidecar must have the same list: it
// reports on no other instance.
type Scope []string

// Sync answers as the function [Sync] for an instance within the scope. Of another one nothing is made or changed, and its
// status says so.
func (s Scope) Sync(request *metacontroller.SyncRequest) (*metacontroller.SyncResponse, error) {
	if !s.excludes(request) {
		return Sync(request)
	}
	in, err := newInstance(request)
	if err != nil {
		return nil, err
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
	return len(s) > 0 && request != nil && hasName(request.Parent) && !slices.Contains(s, request.Parent.Namespace)
}

// notManagedStatus says that what was reported is not known any more.
func (in statusBuilder) notManagedStatus(s Scope) *v1alpha1.KVRocksStatus {
	message := "this operator manages the namespaces " + strings.Join(slices.Sorted(slices.Values(s)), ", ") +
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
