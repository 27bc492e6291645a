package reconcile

import (
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/claims"
	"github.com/kvrocks/kvrocks-operator/sidecar/conn"
	"github.com/kvrocks/kvrocks-operator/sidecar/kube"
	"github.com/kvrocks/kvrocks-operator/sidecar/kvrocks"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/lag"
)

// instance is what is remembered of one topology between passes: its connections and what was read over them. One pass at
// a time uses it; only the trigger is set from other goroutines.
type instance struct {
	credentials conn.Credentials
	nodes       map[string]*node         // by pod
	sentinels   map[string]*sentinelView // by pod
	orphans     []*node                  // masters whose pod is gone
	layouts     layouts                  // of a cluster
	controller  kvrocksController        // of a cluster
	// lastMaster is when the node of a pod last served as master, also for a pod that was replaced since.
	lastMaster map[string]time.Time
	// refusals are the last answers to expansions of volumes that were refused, by claim.
	refusals map[string]claims.Refusal
	// uid of the topology.
	uid types.UID
	// generation of the topology that the settings were compared with.
	generation int64
	// settled is true when the last pass found nothing to do and no node missing.
	settled bool
	trigger *trigger
	// actions of the last pass in words; the same ones again are slowed down.
	actions string
	// loggedFailure is the last failure that was logged.
	loggedFailure string
}

// trigger tells the passes of an instance what happened between them.
type trigger struct {
	// dirty is true when something did, so that the next pass must be a full probe.
	dirty atomic.Bool
	// urgent is true when a sentinel said that the master is down or is being replaced, until the instance has settled.
	urgent atomic.Bool
}

func newInstance(b *trigger) *instance {
	return &instance{
		nodes: map[string]*node{}, sentinels: map[string]*sentinelView{}, lastMaster: map[string]time.Time{}, trigger: b,
	}
}

// connect brings the connections in line with the pods.
func (i *instance) connect(
	t *v1alpha1.KVRocksTopology, pods map[string]*corev1.Pod, dial func(*node, kvrocks.Secret) conn.DataNode, now time.Time,
) {
	i.pruneOrphans()
	for _, pod := range pods {
		i.connectPod(t, pod, dial, now)
	}
	for name, have := range i.nodes {
		if pods[name] == nil && !have.outlives() {
			i.orphan(i.drop(have, now))
		}
	}
	for _, n := range i.nodes {
		n.maxLag = lag.Max(t.Spec.Failover)
	}
	if i.generation != t.Generation {
		i.generation = t.Generation
		i.readSettings()
	}
}

// connectPod gives up the connection to what a pod was, and makes one to what it is.
func (i *instance) connectPod(
	t *v1alpha1.KVRocksTopology, pod *corev1.Pod, dial func(*node, kvrocks.Secret) conn.DataNode, now time.Time,
) {
	name, facts := pod.Name, kube.FactsOf(pod)
	addr := conn.JoinHostPort(facts.IP, t.Spec.Port)
	have := i.nodes[name]
	switch {
	case have == nil:
	case have.uid == facts.UID:
		have.seen.Outlives = false
		if facts.IP == "" || have.addr != addr {
			i.drop(have, now).close()
		}
	case facts.IP != "" || !have.outlives():
		i.orphan(i.drop(have, now))
	}
	if facts.IP != "" && i.nodes[name] == nil {
		n := newNode(name, facts.UID, addr, dial)
		n.seen.LastMaster = i.lastMaster[name]
		if t.Spec.Type == v1alpha1.TypeCluster {
			n.layouts = &i.layouts
		}
		i.nodes[name] = n
	}
}

// readSettings makes the next pass compare the settings of every node.
func (i *instance) readSettings() {
	for _, n := range i.nodes {
		n.configAt = time.Time{}
	}
}

// drop gives a node up, except for its connection.
func (i *instance) drop(n *node, now time.Time) *node {
	n.servedUntil(now)
	if !n.seen.LastMaster.IsZero() {
		i.lastMaster[n.pod] = n.seen.LastMaster
	}
	delete(i.nodes, n.pod)
	return n
}

func (i *instance) close(now time.Time) {
	for _, n := range i.nodes {
		i.drop(n, now).close()
	}
	for _, n := range i.orphans {
		n.close()
	}
	i.orphans = nil
	i.controller.close()
}
