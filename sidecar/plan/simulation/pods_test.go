package simulation

import (
	"fmt"
	"maps"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/action"
)

// dataPlane is what the worlds of standard instances and of clusters share: pods behind their Services with kvrocks nodes in
// them, replication between those, the operator, and which writes must never be lost. In a standard instance there is one
// shard, number 0.
type dataPlane struct {
	life

	operator  operator
	sentinels map[string]*simSentinel
	// sentinelBase is what the numbers of sentinels that come later begin after. sentinelGone: their instance does not exist.
	sentinelBase int
	sentinelGone bool

	nodes     map[string]*simNode
	nextIP    int
	nextWrite int
	// settled are, by shard, the writes that once were on every wanted member: they must never be lost.
	settled map[int32]map[int]bool
	// safe are, by shard, the writes that all members in sync hold, and backups those of the volumes, by pod.
	safe    map[int32]map[int]bool
	backups map[string]simVolume
	inSync  map[int32]map[string]bool // by shard, the volumes of the members in sync while a master was proved
	volumes int                       // counts them
	// emptyFirst: slave-empty-db-before-fullsync; oldTemplate: pods tell no identity of their volumes.
	emptyFirst, oldTemplate bool
	// revision of the template that pods are made from; those of a broken one never run.
	revision int
	broken   map[int]bool
	// readSettings: the settings of nodes are read in this pass.
	readSettings bool
}

// simPod is a pod; its volume is the node's log and outlives it.
type simPod struct {
	exists   bool
	ip       string
	running  bool
	deleting bool
	// forced: the API has no such pod any more, and its process goes on until due.
	forced   bool
	attached bool
	// readySince is when the Service begins to lead to an attached pod.
	readySince time.Time
	role       v1alpha1.Role
	revision   int    // of the template that it was made from
	saved      string // what the volume remembered when the pod was made
	// reported and told are when the API server learns that the process runs, and what the volume remembered: the node answers
	// before.
	reported, told time.Time
	// due is when the pod or its process is to be (re)started, or a deleting pod is to vanish.
	due time.Time
	// reachedUntil is how long after its gate was withdrawn the Service still leads to it. The lives of standard instances
	// have the Service follow at once.
	reachedUntil time.Time
	// backingOff: Kubernetes waits before it starts the container again.
	backingOff bool

	// Where the hooks make the topology: the template, its name in Kubernetes, and the kvrocks.conf that the pod mounts.
	template     *corev1.PodTemplateSpec
	revisionName string
	madeAt       time.Time
	mounted      string
}

// observe is what the sidecar sees of a pod.
func (p *simPod) observe(now time.Time) plan.Pod {
	seen := plan.Pod{UID: "uid-" + p.ip, IP: p.ip, Deleting: p.deleting, Attached: p.attached, Role: p.role, BackingOff: p.backingOff}
	if seen.Unready = p.attached && now.Before(p.readySince); !seen.Unready {
		seen.ReadySince = p.readySince.Truncate(time.Second)
	}
	if !now.Before(p.reported) {
		seen.Running = p.running
	}
	if !now.Before(p.told) {
		seen.Saved = p.saved
	}
	return seen
}

// attach grants the gate; kubelet takes a moment to say that the pod is Ready.
func (d *dataPlane) attach(pod string) {
	d.pods[pod].attached, d.pods[pod].readySince = true, d.now.Add(time.Duration(d.rng.IntN(2000))*time.Millisecond)
}

// detach withdraws the gate; the Service takes a moment to follow.
func (l *life) detach(p *simPod) {
	if p.attached {
		p.attached, p.reachedUntil = false, l.now.Add(l.some(3)-tick)
	}
}

// simNode is a kvrocks process and its volume.
type simNode struct {
	name     string
	address  string
	shard    int32
	log      []int // the writes that it holds, in order: its sequence is their number
	master   bool
	host     string
	port     int32
	priority int32
	// fullEnd is until when no space is left on the volume.
	fullEnd time.Time
	// blockedEnd is until when nothing is fed to the node, though its link is up.
	blockedEnd time.Time
	// source is the node that it has a replication connection with; it outlives the Service's endpoints.
	source  *simNode
	life    int // counts the starts of the process
	srcLife int
	// staleFeeds are the addresses of processes that are gone without a word, and that the node goes on feeding until it restarts.
	staleFeeds []string
	linkUp     bool
	syncing    bool
	syncEnd    time.Time
	emptied    bool   // in a full sync that has deleted the old data
	volumeID   string // empty: the volume was never mounted
	hung       bool
	hungEnd    time.Time
	lateEnd    time.Time // until then it serves and answers the sidecar too late
	loadEnd    time.Time
	toldLayout        // in cluster mode only
	saved      string // nodes.conf.last: what the process before this one was told
	// settings are those of its process, which began at bootedAt; known only where the hooks make them.
	settings map[string]string
	bootedAt time.Time
}

func newDataPlane(seed, stream uint64, mode v1alpha1.InstanceType) dataPlane {
	d := dataPlane{
		life: newLife(seed, stream, mode), safe: map[int32]map[int]bool{}, backups: map[string]simVolume{},
		inSync: map[int32]map[string]bool{}, sentinels: map[string]*simSentinel{}, broken: map[int]bool{}, nodes: map[string]*simNode{}, settled: map[int32]map[int]bool{},
	}
	d.emptyFirst, d.oldTemplate = d.rng.IntN(2) == 0, d.rng.IntN(5) == 0
	return d
}

func (d *dataPlane) addShard(index int32, masterName string, replicas int) {
	d.topology.Spec.Shards = append(d.topology.Spec.Shards, v1alpha1.TopologyShard{
		Index: index, MasterName: masterName, Replicas: int32(replicas),
	})
	d.knowShard(index)
	shard := &d.topology.Spec.Shards[len(d.topology.Spec.Shards)-1]
	for i := range replicas {
		d.join(shard, i)
	}
}

// join adds a member; its pod starts at once, with the volume that it had, if any.
func (d *dataPlane) join(shard *v1alpha1.TopologyShard, ordinal int) {
	name, address := fmt.Sprintf("orders-%d-%d", shard.Index, ordinal), fmt.Sprintf("10.96.%d.%d", shard.Index, ordinal)
	if d.topology.Spec.Type == v1alpha1.TypeStandard {
		name, address = fmt.Sprintf("orders-%d", ordinal), fmt.Sprintf("10.96.0.%d", ordinal+1)
	}
	d.know(name, address, shard.Index)
	shard.Members = append(shard.Members, v1alpha1.Member{Pod: name, Address: address})
	d.pods[name].due = d.now
}

// know makes room for a pod that there may be.
func (d *dataPlane) know(name, address string, shard int32) {
	if d.nodes[name] == nil {
		d.names = append(d.names, name)
		d.nodes[name] = &simNode{name: name, address: address, shard: shard}
		d.pods[name] = &simPod{}
	}
}

func (d *dataPlane) knowShard(index int32) {
	if d.settled[index] == nil {
		d.settled[index], d.safe[index] = map[int]bool{}, map[int]bool{}
	}
}

// dropShards forgets the writes of shards that have left: their slots, and the keys in them, are elsewhere.
func (d *dataPlane) dropShards() {
	gone := func(index int32, _ map[int]bool) bool { return d.shardOf(index) == nil }
	maps.DeleteFunc(d.settled, gone)
	maps.DeleteFunc(d.safe, gone)
}

func (d *dataPlane) newIP() string {
	d.nextIP++
	return fmt.Sprintf("10.244.%d.%d", d.nextIP/250, d.nextIP%250+1)
}

// shardOf is the shard of the topology; nil when it is gone.
func (d *dataPlane) shardOf(index int32) *v1alpha1.TopologyShard {
	for i := range d.topology.Spec.Shards {
		if s := &d.topology.Spec.Shards[i]; s.Index == index {
			return s
		}
	}
	return nil
}

func (d *dataPlane) isMember(name string) bool {
	s := d.shardOf(d.nodes[name].shard)
	return s != nil && slices.ContainsFunc(s.Members, func(m v1alpha1.Member) bool { return m.Pod == name })
}

// up: the process runs and answers.
func (d *dataPlane) up(name string) bool {
	p, n := d.pods[name], d.nodes[name]
	return p.exists && p.running && !n.hung && !n.emptied && !d.now.Before(n.loadEnd)
}

// reachable: the node answers behind its Service.
func (d *dataPlane) reachable(name string) bool {
	p := d.pods[name]
	return d.up(name) && !p.deleting && !p.forced && (p.attached || d.now.Before(p.reachedUntil))
}

func (d *dataPlane) byAddress(address string) *simNode {
	for _, name := range d.names {
		if d.nodes[name].address == address {
			return d.nodes[name]
		}
	}
	return nil
}

// advancePods lets one tick pass for pods and replication.
func (d *dataPlane) advancePods() {
	d.now = d.now.Add(tick)
	d.startPods()
	d.operator.advance()
	for _, name := range d.names {
		d.replicate(d.nodes[name])
	}
	d.noteSafe()
}

// startPods is the StatefulSets and the kubelet.
func (d *dataPlane) startPods() {
	for _, name := range d.names {
		p, n := d.pods[name], d.nodes[name]
		if n.hung && !d.now.Before(n.hungEnd) {
			n.hung = false
			d.say("%s wakes up", name)
		}
		if d.now.Before(p.due) {
			continue
		}
		switch {
		case p.forced:
			*p = simPod{due: d.now.Add(d.some(3))}
			d.say("%s ends", name)
		case p.deleting:
			*p = simPod{due: d.now.Add(d.some(20))}
		case d.operator.wants(name) && (!p.exists || !p.running):
			d.boot(name)
			d.say("%s starts: %v", name, p.running)
		case !d.operator.wants(name) && p.exists:
			d.operator.leave(name)
		}
	}
}

// boot starts the process: as a replica of itself and without a layout, whatever it was before.
func (d *dataPlane) boot(name string) {
	n, p := d.nodes[name], d.pods[name]
	saved := n.saved
	if n.layout != nil {
		saved = savedWords(n.toldLayout)
	}
	if !p.exists {
		*p = simPod{exists: true, ip: d.newIP(), saved: d.told(n, saved)}
		d.operator.made(name, p)
	}
	if d.broken[p.revision] {
		p.due = d.now.Add(d.some(50))
		return
	}
	if n.source != nil && n.linkUp && d.rng.IntN(4) == 0 {
		n.source.staleFeeds = append(n.source.staleFeeds, n.address)
	}
	p.running, p.backingOff, p.reported = true, false, d.now.Add(d.some(3)-tick)
	if p.told.IsZero() { // A container that restarts in its pod does not make the API server forget.
		p.told = p.reported
	}
	priority := int32(100)
	if d.topology.Spec.Failover.MaxLostWrites != nil {
		priority = 0 // hooks/kvrocksconf/settings.go
	}
	settings := settingsIn(p.mounted)
	*n = simNode{
		name: name, address: n.address, shard: n.shard, log: n.log, saved: saved, life: n.life + 1, fullEnd: n.fullEnd,
		host: "127.0.0.1", port: simPort, priority: priority, linkUp: true, loadEnd: n.loadEnd, volumeID: n.volumeID,
		settings: settings, bootedAt: d.now,
	}
}

// replicate moves data from a node's master to it.
func (d *dataPlane) replicate(n *simNode) {
	if !d.up(n.name) && !d.loadingSync(n) || n.master || n.host == "127.0.0.1" {
		return
	}
	src := d.byAddress(n.host)
	if src == nil || src == n {
		n.linkUp = false
		return
	}
	connected := n.source == src && n.srcLife == src.life && d.pods[src.name].running
	if !connected && n.syncing {
		d.abortFullSync(n)
		return
	}
	if !connected {
		n.linkUp, n.source, n.syncing = false, nil, false
		if !d.reachable(src.name) {
			return
		}
		n.source, n.srcLife = src, src.life
		if !isPrefix(n.log, src.log) {
			d.fullSync(n)
		}
		return
	}
	if src.hung {
		return // The link stays up.
	}
	if d.full(n) {
		n.linkUp = false // what comes cannot be written, so it asks again and again
		return
	}
	if n.syncing {
		if d.now.Before(n.syncEnd) {
			return
		}
		n.syncing, n.emptied = false, false
		n.log = slices.Clone(src.log)
		d.say("%s has fully synced %d writes from %s", n.name, len(n.log), src.name)
	}
	if !isPrefix(n.log, src.log) {
		n.source = nil // The source itself was replaced by a full sync.
		return
	}
	n.linkUp = true
	if d.now.Before(n.blockedEnd) {
		return
	}
	if behind := len(src.log) - len(n.log); behind > 0 {
		upto := len(n.log) + d.rng.IntN(behind+1)
		if d.rng.IntN(3) > 0 {
			upto = len(src.log)
		}
		n.log = append(n.log, src.log[len(n.log):upto]...)
	}
}

// loadingSync: the node is in a full sync that has closed its database.
func (d *dataPlane) loadingSync(n *simNode) bool {
	p := d.pods[n.name]
	return n.emptied && p.exists && p.running && !n.hung
}

func isPrefix(a, b []int) bool { return len(a) <= len(b) && slices.Equal(a, b[:len(a)]) }

// follow makes a node a replica of another master, with a link that is not up yet.
func (n *simNode) follow(host string, port int32) {
	n.master, n.host, n.port = false, host, port
	n.source, n.linkUp, n.syncing = nil, false, false
}

// put is a write that the node takes.
func (d *dataPlane) put(n *simNode) {
	d.nextWrite++
	n.log = append(n.log, d.nextWrite)
}

// clients write to a node that takes writes when their Service leads to it, and some keep an old connection.
func (d *dataPlane) clients(n *simNode, served bool) {
	if !d.full(n) && (served && d.rng.IntN(2) == 0 || d.rng.IntN(20) == 0) {
		d.put(n)
	}
}

// late: the node serves, and answers the sidecar too late.
func (d *dataPlane) late(n *simNode) bool { return d.now.Before(n.lateEnd) }

// input is what the sidecar observes; observe is what it sees of one node, and electing what of a sentinel.
func (d *dataPlane) input(observe func(pod string) plan.Node, electing func(*simMonitor) bool) plan.Input {
	d.readSettings = d.operator.readSettings()
	in := d.life.input(observe)
	in.Sentinels = d.observeSentinels(electing)
	return in
}

// observe is what the sidecar sees of a node, apart from its layout.
func (d *dataPlane) observe(name string) plan.Node {
	p, n := d.pods[name], d.nodes[name]
	switch {
	case !p.exists || !p.running:
		return plan.Node{Reach: plan.Unreachable, Err: "connection refused"}
	case n.hung || d.late(n):
		return plan.Node{Reach: plan.Unresponsive, Err: "no answer"}
	case d.now.Before(n.loadEnd) || n.emptied:
		return plan.Node{Reach: plan.Loading, Err: "LOADING"}
	}
	node := plan.Node{
		Reach: plan.Answered, RunID: fmt.Sprint(name, n.life), Role: v1alpha1.RoleMaster,
		Sequence: int64(len(n.log)), Priority: n.priority, Replicas: n.staleFeeds,
	}
	d.measureDisk(n, &node)
	if d.readSettings {
		node.Config = map[string]string{}
		for name := range d.topology.Spec.Config {
			node.Config[name] = n.settings[name]
		}
	}
	if !n.master {
		node.Role, node.MasterHost, node.MasterPort = v1alpha1.RoleReplica, n.host, n.port
		node.LinkUp, node.Syncing = n.linkUp, n.syncing
	}
	return node
}

// apply carries out an action that is the same in a standard instance and in a cluster.
func (d *dataPlane) apply(a action.Action) error {
	switch a := a.(type) {
	case action.DeletePod:
		return d.replacePod(a)
	case action.Label:
		d.checkLabel(a)
		d.pods[a.Pod].role = a.Role
	case action.Configure:
		n := d.nodes[a.Pod]
		if d.up(a.Pod) && n.settings != nil {
			maps.Copy(n.settings, a.Settings)
		}
		if v, ok := a.Settings["slave-priority"]; ok {
			n.priority = map[string]int32{"0": 0, "100": 100}[v]
		}
	case action.WriteMarker:
		d.put(d.nodes[a.Pod])
	case action.Monitor:
		return d.monitor(a)
	case action.Unmonitor:
		if !d.sentinelUp(d.sentinels[a.Sentinel]) {
			return errRefused
		}
		delete(d.sentinels[a.Sentinel].monitors, a.MasterName)
	case action.Tune:
		if m := d.sentinels[a.Sentinel].monitors[a.MasterName]; m != nil {
			m.quorum, m.settings = a.Quorum, a.Failover
		}
	default:
		return fmt.Errorf("unexpected action %T", a)
	}
	return nil
}

func (d *dataPlane) describe() string {
	text := d.life.describe()
	for _, name := range d.names {
		n, p := d.nodes[name], d.pods[name]
		text += fmt.Sprintf("%s exists=%v running=%v deleting=%v attached=%v role=%s template=%d up=%v v=%d master=%v ->%s link=%v writes=%d\n",
			name, p.exists, p.running, p.deleting, p.attached, p.role, p.revision, d.up(name), n.version(), n.master, n.host, n.linkUp, len(n.log))
	}
	return text
}
