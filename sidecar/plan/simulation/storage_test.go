package simulation

import (
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/storage"
)

// The volumes of a simulated life: they are half full, or full.
const simCapacity, simUsed = 100 << 30, 50 << 30

// fill leaves no space on the volume of a node for a while.
func (d *dataPlane) fill(m string) {
	d.nodes[m].fullEnd = d.now.Add(d.some(200))
	d.say("FAULT the volume of %s is full", m)
}

func (d *dataPlane) full(n *simNode) bool { return d.now.Before(n.fullEnd) }

// measureDisk is what the sidecar sees of the volume.
func (d *dataPlane) measureDisk(n *simNode, node *plan.Node) {
	node.Disk = storage.Disk{Capacity: simCapacity, Used: simUsed}
	if !d.full(n) {
		return
	}
	node.Disk.Used = simCapacity
	if n.master {
		node.Refusal = storage.RefusalNoSpace
	}
}

// checkAvailable: what a report calls available takes writes. It is about what was observed: now is the time of both.
func (d *dataPlane) checkAvailable(st *v1alpha1.KVRocksTopologyStatus) {
	c := meta.FindStatusCondition(st.Conditions, v1alpha1.ConditionPrimaryAvailable)
	if c == nil || c.Status != metav1.ConditionTrue {
		return
	}
	for i := range st.Shards {
		if n := d.nodes[st.Shards[i].Master]; n != nil && n.master && d.full(n) && d.up(n.name) {
			d.violated("%s is called available and its volume is full", n.name)
		}
	}
}

// checkRoom: a master that only lacks room hands over to a member that has some.
func (d *dataPlane) checkRoom(st *v1alpha1.KVRocksTopologyStatus) {
	for i := range st.Shards {
		o, before := st.Shards[i].Outage, d.reportedShard(st.Shards[i].Index)
		if o == nil || o.Cause != v1alpha1.CauseHandover || before == nil || before.Outage != nil {
			continue
		}
		m, t := d.nodes[o.Master], d.nodes[o.Target]
		spec := d.shardOf(st.Shards[i].Index)
		wanted := d.pods[o.Master].deleting || d.now.Before(d.pods[o.Master].due)
		for _, pod := range spec.Handoff {
			wanted = wanted || pod == o.Master
		}
		if t != nil && !wanted && d.full(m) && d.full(t) {
			d.violated("%s hands over for want of room to %s, which has none", m.name, t.name)
		}
	}
}
