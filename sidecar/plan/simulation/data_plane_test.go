package simulation

import (
	"fmt"
	"maps"
	"slices"

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
