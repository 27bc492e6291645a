package kube

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

const topologyResource = "kvrockstopologies"

// TopologyClient reads and reports topologies.
type TopologyClient struct {
	rest    rest.Interface
	written *overlay[*v1alpha1.KVRocksTopology]
}

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
	return &TopologyClient{rest: client, written: newOverlay[*v1alpha1.KVRocksTopology]()}, nil
}

// UpdateStatus writes the status of a topology. It is refused with a conflict when the topology has changed since.
func (c *TopologyClient) UpdateStatus(ctx context.Context, t *v1alpha1.KVRocksTopology) error {
	var written v1alpha1.KVRocksTopology
	err := c.rest.Put().Namespace(t.Namespace).Resource(topologyResource).Name(t.Name).SubResource("status").
		Body(t).Do(ctx).Into(&written)
	if err != nil {
		return err
	}
	c.written.wrote(&written)
	return nil
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

// Members lists the Members of all shards.
func Members(t *v1alpha1.KVRocksTopology) []v1alpha1.Member {
	var all []v1alpha1.Member
	for _, shard := range t.Spec.Shards {
		all = append(all, shard.Members...)
	}
	return all
}
