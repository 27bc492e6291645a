package plan_test

import (
	"fmt"
	"slices"
	"time"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan"
)

// world is a small model of all that the planner acts on: pods behind their Services, kvrocks nodes, sentinels, the
// topology in the API. Only what the safety rules depend on is modelled; where the real programs leave a choice, it is
// random or the unkind one.
type world struct {
	life
	pods      map[string]*simPod
	nodes     map[string]*simNode
	sentinels map[string]*simSentinel
	// sentinelGone: the sentinel instance does not exist.
	sentinelGone bool
	nextIP       int
	nextWrite    int
	// settled are the writes that once were on every wanted member: they must never be lost.
	settled map[int]bool
}

// simPod is a pod; its volume is the node's log and outlives it.
type simPod struct {
	exists   bool
	ip       string
	running  bool
	deleting bool
	attached bool
	role     v1alpha1.Role
	// due is when the pod or its process is to be (re)started, or a deleting pod is to vanish.
	due time.Time
}

// simNode is a kvrocks process and its volume.
type simNode struct {
	name     string
	address  string
	log      []int // the writes that it holds, in order: its sequence is their number
	master   bool
	host     string
	port     int32
	priority int32
	// source is the node that it has a replication connection with; it outlives the Service's endpoints.
	source  *simNode
	life    int // counts the starts of the process
	srcLife int
	linkUp  bool
	syncing bool
	hung    bool
	hungEnd time.Time
	loadEnd time.Time
	// promotedBySentinel is when a sentinel last made it master.
	promotedBySentinel time.Time
}

func newWorld(seed uint64, replicas, sentinels int) *world {
	w := &world{
		life:      newLife(seed, 7, v1alpha1.TypeStandard),
		pods:      map[string]*simPod{},
		nodes:     map[string]*simNode{},
		sentinels: map[string]*simSentinel{},
		settled:   map[int]bool{},
	}
	w.topology.Spec.Shards = []v1alpha1.TopologyShard{{MasterName: "orders", Replicas: int32(replicas)}}
	for i := range replicas {
		w.join(i)
	}
	if sentinels > 0 {
		w.topology.Spec.Sentinel = &v1alpha1.SentinelRef{Name: "watch"}
		for i := range sentinels {
			w.startSentinel(fmt.Sprintf("watch-%d", i))
		}
	}
	return w
}

func (w *world) shard() *v1alpha1.TopologyShard { return &w.topology.Spec.Shards[0] }

// join adds a member; its pod starts at once, with the volume that it had, if any.
func (w *world) join(ordinal int) {
	name := fmt.Sprintf("orders-%d", ordinal)
	if w.nodes[name] == nil {
		w.names = append(w.names, name)
		w.nodes[name] = &simNode{name: name, address: fmt.Sprintf("10.96.0.%d", ordinal+1)}
		w.pods[name] = &simPod{}
	}
	w.shard().Members = append(w.shard().Members, v1alpha1.Member{Pod: name, Address: w.nodes[name].address})
	w.pods[name].due = w.now
}

func (w *world) newIP() string {
	w.nextIP++
	return fmt.Sprintf("10.244.%d.%d", w.nextIP/250, w.nextIP%250+1)
}

// boot starts the process: as a replica of itself, whatever it was before.
func (w *world) boot(name string) {
	n, p := w.nodes[name], w.pods[name]
	if !p.exists {
		*p = simPod{exists: true, ip: w.newIP()}
	}
	p.running = true
	*n = simNode{
		name: name, address: n.address, log: n.log, life: n.life + 1,
		host: "127.0.0.1", port: simPort, priority: 100, linkUp: true, loadEnd: n.loadEnd,
	}
}

// up: the process runs and answers.
func (w *world) up(name string) bool {
	p, n := w.pods[name], w.nodes[name]
	return p.exists && p.running && !n.hung && !w.now.Before(n.loadEnd)
}

// reachable: the node answers behind its Service.
func (w *world) reachable(name string) bool {
	return w.up(name) && w.pods[name].attached && !w.pods[name].deleting
}

func (w *world) byAddress(address string) *simNode {
	for _, name := range w.names {
		if w.nodes[name].address == address {
			return w.nodes[name]
		}
	}
	return nil
}

func (w *world) isMember(name string) bool {
	return slices.ContainsFunc(w.shard().Members, func(m v1alpha1.Member) bool { return m.Pod == name })
}

// advance lets one tick pass.
func (w *world) advance() {
	w.now = w.now.Add(tick)
	w.startPods()
	for _, name := range w.names {
		w.replicate(w.nodes[name])
	}
	w.advanceSentinels()
	w.write()
	w.settle()
}

// startPods is the StatefulSet and the kubelet.
func (w *world) startPods() {
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
			*p = simPod{due: w.now.Add(w.some(20))}
		case w.isMember(name) && (!p.exists || !p.running):
			w.boot(name)
			w.say("%s starts", name)
		case !w.isMember(name) && p.exists:
			*p = simPod{}
		}
	}
	w.scaleDown()
}

// scaleDown is the hook: pods beyond the wanted number leave when the sidecar grants it.
func (w *world) scaleDown() {
	shard := w.shard()
	if len(w.topology.Status.Shards) == 0 || w.topology.Status.ObservedGeneration != w.topology.Generation ||
		w.topology.Status.Shards[0].ScaleTo != shard.Replicas || len(shard.Members) <= int(shard.Replicas) {
		return
	}
	w.say("scaled down to %d", shard.Replicas)
	shard.Members = shard.Members[:shard.Replicas:shard.Replicas]
	shard.Handoff = nil
	w.topology.Generation++
}

// replicate moves data from a node's master to it.
func (w *world) replicate(n *simNode) {
	if !w.up(n.name) || n.master || n.host == "127.0.0.1" {
		return
	}
	src := w.byAddress(n.host)
	if src == nil || src == n {
		n.linkUp = false
		return
	}
	connected := n.source == src && n.srcLife == src.life && w.pods[src.name].running
	if !connected {
		n.linkUp, n.source, n.syncing = false, nil, false
		if !w.reachable(src.name) {
			return
		}
		n.source, n.srcLife = src, src.life
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
	behind := len(src.log) - len(n.log)
	if behind > 0 {
		upto := len(n.log) + w.rng.IntN(behind+1)
		if w.rng.IntN(3) > 0 {
			upto = len(src.log)
		}
		n.log = append(n.log, src.log[len(n.log):upto]...)
	}
}

func isPrefix(a, b []int) bool { return len(a) <= len(b) && slices.Equal(a, b[:len(a)]) }

// write is the clients: they write to what the master's Service leads to, and some keep an old connection.
func (w *world) write() {
	for _, name := range w.names {
		p, n := w.pods[name], w.nodes[name]
		if !w.up(name) || !n.master {
			continue
		}
		served := p.attached && p.role == v1alpha1.RoleMaster && !p.deleting
		if served && w.rng.IntN(2) == 0 || w.rng.IntN(20) == 0 {
			w.nextWrite++
			n.log = append(n.log, w.nextWrite)
		}
	}
}

// settle notes the writes that every member holds, and that therefore must never be lost.
func (w *world) settle() {
	shard := w.shard()
	if len(shard.Members) < int(shard.Replicas) {
		return
	}
	var common []int
	for i, m := range shard.Members {
		log := w.nodes[m.Pod].log
		if i == 0 {
			common = log
		}
		k := 0
		for k < len(common) && k < len(log) && common[k] == log[k] {
			k++
		}
		common = common[:k]
	}
	for i := len(common) - 1; i >= 0 && !w.settled[common[i]]; i-- {
		w.settled[common[i]] = true
	}
}

// lacks returns a settled write that the log lacks, or 0.
func (w *world) lacks(log []int) int {
	if len(w.settled) == 0 {
		return 0
	}
	n := 0
	for _, id := range log {
		if w.settled[id] {
			n++
		}
	}
	if n == len(w.settled) {
		return 0
	}
	for id := range w.settled {
		if !slices.Contains(log, id) {
			return id
		}
	}
	return 0
}

// observe is what the sidecar sees of a node.
func (w *world) observe(name string) plan.Node {
	p, n := w.pods[name], w.nodes[name]
	switch {
	case !p.exists || !p.running:
		return plan.Node{Reach: plan.Down, Err: "connection refused"}
	case n.hung:
		return plan.Node{Reach: plan.Hung, Err: "no answer"}
	case w.now.Before(n.loadEnd):
		return plan.Node{Reach: plan.Loading, Err: "LOADING"}
	}
	node := plan.Node{
		Reach: plan.Answered, RunID: fmt.Sprint(name, n.life), Role: v1alpha1.RoleMaster,
		Sequence: int64(len(n.log)), Empty: len(n.log) == 0, Priority: n.priority,
	}
	if !n.master {
		node.Role, node.MasterHost, node.MasterPort = v1alpha1.RoleReplica, n.host, n.port
		node.LinkUp, node.Syncing = n.linkUp, n.syncing
	}
	return node
}
