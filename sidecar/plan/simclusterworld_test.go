package plan_test

import (
	"fmt"
	"slices"
	"time"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan"
)

// clusterWorld is a small model of all that plan.Cluster acts on: pods behind their Services, kvrocks nodes that follow the
// layout which they were told, kvrocks-controller with its record, sentinels that only detect, the topology in the API.
// Where the real programs leave a choice, it is random or the unkind one.
type clusterWorld struct {
	life
	pods       map[string]*clusterPod
	nodes      map[string]*clusterNode
	sentinels  map[string]*detector
	controller simController
	nextIP     int
	nextWrite  int
	// settled are, by shard, the writes that once were on every wanted member: they must never be lost.
	settled map[int32]map[int]bool
	// storm is the place of a shard in which faults come often until stormUntil.
	storm      int
	stormUntil time.Time
	// sidecarAway is until when no sidecar runs.
	sidecarAway time.Time
	// healed: no more faults.
	healed bool
}

// clusterPod is a pod; its volume is the node's log and outlives it.
type clusterPod struct {
	simPod
	// reachedUntil is how long after its gate was withdrawn the Service still leads to it.
	reachedUntil time.Time
}

// clusterNode is a kvrocks process in cluster mode, and its volume.
type clusterNode struct {
	simNode
	shard  int32
	id     string
	layout *plan.Layout // nil after every start
}

func newClusterWorld(seed uint64) *clusterWorld {
	w := &clusterWorld{
		life:      newLife(seed, 11, v1alpha1.TypeCluster),
		pods:      map[string]*clusterPod{},
		nodes:     map[string]*clusterNode{},
		sentinels: map[string]*detector{},
		settled:   map[int32]map[int]bool{},
	}
	w.topology.Spec.Migration = &v1alpha1.MigrationPolicy{}
	replicas := []int{1, 3, 3, 3}[w.rng.IntN(4)]
	for i := range int32(1 + w.rng.IntN(3)) {
		w.addShard(i, replicas)
	}
	if w.rng.IntN(3) > 0 {
		w.topology.Spec.Sentinel = &v1alpha1.SentinelRef{Name: "watch"}
		for range 3 {
			w.startSentinel()
		}
	}
	// As the hooks set it: slow where sentinels detect, fast where nobody else does.
	w.controller.interval = 20 * time.Second
	if w.topology.Spec.Sentinel == nil {
		w.controller.interval = time.Second
	}
	return w
}

func (w *clusterWorld) addShard(index int32, replicas int) {
	w.topology.Spec.Shards = append(w.topology.Spec.Shards, v1alpha1.TopologyShard{
		Index: index, MasterName: fmt.Sprint("orders.", index), Replicas: int32(replicas),
	})
	w.settled[index] = map[int]bool{}
	shard := &w.topology.Spec.Shards[len(w.topology.Spec.Shards)-1]
	for i := range replicas {
		w.join(shard, i)
	}
}

// join adds a member; its pod starts at once, with the volume that it had, if any.
func (w *clusterWorld) join(shard *v1alpha1.TopologyShard, ordinal int) {
	name := fmt.Sprintf("orders-%d-%d", shard.Index, ordinal)
	if w.nodes[name] == nil {
		w.names = append(w.names, name)
		w.nodes[name] = &clusterNode{shard: shard.Index, simNode: simNode{
			name: name, address: fmt.Sprintf("10.96.%d.%d", shard.Index, ordinal),
		}}
		w.pods[name] = &clusterPod{}
	}
	shard.Members = append(shard.Members, v1alpha1.Member{Pod: name, Address: w.nodes[name].address})
	w.pods[name].due = w.now
}

func (w *clusterWorld) newIP() string {
	w.nextIP++
	return fmt.Sprintf("10.244.%d.%d", w.nextIP/250, w.nextIP%250+1)
}

// shardOf is the shard of the topology; nil when it is gone.
func (w *clusterWorld) shardOf(index int32) *v1alpha1.TopologyShard {
	for i := range w.topology.Spec.Shards {
		if s := &w.topology.Spec.Shards[i]; s.Index == index {
			return s
		}
	}
	return nil
}

func (w *clusterWorld) isMember(name string) bool {
	s := w.shardOf(w.nodes[name].shard)
	return s != nil && slices.ContainsFunc(s.Members, func(m v1alpha1.Member) bool { return m.Pod == name })
}

// boot starts the process: as a replica of itself and without a layout, whatever it was before.
func (w *clusterWorld) boot(name string) {
	n, p := w.nodes[name], w.pods[name]
	if !p.exists {
		*p = clusterPod{simPod: simPod{exists: true, ip: w.newIP()}}
	}
	p.running = true
	*n = clusterNode{shard: n.shard, simNode: simNode{
		name: name, address: n.address, log: n.log, life: n.life + 1,
		host: "127.0.0.1", port: simPort, linkUp: true, loadEnd: n.loadEnd,
	}}
}

// up: the process runs and answers.
func (w *clusterWorld) up(name string) bool {
	p, n := w.pods[name], w.nodes[name]
	return p.exists && p.running && !n.hung && !w.now.Before(n.loadEnd)
}

// reachable: the node answers behind its Service, which takes a moment to follow the gate.
func (w *clusterWorld) reachable(name string) bool {
	p := w.pods[name]
	return w.up(name) && !p.deleting && (p.attached || w.now.Before(p.reachedUntil))
}

func (w *clusterWorld) byAddress(address string) *clusterNode {
	for _, name := range w.names {
		if w.nodes[name].address == address {
			return w.nodes[name]
		}
	}
	return nil
}

// advance lets one tick pass.
func (w *clusterWorld) advance() {
	w.now = w.now.Add(tick)
	w.startPods()
	for _, name := range w.names {
		w.replicate(w.nodes[name])
	}
	w.advanceSentinels()
	w.advanceController()
	w.write()
	w.settle()
}

// startPods is the StatefulSets and the kubelet.
func (w *clusterWorld) startPods() {
	for _, name := range w.names {
		p, n := w.pods[name], w.nodes[name]
		if n.hung && !w.now.Before(n.hungEnd) {
			n.hung = false
			w.say("%s wakes up", name)
		}
		if w.now.Before(p.due) {
			continue
		}
		switch {
		case p.deleting:
			*p = clusterPod{simPod: simPod{due: w.now.Add(w.some(20))}}
		case w.isMember(name) && (!p.exists || !p.running):
			w.boot(name)
			w.say("%s starts", name)
		case !w.isMember(name) && p.exists:
			*p = clusterPod{}
		}
	}
	w.hooks()
}

// replicate moves data from a node's master to it.
func (w *clusterWorld) replicate(n *clusterNode) {
	if !w.up(n.name) || n.master || n.host == "127.0.0.1" {
		return
	}
	src := w.byAddress(n.host)
	if src == nil || src == n {
		n.linkUp = false
		return
	}
	connected := n.source == &src.simNode && n.srcLife == src.life && w.pods[src.name].running
	if !connected {
		n.linkUp, n.source, n.syncing = false, nil, false
		if !w.reachable(src.name) {
			return
		}
		n.source, n.srcLife = &src.simNode, src.life
		n.syncing = !isPrefix(n.log, src.log)
		return
	}
	if src.hung {
		return // The link stays up.
	}
	if n.syncing {
		n.syncing = false
		n.log = slices.Clone(src.log)
		w.say("%s has fully synced %d writes from %s", n.name, len(n.log), src.name)
	}
	if !isPrefix(n.log, src.log) {
		n.source = nil // The source itself was replaced by a full sync.
		return
	}
	n.linkUp = true
	if behind := len(src.log) - len(n.log); behind > 0 {
		upto := len(n.log) + w.rng.IntN(behind+1)
		if w.rng.IntN(3) > 0 {
			upto = len(src.log)
		}
		n.log = append(n.log, src.log[len(n.log):upto]...)
	}
}

// write is the clients: they write to whom owns slots behind its Service, and some keep an old connection.
func (w *clusterWorld) write() {
	for _, name := range w.names {
		p, n := w.pods[name], w.nodes[name]
		if !w.up(name) || !n.owns() {
			continue
		}
		if served := p.attached && !p.deleting; served && w.rng.IntN(2) == 0 || w.rng.IntN(20) == 0 {
			w.nextWrite++
			n.log = append(n.log, w.nextWrite)
		}
	}
}
