package kube

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

// A StatefulSet says in no status why its pods cannot be made (a quota, PodSecurity, a webhook), only in events. Those are
// watched with a field selector, so that the API server sends no others.

// failureLife is how long an event counts. The StatefulSet controller tries again after 17 minutes at the latest.
const failureLife = 20 * time.Minute

// bySet indexes the events by namespace/StatefulSet.
const bySet = "set"

// podFailure is a report that a pod of a StatefulSet cannot be made.
type podFailure struct {
	message string
	at      time.Time
}

func newFailures(namespace string, client kubernetes.Interface) (cache.SharedIndexInformer, error) {
	factory := informers.NewSharedInformerFactoryWithOptions(client, 0,
		informers.WithNamespace(namespace),
		informers.WithTweakListOptions(func(o *metav1.ListOptions) {
			o.FieldSelector = fields.AndSelectors(
				fields.OneTermEqualSelector("reason", "FailedCreate"),
				fields.OneTermEqualSelector("involvedObject.kind", "StatefulSet"),
			).String()
		}))
	informer := factory.Core().V1().Events().Informer()
	err := informer.AddIndexers(cache.Indexers{bySet: func(obj any) ([]string, error) {
		if e, ok := obj.(*corev1.Event); ok {
			return []string{e.InvolvedObject.Namespace + "/" + e.InvolvedObject.Name}, nil
		}
		return nil, nil
	}})
	if err != nil {
		return nil, fmt.Errorf("prepare the event informer: %w", err)
	}
	return informer, nil
}

// failuresOf lists the latest reports of Kubernetes that a pod of a StatefulSet cannot be made.
func (c *Cache) failuresOf(set types.NamespacedName) []podFailure {
	var list []podFailure
	for _, e := range indexed[*corev1.Event](c.of(set.Namespace).failures, bySet, set.String()) {
		at := e.LastTimestamp.Time
		if e.Series != nil && e.Series.LastObservedTime.After(at) {
			at = e.Series.LastObservedTime.Time
		}
		if e.EventTime.After(at) {
			at = e.EventTime.Time
		}
		list = append(list, podFailure{message: e.Message, at: at})
	}
	return list
}

func (h handlers) ofFailures() cache.ResourceEventHandler {
	return cache.ResourceEventHandlerFuncs{
		AddFunc:    func(obj any) { h.failure(obj) },
		UpdateFunc: func(_, is any) { h.failure(is) },
	}
}

// failure wakes the instances that a StatefulSet may belong to by its name.
func (h handlers) failure(obj any) {
	e, ok := obj.(*corev1.Event)
	if !ok {
		return
	}
	key := types.NamespacedName{Namespace: e.InvolvedObject.Namespace, Name: e.InvolvedObject.Name}
	for _, name := range slices.Compact([]string{key.Name, setOf(key.Name)}) {
		key.Name = name
		if _, ok := h.cache.Topology(key); ok {
			h.wake(key)
		}
	}
}

// setOf returns the name of the StatefulSet of a pod, and of the instance of the StatefulSet of a shard or of etcd.
func setOf(pod string) string {
	if at := strings.LastIndexByte(pod, '-'); at >= 0 {
		return pod[:at]
	}
	return pod
}

// verbose is what the StatefulSet controller puts before the message of the API server.
var verbose = regexp.MustCompile(`^create (Pod|Claim) .*? failed error: `)

// PodFailures says, of each StatefulSet of the instance, why a pod that is missing cannot be made; pods are the data pods that
// there are.
func (c *Cache) PodFailures(t *v1alpha1.KVRocksTopology, pods map[string]*corev1.Pod, now time.Time) []v1alpha1.PodFailure {
	var list []v1alpha1.PodFailure
	for set, missing := range c.missing(t, pods) {
		latest := podFailure{at: now.Add(-failureLife)}
		for _, f := range c.failuresOf(types.NamespacedName{Namespace: t.Namespace, Name: set}) {
			names := slices.ContainsFunc(missing, func(pod string) bool { return namesPod(f.message, pod) })
			if names && f.at.After(latest.at) {
				latest = f
			}
		}
		if latest.message != "" {
			list = append(list, v1alpha1.PodFailure{StatefulSet: set, Message: verbose.ReplaceAllString(latest.message, "")})
		}
	}
	slices.SortFunc(list, func(a, b v1alpha1.PodFailure) int { return strings.Compare(a.StatefulSet, b.StatefulSet) })
	return list
}

// missing lists the pods of an instance that there should be and are not, by StatefulSet.
func (c *Cache) missing(t *v1alpha1.KVRocksTopology, pods map[string]*corev1.Pod) map[string][]string {
	missing := map[string][]string{}
	note := func(pod string) { missing[setOf(pod)] = append(missing[setOf(pod)], pod) }
	for _, m := range Members(t) {
		if pods[m.Pod] == nil {
			note(m.Pod)
		}
	}
	if t.Spec.Type == v1alpha1.TypeCluster {
		etcd := c.PodsOf(KeyOf(t), v1alpha1.ComponentEtcd)
		for i := range 3 {
			if pod := fmt.Sprintf("%s-etcd-%d", t.Name, i); etcd[pod] == nil {
				note(pod)
			}
		}
	}
	return missing
}

// namesPod reports whether the message is about this pod: "demo-1" is not in "create Pod demo-10 in ...".
func namesPod(message, pod string) bool { return strings.Contains(message+" ", "Pod "+pod+" ") }
