package reconcile

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/fake"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/conn"
	"github.com/kvrocks/kvrocks-operator/sidecar/kube"
	"github.com/kvrocks/kvrocks-operator/sidecar/kube/kubetest"
	"github.com/kvrocks/kvrocks-operator/sidecar/kvctl"
	"github.com/kvrocks/kvrocks-operator/sidecar/kvrocks"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/sentinelset"
)

// journal is what happened, in order.
type journal struct {
	mu    sync.Mutex
	lines []string
}

func (j *journal) add(format string, args ...any) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lines = append(j.lines, fmt.Sprintf(format, args...))
}

// take returns what happened since the last take.
func (j *journal) take() []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	lines := j.lines
	j.lines = nil
	return lines
}

// fakeNode answers from its fields. Every call is written into the journal as "<addr> <what>".
type fakeNode struct {
	fakeMember

	addr     string
	journal  *journal
	info     kvrocks.NodeInfo
	settings map[string]string
	// fail answers instead, when set.
	fail func(what string) error
}

func (n *fakeNode) call(format string, args ...any) error {
	what := fmt.Sprintf(format, args...)
	n.journal.add("%s %s", n.addr, what)
	if n.fail != nil {
		return n.fail(what)
	}
	return nil
}

func (n *fakeNode) Observe(context.Context) (kvrocks.NodeInfo, error) { return n.info, n.call("INFO") }

func (n *fakeNode) Promote(context.Context) error             { return n.call("promote") }
func (n *fakeNode) WriteMarker(context.Context, string) error { return n.call("marker") }
func (n *fakeNode) DropReplicas(context.Context) (int, error) { return 1, n.call("drop replicas") }
func (n *fakeNode) DropSentinel(_ context.Context, id string) (int, error) {
	return 2, n.call("drop %s", id)
}
func (n *fakeNode) DropClients(context.Context) (int, error) { return 1, n.call("drop clients") }
func (n *fakeNode) Close() error                             { return nil }

func (n *fakeNode) ConfigGet(_ context.Context, name string) (map[string]string, error) {
	return n.settings, n.call("CONFIG GET %s", name)
}

func (n *fakeNode) ConfigSet(_ context.Context, name, value string) error {
	return n.call("CONFIG SET %s %s", name, value)
}

func (n *fakeNode) KeepNamespaces(context.Context) error { return n.call("keep namespaces") }

func (n *fakeNode) ReplicaOf(_ context.Context, host string, port int) error {
	return n.call("follow %s:%d", host, port)
}

// fakeCluster is a cache that is set by hand.
type fakeCluster struct {
	topologies map[types.NamespacedName]*v1alpha1.KVRocksTopology
	pods       []*corev1.Pod
	claims     map[string]*corev1.PersistentVolumeClaim // of every instance; nil while they cannot be read
}

func (c *fakeCluster) ClaimsOf(types.NamespacedName) (map[string]*corev1.PersistentVolumeClaim, bool) {
	return maps.Clone(c.claims), c.claims != nil
}

func (c *fakeCluster) Topology(key types.NamespacedName) (*v1alpha1.KVRocksTopology, bool) {
	t, ok := c.topologies[key]
	return t, ok
}

func (c *fakeCluster) AllTopologies() []*v1alpha1.KVRocksTopology {
	return slices.Collect(maps.Values(c.topologies))
}

func (c *fakeCluster) MonitoredBy(sentinel types.NamespacedName) []*v1alpha1.KVRocksTopology {
	var list []*v1alpha1.KVRocksTopology
	for _, t := range c.topologies {
		if ref := t.Spec.Sentinel; ref != nil && t.Namespace == sentinel.Namespace && ref.Name == sentinel.Name {
			list = append(list, t)
		}
	}
	return list
}

func (c *fakeCluster) PodFailures(
	t *v1alpha1.KVRocksTopology, pods map[string]*corev1.Pod, _ time.Time,
) (failures []v1alpha1.PodFailure) {
	for _, m := range kube.Members(t) {
		if pods[m.Pod] == nil {
			failures = append(failures, v1alpha1.PodFailure{StatefulSet: t.Name, Message: "no " + m.Pod})
		}
	}
	return failures
}

func (c *fakeCluster) PodAt(address string) string {
	for _, t := range c.topologies {
		for _, m := range kube.Members(t) {
			if m.Address == address {
				return t.Namespace + "/" + m.Pod
			}
		}
	}
	return ""
}

func (c *fakeCluster) PodsOf(instance types.NamespacedName, component string) map[string]*corev1.Pod {
	pods := map[string]*corev1.Pod{}
	for _, pod := range c.pods {
		if isOf(pod, instance, component) {
			pods[pod.Name] = pod
		}
	}
	return pods
}

// isOf reports whether a pod is one of a component of an instance.
func isOf(pod *corev1.Pod, instance types.NamespacedName, component string) bool {
	return kube.InstanceOf(pod) == instance && pod.Labels[v1alpha1.LabelComponent] == component
}

// world is a Reconciler whose surroundings are all fake.
type world struct {
	*Reconciler

	t       *testing.T
	journal *journal
	cluster *fakeCluster
	client  *fake.Clientset
	nodes   map[string]*fakeNode // by address
	plan    plan.Plan            // what the planner answers
	seen    []plan.Input         // what it was asked
	// reported is the last status that was written.
	reported v1alpha1.KVRocksTopologyStatus
	clock    time.Time
	// controller is kvrocks-controller of every cluster.
	controller *fakeController
	// refuseStatus answers status writes, when set.
	refuseStatus error
	// refuseExpansion answers expansions of claims, when set.
	refuseExpansion error
	// dialSentinel and subscribe are the sentinels' part of the network.
	dialSentinel func(addr string, o kvrocks.Options) conn.Sentinel
	subscribe    func(ctx context.Context, addr string, o kvrocks.Options, handle func(kvrocks.Event))
	waking       sync.Mutex
	wakes        []types.NamespacedName
}

func newWorld(t *testing.T) *world {
	w := &world{
		t: t, journal: &journal{}, client: fake.NewClientset(), nodes: map[string]*fakeNode{},
		cluster: &fakeCluster{topologies: map[types.NamespacedName]*v1alpha1.KVRocksTopology{}},
		clock:   time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
	}
	w.controller = &fakeController{journal: w.journal}
	options := DefaultOptions()
	options.Timeout = 5 * time.Second
	now := func() time.Time { return w.clock }
	w.Reconciler = &Reconciler{
		log: slog.New(slog.DiscardHandler), options: options, kubernetes: w.cluster,
		planner: planner{
			standard: func(in plan.Input) plan.Plan { w.seen = append(w.seen, in); return w.plan },
			cluster:  func(in plan.Input) plan.Plan { w.seen = append(w.seen, in); return w.plan },
			sentinel: func(sentinelset.Input) plan.Plan { return w.plan },
			sameReport: func(a, b v1alpha1.KVRocksTopologyStatus) bool {
				return a.ObservedGeneration == b.ObservedGeneration
			},
		},
		network: conn.Network{
			Node: func(addr string, _ kvrocks.Options) conn.DataNode {
				n := w.nodes[addr]
				require.NotNil(t, n, "nobody listens on %s", addr)
				return n
			},
			Sentinel: func(addr string, o kvrocks.Options) conn.Sentinel { return w.dialSentinel(addr, o) },
			Listen: func(ctx context.Context, addr string, o kvrocks.Options, handle func(kvrocks.Event)) {
				w.subscribe(ctx, addr, o, handle)
			},
			Controller: func(o kvctl.Options) conn.Controller {
				w.controller.made = append(w.controller.made, o)
				return w.controller
			},
		},
		secrets:   w.client.CoreV1(),
		podWriter: kube.NewPodWriter(w.client.CoreV1(), now), claimWriter: w,
		status: w, events: w,
		metrics: newMetrics(prometheus.NewRegistry()), running: newRunning(), now: now,
		enqueue: func(key types.NamespacedName) {
			w.waking.Lock()
			defer w.waking.Unlock()
			w.wakes = append(w.wakes, key)
		},
	}
	w.begin(t.Context())
	t.Cleanup(w.close)
	return w
}

// takeWakes returns the passes that were asked for since the last take.
func (w *world) takeWakes() []types.NamespacedName {
	w.waking.Lock()
	defer w.waking.Unlock()
	wakes := w.wakes
	w.wakes = nil
	return wakes
}

func (w *world) UpdateStatus(_ context.Context, t *v1alpha1.KVRocksTopology) error {
	if w.refuseStatus == nil {
		w.journal.add("status %d", t.Status.ObservedGeneration)
		w.reported = t.Status
	}
	return w.refuseStatus
}

// Expand expands a claim of the cluster, unless refuseExpansion is set.
func (w *world) Expand(_ context.Context, claim *corev1.PersistentVolumeClaim, size resource.Quantity) (*corev1.PersistentVolumeClaim, error) {
	w.journal.add("expand %s to %s", claim.Name, size.String())
	if w.refuseExpansion != nil {
		return nil, w.refuseExpansion
	}
	written := claim.DeepCopy()
	written.Spec.Resources.Requests[corev1.ResourceStorage] = size
	w.cluster.claims[claim.Name] = written
	return written, nil
}

func (w *world) Emit(t *v1alpha1.KVRocksTopology, e plan.Event) {
	w.journal.add("event %s %s", t.Name, e.Reason)
}

// standard adds a standard instance with healthy nodes: pod 0 is the master.
func (w *world) standard(name string, replicas int) types.NamespacedName {
	key := types.NamespacedName{Namespace: kubetest.Namespace, Name: name}
	t := &v1alpha1.KVRocksTopology{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: kubetest.Namespace, Name: name, UID: "uid-" + types.UID(name), ResourceVersion: "10", Generation: 1,
			OwnerReferences: []metav1.OwnerReference{{Kind: "KVRocks", Name: name, UID: "owner-" + types.UID(name)}},
		},
		Spec: v1alpha1.KVRocksTopologySpec{
			Type: v1alpha1.TypeStandard, Port: v1alpha1.DefaultPort,
			Shards: []v1alpha1.TopologyShard{{MasterName: name, Replicas: int32(replicas)}},
		},
	}
	for i := range replicas {
		pod := kubetest.DataPod(name, i)
		w.addPod(pod)
		n := &fakeNode{
			addr: pod.Status.PodIP, journal: w.journal, settings: map[string]string{},
			info: kvrocks.NodeInfo{Role: kvrocks.RoleReplica, LinkUp: true, Sequence: 7, MasterHost: "10.9.9.0", RunID: pod.Name},
		}
		if i == 0 {
			n.info = kvrocks.NodeInfo{Role: kvrocks.RoleMaster, Sequence: 7, RunID: pod.Name}
		}
		w.nodes[conn.JoinHostPort(pod.Status.PodIP, v1alpha1.DefaultPort)] = n
		t.Spec.Shards[0].Members = append(t.Spec.Shards[0].Members,
			v1alpha1.Member{Pod: pod.Name, Address: fmt.Sprintf("10.9.9.%d", i)})
	}
	w.cluster.topologies[key] = t
	return key
}

func (w *world) addPod(pod *corev1.Pod) {
	w.cluster.pods = append(w.cluster.pods, pod)
	_, err := w.client.CoreV1().Pods(pod.Namespace).Create(w.t.Context(), pod, metav1.CreateOptions{})
	require.NoError(w.t, err)
}

func (w *world) node(pod string) *fakeNode {
	for _, p := range w.cluster.pods {
		if p.Name == pod {
			return w.nodes[conn.JoinHostPort(p.Status.PodIP, v1alpha1.DefaultPort)]
		}
	}
	w.t.Fatalf("no pod %s", pod)
	return nil
}

// commands keeps of the journal what went to nodes.
func commands(lines []string) []string {
	return slices.DeleteFunc(lines, func(l string) bool { return !strings.HasPrefix(l, "10.") })
}
