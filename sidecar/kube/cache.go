package kube

import (
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

// Indexes of the caches.
const (
	byInstance = "instance" // pods by namespace/instance/component, claims by namespace/instance
	bySentinel = "sentinel" // topologies by namespace/sentinel instance
	byAddress  = "address"  // topologies by the announced addresses of their Members
)

// Cache is the cached view of Kubernetes, as new as what this process wrote itself.
type Cache struct {
	// caches by namespace; the only key is "" when all namespaces are watched.
	caches     map[string]caches
	pods       *overlay[*corev1.Pod]
	topologies *overlay[*v1alpha1.KVRocksTopology]
	claims     *overlay[*corev1.PersistentVolumeClaim]
}

type caches struct {
	pods, topologies, failures, claims cache.SharedIndexInformer
}

// NewCache makes the caches of some namespaces, or of all when none is named; [Cache.Start] fills them. topologies, pods and
// claims are the writers of the process, whose writes show at once.
func NewCache(
	namespaces []string, client kubernetes.Interface, topologies *TopologyClient, pods *PodWriter, claims *ClaimWriter,
) (*Cache, error) {
	c := &Cache{caches: map[string]caches{}, pods: pods.written, topologies: topologies.written, claims: claims.written}
	if len(namespaces) == 0 {
		namespaces = []string{metav1.NamespaceAll}
	}
	for _, namespace := range namespaces {
		made, err := newCaches(namespace, client, topologies)
		if err != nil {
			return nil, err
		}
		c.caches[namespace] = made
	}
	return c, nil
}

func newCaches(namespace string, client kubernetes.Interface, topologies *TopologyClient) (caches, error) {
	const noResync = time.Duration(0) // every instance is looked at periodically anyway
	factory := informers.NewSharedInformerFactoryWithOptions(client, noResync,
		informers.WithNamespace(namespace),
		informers.WithTransform(trim),
		informers.WithTweakListOptions(func(o *metav1.ListOptions) {
			o.LabelSelector = v1alpha1.LabelManagedBy + "=" + v1alpha1.ManagedByValue
		}))
	failures, err := newFailures(namespace, client)
	if err != nil {
		return caches{}, err
	}
	c := caches{
		failures: failures,
		pods:     factory.Core().V1().Pods().Informer(),
		claims:   factory.Core().V1().PersistentVolumeClaims().Informer(),
		topologies: cache.NewSharedIndexInformer(topologies.listWatch(namespace), &v1alpha1.KVRocksTopology{}, noResync, cache.Indexers{
			bySentinel: sentinelKey, byAddress: addressKeys,
		}),
	}
	if err := c.topologies.SetTransform(trimTopology); err != nil {
		return caches{}, fmt.Errorf("prepare the topology informer: %w", err)
	}
	if err := c.pods.AddIndexers(cache.Indexers{byInstance: instanceKey}); err != nil {
		return caches{}, fmt.Errorf("prepare the pod informer: %w", err)
	}
	if err := c.claims.AddIndexers(cache.Indexers{byInstance: claimKey}); err != nil {
		return caches{}, fmt.Errorf("prepare the claim informer: %w", err)
	}
	return c, nil
}

// trim drops what is large and not read here.
func trim(obj any) (any, error) {
	if claim, ok := obj.(*corev1.PersistentVolumeClaim); ok {
		return trimClaim(claim), nil
	}
	return trimPod(obj)
}

func sentinelKey(obj any) ([]string, error) {
	t, ok := obj.(*v1alpha1.KVRocksTopology)
	if !ok || t.Spec.Sentinel == nil {
		return nil, nil
	}
	return []string{t.Namespace + "/" + t.Spec.Sentinel.Name}, nil
}

func addressKeys(obj any) (keys []string, err error) {
	if t, ok := obj.(*v1alpha1.KVRocksTopology); ok {
		for _, m := range Members(t) {
			if m.Address != "" {
				keys = append(keys, m.Address)
			}
		}
	}
	return keys, nil
}

func instanceKey(obj any) ([]string, error) {
	pod, ok := obj.(*corev1.Pod)
	if !ok {
		return nil, nil
	}
	return []string{componentKey(InstanceOf(pod), pod.Labels[v1alpha1.LabelComponent])}, nil
}

func componentKey(instance types.NamespacedName, component string) string {
	return instance.String() + "/" + component
}

// InstanceOf names the instance that a pod belongs to.
func InstanceOf(pod *corev1.Pod) types.NamespacedName {
	return types.NamespacedName{Namespace: pod.Namespace, Name: pod.Labels[v1alpha1.LabelInstance]}
}

// of returns the caches of a namespace; empty ones when it is not watched.
func (c *Cache) of(namespace string) caches {
	if all, ok := c.caches[metav1.NamespaceAll]; ok {
		return all
	}
	return c.caches[namespace]
}

// indexed returns what an informer has under a key of an index.
func indexed[T any](informer cache.SharedIndexInformer, index, key string) []T {
	if informer == nil {
		return nil
	}
	objs, _ := informer.GetIndexer().ByIndex(index, key) // fails only when the index does not exist
	list := make([]T, len(objs))
	for i, obj := range objs {
		list[i] = obj.(T)
	}
	return list
}

// Topology returns the topology of an instance; ok is false when there is none.
func (c *Cache) Topology(key types.NamespacedName) (t *v1alpha1.KVRocksTopology, ok bool) {
	of := c.of(key.Namespace)
	if of.topologies == nil {
		return nil, false
	}
	obj, exists, err := of.topologies.GetStore().GetByKey(key.String())
	if err != nil || !exists {
		c.topologies.forget(key)
		return nil, false
	}
	return c.topologies.newest(obj.(*v1alpha1.KVRocksTopology)), true
}

// MonitoredBy lists the topologies of the namespace that name the sentinel instance, without regard to what this process wrote:
// it writes no spec.
func (c *Cache) MonitoredBy(sentinel types.NamespacedName) []*v1alpha1.KVRocksTopology {
	return indexed[*v1alpha1.KVRocksTopology](c.of(sentinel.Namespace).topologies, bySentinel, sentinel.String())
}

// PodAt names the data pod, as namespace/name, that has the announced address; empty when there is none.
func (c *Cache) PodAt(address string) string {
	for _, of := range c.caches {
		for _, t := range indexed[*v1alpha1.KVRocksTopology](of.topologies, byAddress, address) {
			for _, m := range Members(t) {
				if m.Address == address {
					return t.Namespace + "/" + m.Pod
				}
			}
		}
	}
	return ""
}

// PodsOf lists the pods of one component of an instance, by name.
func (c *Cache) PodsOf(instance types.NamespacedName, component string) map[string]*corev1.Pod {
	pods := map[string]*corev1.Pod{}
	for _, pod := range indexed[*corev1.Pod](c.of(instance.Namespace).pods, byInstance, componentKey(instance, component)) {
		pods[pod.Name] = c.pods.newest(pod)
	}
	return pods
}

// AllTopologies lists the topologies of all namespaces, without regard to what this process wrote.
func (c *Cache) AllTopologies() []*v1alpha1.KVRocksTopology {
	var all []*v1alpha1.KVRocksTopology
	for _, of := range c.caches {
		for _, obj := range of.topologies.GetStore().List() {
			all = append(all, obj.(*v1alpha1.KVRocksTopology))
		}
	}
	return all
}
