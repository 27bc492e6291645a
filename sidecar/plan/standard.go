package plan

// Standard plans one pass of a standard instance: one shard, failed over by sentinel when one watches it.
//
// The order is that of the safety rules: what must not take traffic is fenced first, then the master is settled, and
// only with a proved master are replicas placed, sentinels repaired and planned moves begun.
func Standard(in Input) Plan {
	if len(in.Topology.Spec.Shards) == 0 {
		status := *in.Topology.Status.DeepCopy()
		status.ObservedGeneration, status.Shards = in.Topology.Generation, nil
		return Plan{Status: status}
	}
	out := &outcome{failovers: in.Topology.Status.Failovers}
	p := standardShard{newPass(&in, &in.Topology.Spec.Shards[0], in.Topology.Spec.Failover.WithDefaults(), out)}
	p.carrier = p
	p.readQuorum(p.members.named(p.recorded.Master))
	if in.Topology.Spec.Release {
		p.release()
		if p.released && !in.Topology.Status.Released {
			p.announceReleased(p.members)
		}
		return p.finish()
	}
	p.applyPassword()
	p.fenceRestarted()
	p.settleMaster()
	if p.onRecord() {
		p.placeReplicas()
		p.repairMonitors()
		p.startHandover()
		p.placeFormerMasters()
	}
	p.replacePod()
	p.setPriorities()
	p.applyConfig()
	return p.finish()
}

// standardShard is the shard of a standard instance in a pass, as clusterShard is one of a cluster: the sidecar promotes by itself, or
// the sentinels do.
type standardShard struct{ *pass }

// onRecord reports whether the proved master is the one that the last report names.
func (p *facts) onRecord() bool {
	return p.proven != nil && p.recorded.Last != nil && p.recorded.Last.Master == p.proven.name
}
