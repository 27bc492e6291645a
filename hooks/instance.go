package hooks

import (
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/metacontroller"
)

// instance is a request, read: the parent with its defaults, and the observed objects that decisions need. Everything
// it points to belongs to the request and is only read.
type instance struct {
	cr        *v1alpha1.KVRocks
	spec      *v1alpha1.KVRocksSpec // a copy, with defaults
	name      string
	namespace string

	children        metacontroller.Children
	related         metacontroller.Related
	serviceOrdinals map[string]int32       // see countServices
	pods            map[string]*corev1.Pod // by name
	topology        *v1alpha1.KVRocksTopology

	// operatorNamespace is where the sidecar runs; "" when it is not known.
	operatorNamespace string

	upgrade upgrade
	newest  metav1.Time // see newestFact; zero until asked for
}

// What an instance becomes is said by types that embed it, one for each part of the answer.
type (
	// rollout says how far a change may go now.
	rollout struct{ *instance }
	// builder makes the children.
	builder struct{ rollout }
	// clusterBuilder makes those that only a cluster has.
	clusterBuilder struct{ builder }
	// statusBuilder makes the status of the KVRocks.
	statusBuilder struct{ *instance }
)

func newBuilder(in *instance) builder { return builder{rollout{in}} }

func newInstance(request *metacontroller.SyncRequest) (*instance, error) {
	if request == nil || !hasName(request.Parent) {
		return nil, ErrNoParent
	}
	cr := request.Parent
	switch cr.Spec.Type {
	case v1alpha1.TypeSentinel, v1alpha1.TypeStandard, v1alpha1.TypeCluster:
	default:
		return nil, UnknownTypeError{Type: cr.Spec.Type}
	}
	in := &instance{
		cr: cr, spec: cr.Spec.WithDefaults(), name: cr.Name, namespace: cr.Namespace,
		children: request.Children, related: request.Related,
		pods: make(map[string]*corev1.Pod, len(request.Related.Pods)),
	}
	for _, pod := range request.Related.Pods {
		if pod != nil {
			in.pods[pod.Name] = pod
		}
	}
	in.serviceOrdinals = countServices(in.namespace, request.Children.Services)
	in.topology = request.Children.Topologies[in.key(in.name)]
	in.keepImages()
	return in, nil
}

func hasName(cr *v1alpha1.KVRocks) bool {
	return cr != nil && cr.Name != "" && cr.Namespace != ""
}

func (in *instance) key(name string) string { return metacontroller.Key(in.namespace, name) }

// password returns where the pods find the password; nil when there is none.
func (in *instance) password() *v1alpha1.SecretKeyRef {
	switch {
	case in.spec.PasswordSecretRef != nil:
		return in.spec.PasswordSecretRef
	case in.spec.Password != "":
		return &v1alpha1.SecretKeyRef{Name: authName(in.name), Key: v1alpha1.PasswordKey}
	default:
		return nil
	}
}

// serviceAddress returns the ClusterIP of the Service of a pod, or "" while it is not known.
func (in *instance) serviceAddress(pod string) string {
	service := in.children.Services[in.key(pod)]
	if service == nil || service.Spec.ClusterIP == corev1.ClusterIPNone {
		return ""
	}
	return service.Spec.ClusterIP
}

// publishedAddress returns the address of a pod in the observed ConfigMap, where the pod reads it.
func (in *instance) publishedAddress(pod string) string {
	config := in.children.ConfigMaps[in.key(configName(in.name))]
	if config == nil {
		return ""
	}
	return config.Data[pod]
}

// reportedMaster returns the pod that was last proved to be the master of a shard, in a status of whatever generation.
func (in *instance) reportedMaster(s shard) string {
	if status := in.shardStatus(s.index); status != nil {
		return status.Master
	}
	return ""
}

// keepsVolumes reports whether the data outlives the removal of all pods.
func (in *instance) keepsVolumes() bool {
	return in.spec.Storage != nil && in.spec.Storage.Reclaim != v1alpha1.ReclaimDelete
}

// shardStatus returns what the sidecar reports of a shard, in a status of whatever generation.
func (in *instance) shardStatus(index int32) *v1alpha1.TopologyShardStatus {
	if in.topology == nil {
		return nil
	}
	for i := range in.topology.Status.Shards {
		if in.topology.Status.Shards[i].Index == index {
			return &in.topology.Status.Shards[i]
		}
	}
	return nil
}

// current reports whether the topology's status is about the observed spec.
func current(topology *v1alpha1.KVRocksTopology) bool {
	return topology != nil && topology.Generation != 0 &&
		topology.Status.ObservedGeneration == topology.Generation
}

// firstDataSet returns the first observed StatefulSet of data nodes; nil when there is none.
func (in *instance) firstDataSet() *appsv1.StatefulSet {
	switch in.spec.Type {
	case v1alpha1.TypeStandard:
		return in.children.StatefulSets[in.key(in.name)]
	case v1alpha1.TypeCluster:
		return in.statefulSet(in.clusterShard(0))
	default:
		return nil
	}
}
