package simulation

import (
	"time"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

// victim is a member of the shard for a fault, often its master.
func (d *dataPlane) victim(shard *v1alpha1.TopologyShard) string {
	m := shard.Members[d.rng.IntN(len(shard.Members))].Pod
	for _, last := range d.topology.Status.Shards {
		if last.Index == shard.Index && last.Master != "" && d.rng.IntN(2) == 0 && d.isMember(last.Master) {
			m = last.Master
		}
	}
	return m
}

// breakOne lets one of the faults happen to a member, or what is special to the operator.
func (d *dataPlane) breakOne(m string, faults []func(m string)) {
	if !d.operator.edit(m) {
		faults[d.rng.IntN(len(faults))](m)
	}
}

// kill ends a process; its container restarts.
func (d *dataPlane) kill(m string) {
	p, n := d.pods[m], d.nodes[m]
	if !p.running {
		return
	}
	p.running, p.due, n.life = false, d.now.Add(d.some(30)), n.life+1
	if d.rng.IntN(4) == 0 {
		n.loadEnd = p.due.Add(d.some(30))
	}
	d.say("FAULT %s is killed", m)
}

// removePod deletes a pod by force.
func (d *dataPlane) removePod(m string) {
	*d.pods[m] = simPod{due: d.now.Add(d.some(50))}
	d.say("FAULT pod %s is deleted", m)
}

// deletePod deletes a pod, which ends when it pleases.
func (d *dataPlane) deletePod(m string) {
	if p := d.pods[m]; p.exists {
		p.deleting, p.due = true, d.now.Add(d.some(20))
		p.running = p.running && d.rng.IntN(2) == 0
		d.say("FAULT pod %s is being deleted", m)
	}
}

// hang stops a process for a while; it goes on with what it was.
func (d *dataPlane) hang(m string) {
	if d.pods[m].running {
		d.nodes[m].hung, d.nodes[m].hungEnd = true, d.now.Add(d.some(80))
		d.say("FAULT %s hangs", m)
	}
}

// delay makes a process answer too late for a pass, as on a busy machine.
func (d *dataPlane) delay(m string) {
	d.nodes[m].lateEnd = d.now.Add(d.some(20))
	d.say("FAULT %s answers late", m)
}

// orphan deletes a pod by force whose process goes on for a while, with the clients and replicas that are connected to it.
func (d *dataPlane) orphan(m string) {
	p := d.pods[m]
	if !p.exists || !p.running {
		return
	}
	p.forced, p.attached, p.role, p.deleting, p.due = true, false, "", false, d.now.Add(d.some(25))
	d.say("FAULT pod %s is deleted by force, its process goes on", m)
}

// newTemplate has the pods rolled.
func (d *dataPlane) newTemplate(string) { d.operator.newTemplate() }

// loseSidecar has no sidecar run for a while.
func (d *dataPlane) loseSidecar(string) {
	d.sidecarAway = d.now.Add(d.some(60))
	d.say("FAULT the sidecar is away until %s", d.sidecarAway.Format("04:05.0"))
}

// handoff announces that a pod is about to be updated, or no longer.
func (d *dataPlane) handoff(m string) { d.operator.handoff(m) }

func (o scripted) handoff(m string) {
	d, shard := o.d, o.d.shardOf(o.d.nodes[m].shard)
	switch {
	case d.inMotion():
	case len(shard.Handoff) > 0 || len(shard.Members) == 1:
		shard.Handoff = nil
	default:
		shard.Handoff = []string{m}
	}
	d.topology.Generation++
	d.say("handoff of shard %d: %v", shard.Index, shard.Handoff)
}

// heal ends the faults of nodes, and takes back what was asked of them.
func (d *dataPlane) heal() {
	d.healed = true
	for _, s := range d.sentinels {
		s.downEnd, s.tiltEnd = time.Time{}, time.Time{}
	}
	d.say("healed")
	for _, n := range d.nodes {
		n.loadEnd, n.blockedEnd, n.fullEnd = time.Time{}, time.Time{}, time.Time{}
	}
	d.sidecarAway, d.sentinelGone = time.Time{}, false
	d.operator.heal()
}

func (o scripted) heal() {
	d := o.d
	if d.broken[d.revision] {
		d.revision++
	}
	d.topology.Spec.Failover.MaxLostWrites = nil // as the message of the condition says
	if !d.inMotion() {
		for i := range d.topology.Spec.Shards {
			d.topology.Spec.Shards[i].Handoff = nil
		}
	}
	d.topology.Generation++
}
