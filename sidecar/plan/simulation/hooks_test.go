package simulation

import (
	"slices"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/action"
)

// grant lets pods and shards leave when the sidecar grants it.
func (o scripted) grant() {
	d := o.d
	st := &d.topology.Status
	if st.ObservedGeneration != d.topology.Generation {
		return
	}
	for _, last := range st.Shards {
		shard := d.shardOf(last.Index)
		switch {
		case shard == nil:
		case shard.Leaving && last.Removable:
			d.say("shard %d is removed", shard.Index)
			d.topology.Spec.Shards = slices.DeleteFunc(d.topology.Spec.Shards, func(s v1alpha1.TopologyShard) bool { return s.Index == last.Index })
			d.dropShards()
			d.topology.Generation++
			return
		case !shard.Leaving && last.ScaleTo == shard.Replicas && len(shard.Members) > int(shard.Replicas):
			d.say("shard %d is scaled down to %d", shard.Index, shard.Replicas)
			shard.Members = shard.Members[:shard.Replicas:shard.Replicas]
			shard.Handoff = nil
			d.topology.Generation++
			return
		}
	}
}

// inMotion: a change of the spec has not been carried out yet.
func (d *dataPlane) inMotion() bool {
	return slices.ContainsFunc(d.topology.Spec.Shards, func(s v1alpha1.TopologyShard) bool {
		return s.Leaving || len(s.Members) != int(s.Replicas)
	})
}

// scaleTo one of the wanted numbers of replicas, in every shard.
func (d *dataPlane) scaleTo(wanted ...int) {
	if !d.inMotion() {
		d.operator.scaleTo(wanted[d.rng.IntN(len(wanted))])
	}
}

func (o scripted) scaleTo(want int) {
	d := o.d
	for i := range d.topology.Spec.Shards {
		shard := &d.topology.Spec.Shards[i]
		for j := len(shard.Members); j < want; j++ {
			d.join(shard, j)
		}
		shard.Replicas, shard.Handoff = int32(want), nil
		for _, m := range shard.Members[want:] {
			shard.Handoff = append(shard.Handoff, m.Pod)
		}
	}
	d.topology.Generation++
	d.say("scale to %d", want)
}

// settle notes the writes that every member of a shard holds, and that therefore must never be lost.
func (d *dataPlane) settle() {
	for i := range d.topology.Spec.Shards {
		shard := &d.topology.Spec.Shards[i]
		if s := d.reportedShard(shard.Index); len(shard.Members) < int(shard.Replicas) || s == nil || s.Master == "" {
			continue // what volumes keep from a former shard counts for nothing before it has a master
		}
		logs := make([][]int, len(shard.Members))
		for j, m := range shard.Members {
			logs[j] = d.nodes[m.Pod].log
		}
		noteCommon(d.settled[shard.Index], logs)
	}
}

// labelledAhead: the pod is the target of the planned move on record and takes no writes.
func (d *dataPlane) labelledAhead(pod string) bool {
	o := d.handover(pod)
	return o != nil && o.Target == pod && !d.nodes[pod].master
}

// readOnlyPredecessor: the pod hands over, is labelled until its successor is seen, and takes no writes.
func (d *dataPlane) readOnlyPredecessor(pod string) bool {
	o := d.handover(pod)
	return o != nil && o.Master == pod && !d.nodes[pod].master
}

// handover is the planned move on record of a pod's shard; nil when there is none.
func (d *dataPlane) handover(pod string) *v1alpha1.Outage {
	s := d.reportedShard(d.nodes[pod].shard)
	if s == nil || s.Outage == nil || s.Outage.Cause != v1alpha1.CauseHandover {
		return nil
	}
	return s.Outage
}

// checkLabel: of the pods of a shard that are labelled master one takes writes. The target of a planned move is labelled ahead.
func (d *dataPlane) checkLabel(a action.Label) {
	if a.Role != v1alpha1.RoleMaster || d.labelledAhead(a.Pod) {
		return
	}
	for _, name := range d.names {
		if name != a.Pod && d.nodes[name].shard == d.nodes[a.Pod].shard && d.pods[name].role == v1alpha1.RoleMaster && d.nodes[name].master {
			d.violated("%s is labelled master beside %s", a.Pod, name)
		}
	}
	if !d.nodes[a.Pod].master {
		d.violated("%s is labelled master and is none", a.Pod)
	}
	if n := d.nodes[a.Pod]; !d.inSync[n.shard][n.volumeID] { // else the sentinels may have elected one that is a little behind
		d.checkSafe(n, "is labelled master")
	}
	d.forgetLost(d.nodes[a.Pod])
}
