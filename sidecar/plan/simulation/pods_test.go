package simulation

import (
	"maps"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan"
)

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

// dropShards forgets the writes of shards that have left: their slots, and the keys in them, are elsewhere.
func (d *dataPlane) dropShards() {
	gone := func(index int32, _ map[int]bool) bool { return d.shardOf(index) == nil }
	maps.DeleteFunc(d.settled, gone)
	maps.DeleteFunc(d.safe, gone)
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
