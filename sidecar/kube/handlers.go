package kube

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/cache"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

// handlers start the passes that a change in Kubernetes calls for.
type handlers struct {
	cache   *Cache
	wake    func(instance types.NamespacedName)
	podGone func(pod types.NamespacedName, uid types.UID)
}

// Start runs the informers until ctx ends, and returns once every cache is filled. wake is called for every instance that a
// change concerns, podGone for every data or sentinel pod that was deleted or replaced.
func (c *Cache) Start(
	ctx context.Context, wake func(instance types.NamespacedName), podGone func(pod types.NamespacedName, uid types.UID),
) error {
	h := handlers{cache: c, wake: wake, podGone: podGone}
	var synced []cache.InformerSynced
	for _, of := range c.caches {
		if _, err := of.pods.AddEventHandler(h.ofPods()); err != nil {
			return fmt.Errorf("watch pods: %w", err)
		}
		if _, err := of.topologies.AddEventHandler(h.ofTopologies()); err != nil {
			return fmt.Errorf("watch topologies: %w", err)
		}
		if _, err := of.failures.AddEventHandler(h.ofFailures()); err != nil {
			return fmt.Errorf("watch events: %w", err)
		}
		if _, err := of.claims.AddEventHandler(h.ofClaims()); err != nil {
			return fmt.Errorf("watch claims: %w", err)
		}
		synced = append(synced, of.pods.HasSynced, of.topologies.HasSynced)
		go of.failures.RunWithContext(ctx) // no pass waits for it: it only tells people why
		go of.claims.RunWithContext(ctx)   // nor for this: failover goes on without the right to see claims
		go of.pods.RunWithContext(ctx)
		go of.topologies.RunWithContext(ctx)
	}
	if !cache.WaitForCacheSync(ctx.Done(), synced...) {
		return fmt.Errorf("fill the caches: %w", context.Cause(ctx))
	}
	return nil
}

func (h handlers) ofTopologies() cache.ResourceEventHandler {
	return cache.ResourceEventHandlerFuncs{
		AddFunc: func(obj any) { h.topology(obj) },
		UpdateFunc: func(was, is any) {
			before, after := was.(*v1alpha1.KVRocksTopology), is.(*v1alpha1.KVRocksTopology)
			// The status is our own.
			if before.Generation != after.Generation || before.UID != after.UID {
				h.topology(before) // the sentinel that it named before
				h.topology(after)
			}
		},
		DeleteFunc: func(obj any) { h.topology(deleted(obj)) },
	}
}

// topology wakes the instance and those that depend on it: the sentinel instance that watches it, or all instances that it
// watches.
func (h handlers) topology(obj any) {
	t, ok := obj.(*v1alpha1.KVRocksTopology)
	if !ok {
		return
	}
	h.wake(KeyOf(t))
	if t.Spec.Sentinel != nil {
		h.wake(types.NamespacedName{Namespace: t.Namespace, Name: t.Spec.Sentinel.Name})
	}
	if t.Spec.Type == v1alpha1.TypeSentinel {
		h.monitored(KeyOf(t))
	}
}

// monitored wakes every instance that a sentinel instance watches.
func (h handlers) monitored(sentinel types.NamespacedName) {
	for _, t := range h.cache.MonitoredBy(sentinel) {
		h.wake(KeyOf(t))
	}
}

func (h handlers) ofPods() cache.ResourceEventHandler {
	return cache.ResourceEventHandlerFuncs{
		AddFunc: func(obj any) { h.pod(obj) },
		UpdateFunc: func(was, is any) {
			before, after := was.(*corev1.Pod), is.(*corev1.Pod)
			if before.UID != after.UID {
				h.gone(before)
			}
			if FactsOf(before) != FactsOf(after) {
				h.pod(after)
			}
		},
		DeleteFunc: func(obj any) {
			if pod, ok := deleted(obj).(*corev1.Pod); ok {
				h.gone(pod)
				h.pod(pod)
			}
		},
	}
}

func (h handlers) gone(pod *corev1.Pod) {
	h.cache.pods.forget(KeyOf(pod))
	h.podGone(KeyOf(pod), pod.UID)
}

func (h handlers) pod(obj any) {
	pod, ok := obj.(*corev1.Pod)
	if !ok {
		return
	}
	switch pod.Labels[v1alpha1.LabelComponent] {
	case v1alpha1.ComponentData:
		h.wake(InstanceOf(pod))
	case v1alpha1.ComponentSentinel:
		h.wake(InstanceOf(pod))
		h.monitored(InstanceOf(pod))
	}
}

// deleted unpacks what an informer that missed a deletion hands over.
func deleted(obj any) any {
	if missed, ok := obj.(cache.DeletedFinalStateUnknown); ok {
		return missed.Obj
	}
	return obj
}
