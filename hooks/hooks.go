package hooks

import (
	"encoding/json"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/hooks/validation"
	"github.com/kvrocks/kvrocks-operator/metacontroller"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// answer is what a mode makes of an instance.
type answer struct {
	children children
	status   *v1alpha1.KVRocksStatus
}

// Sync answers the sync hook for an installation of which nothing is known; see [Scope.Sync].
func Sync(request *metacontroller.SyncRequest) (*metacontroller.SyncResponse, error) {
	return Scope{}.Sync(request)
}

func sync(in *instance) (answer, error) {
	if in.paused() {
		return pause(in)
	}
	return carryOut(in)
}

// carryOut makes what the spec wants, as far as it may go now.
func carryOut(in *instance) (answer, error) {
	observed := validation.Observed{Topology: in.topology, DataSet: in.firstDataSet(), ClientService: in.clientService()}
	if sizes := in.volumeSizes(); sizes != nil {
		observed.Volumes = *sizes
	}
	if problem := validation.Check(in.cr, in.spec, observed); problem != "" {
		return refuse(in, reasonInvalidSpec, problem)
	}
	if problem := podTemplateProblem(newBuilder(in)); problem != "" {
		return refuse(in, reasonInvalidSpec, problem)
	}
	switch in.spec.Type {
	case v1alpha1.TypeSentinel:
		return syncSentinel(newBuilder(in))
	case v1alpha1.TypeStandard:
		return syncStandard(newBuilder(in))
	case v1alpha1.TypeCluster:
		return syncCluster(clusterBuilder{newBuilder(in)})
	default:
		return answer{}, UnknownTypeError{Type: in.spec.Type}
	}
}

// refuse keeps every observed child as it is and says why nothing is done.
func refuse(in *instance, reason, message string) (answer, error) {
	kept, err := keepAll(in)
	if err != nil {
		return answer{}, err
	}
	return answer{children: kept, status: statusBuilder{in}.refusedStatus(reason, message)}, nil
}

// Finalize answers the finalize hook. First the children stay as they are and the topology asks for release, until the
// sidecar says that nothing counts on the instance any more. Then its pods go, and when the last has ended the instance does:
// another one that is made under the same name must not meet pods of the former one.
func Finalize(request *metacontroller.SyncRequest) (*metacontroller.FinalizeResponse, error) {
	in, err := newInstance(request)
	if err != nil {
		return nil, err
	}
	topology := in.topology
	mayRemovePods := in.mayRemovePods()
	keep := keepAllButTopology
	if mayRemovePods {
		keep = keepNonWorkloads
	}
	kept, err := keep(in)
	if err != nil {
		return nil, err
	}
	if topology != nil {
		kept.add(newBuilder(in).withRelease(topology))
	}
	response, err := respond(answer{children: kept, status: statusBuilder{in}.deletingStatus(mayRemovePods)})
	if err != nil {
		return nil, err
	}
	workloads := len(sortedByKey(in.children.StatefulSets)) + len(sortedByKey(in.children.Deployments))
	return &metacontroller.FinalizeResponse{
		SyncResponse: *response, Finalized: mayRemovePods && workloads == 0 && len(in.pods) == 0,
	}, nil
}

// Customize answers the customize hook: the pods of the instance, and the Secret that spec.passwordSecretRef names. It depends
// on the parent's name, namespace and spec alone, because Metacontroller keeps the answer for as long as the parent's
// generation lasts. It fails with [ErrNoParent].
func Customize(request *metacontroller.CustomizeRequest) (*metacontroller.CustomizeResponse, error) {
	if request == nil || !hasName(request.Parent) {
		return nil, ErrNoParent
	}
	rules := []metacontroller.RelatedResourceRule{{
		APIVersion: "v1",
		Resource:   "pods",
		Namespace:  request.Parent.Namespace,
		LabelSelector: &metav1.LabelSelector{MatchLabels: map[string]string{
			v1alpha1.LabelInstance:  request.Parent.Name,
			v1alpha1.LabelManagedBy: v1alpha1.ManagedByValue,
		}},
	}}
	if ref := request.Parent.Spec.PasswordSecretRef; ref != nil && ref.Name != "" {
		rules = append(rules, metacontroller.RelatedResourceRule{
			APIVersion: "v1", Resource: "secrets", Namespace: request.Parent.Namespace, Names: []string{ref.Name},
		})
	}
	return &metacontroller.CustomizeResponse{RelatedResources: rules}, nil
}

// resyncSeconds is how soon new hook logic reaches an instance at rest, for which nothing else makes Metacontroller call.
// (Its own resyncPeriodSeconds is reported unreliable.) Such a call costs about a millisecond and writes nothing.
const resyncSeconds = 60

func respond(out answer) (*metacontroller.SyncResponse, error) {
	if out.children.err != nil {
		return nil, out.children.err
	}
	list := out.children.list
	if list == nil {
		list = []json.RawMessage{} // null would be an error
	}
	return &metacontroller.SyncResponse{Status: out.status, Children: list, ResyncAfterSeconds: resyncSeconds}, nil
}
