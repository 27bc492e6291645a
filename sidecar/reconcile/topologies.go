package reconcile

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"

	corev1 "k8s.io/api/core/v1"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

const topologyResource = "kvrockstopologies"

// TopologyClient reads and reports topologies.
type TopologyClient struct{ rest rest.Interface }

// NewTopologyClient makes a client from the configuration of a connection to the API server.
func NewTopologyClient(config *rest.Config) (*TopologyClient, error) {
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		return nil, fmt.Errorf("register the API types: %w", err)
	}
	c := rest.CopyConfig(config)
	version := v1alpha1.GroupVersion()
	c.GroupVersion, c.APIPath = &version, "/apis"
	c.NegotiatedSerializer = serializer.NewCodecFactory(scheme).WithoutConversion()
	c.ContentType = runtime.ContentTypeJSON // custom resources know no protobuf
	c.AcceptContentTypes = runtime.ContentTypeJSON
	client, err := rest.RESTClientFor(c)
	if err != nil {
		return nil, fmt.Errorf("make a client for %s: %w", version, err)
	}
	return &TopologyClient{rest: client}, nil
}

// UpdateStatus writes the status of a topology. It is refused with a conflict when the topology has changed since.
func (c *TopologyClient) UpdateStatus(
	ctx context.Context, t *v1alpha1.KVRocksTopology,
) (*v1alpha1.KVRocksTopology, error) {
	var written v1alpha1.KVRocksTopology
	err := c.rest.Put().Namespace(t.Namespace).Resource(topologyResource).Name(t.Name).SubResource("status").
		Body(t).Do(ctx).Into(&written)
	return &written, err
}

// listWatch of the topologies of a namespace, or of all.
func (c *TopologyClient) listWatch(namespace string) cache.ListerWatcher {
	return cache.NewListWatchFromClient(c.rest, topologyResource, namespace, fields.Everything())
}

// trimTopology drops what is large and not read here.
func trimTopology(obj any) (any, error) {
	if t, ok := obj.(*v1alpha1.KVRocksTopology); ok {
		t.ManagedFields, t.Annotations = nil, nil
	}
	return obj, nil
}

// masterNames returns the names under which the instance is registered with sentinel.
func masterNames(t *v1alpha1.KVRocksTopology) []string {
	var names []string
	for _, shard := range t.Spec.Shards {
		names = append(names, shard.MasterName)
	}
	return names
}

// members of all shards.
func members(t *v1alpha1.KVRocksTopology) []v1alpha1.Member {
	var all []v1alpha1.Member
	for _, shard := range t.Spec.Shards {
		all = append(all, shard.Members...)
	}
	return all
}

// ownerOf refers to the KVRocks that the topology belongs to, or to the topology itself when it has no owner.
func ownerOf(t *v1alpha1.KVRocksTopology) *corev1.ObjectReference {
	ref := &corev1.ObjectReference{
		APIVersion: v1alpha1.GroupVersion().String(), Kind: "KVRocksTopology",
		Namespace: t.Namespace, Name: t.Name, UID: t.UID,
	}
	for _, owner := range t.OwnerReferences {
		if owner.Kind == "KVRocks" {
			ref.APIVersion, ref.Kind, ref.Name, ref.UID = owner.APIVersion, owner.Kind, owner.Name, owner.UID
		}
	}
	return ref
}
