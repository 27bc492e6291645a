package plan

import "github.com/kvrocks/kvrocks-operator/api/v1alpha1"

// Standard plans one pass of a standard instance: one shard, failed over by sentinel when one watches it.
//
// The order is that of the safety rules: what must not take traffic is fenced first, then the master is settled, and
// only with a proved master are replicas placed, sentinels repaired and planned moves begun.
func Standard(in Input) Plan {
	if len(in.Topology.Spec.Shards) == 0 {
		return Plan{Status: emptyReport(in)}
	}
	out := &outcome{failovers: in.Topology.Status.Failovers}
	p := newPass(&in, &in.Topology.Spec.Shards[0], out)
	p.readQuorum(p.member(p.master))
	if in.Topology.Spec.Release {
		p.release()
		if p.released && !in.Topology.Status.Released {
			p.announceReleased()
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

// settleMaster finds out which member is the master, and does what is needed for there to be one. It leaves it in p.proven when
// it answers as master and nothing else may claim the place.
func (p *pass) settleMaster() {
	recorded := p.member(p.master)
	if recorded != nil {
		p.noteProgress(recorded)
	}
	elected := p.electedBySentinel()
	switch {
	case elected != nil && p.waitsForRival(elected):
	case elected != nil && p.unfit(elected):
		p.overrule(elected, recorded)
	case elected != nil:
		p.succeed(elected)
	case recorded == nil:
		p.bootstrap()
	case p.handingOver():
		p.handOver(recorded)
	case p.chosenAnswers():
		p.succeed(p.member(p.outage.Target))
	case recorded.isMaster():
		p.masterServing(recorded)
	case recorded.answered():
		p.masterRestarted(recorded)
	case recorded.silent():
		p.masterSilent(recorded)
	default:
		p.masterNotReady(recorded)
	}
}

// onRecord reports whether the proved master is the one that the last report names.
func (p *pass) onRecord() bool {
	return p.proven != nil && p.last != nil && p.last.Master == p.proven.name
}

func emptyReport(in Input) v1alpha1.KVRocksTopologyStatus {
	status := *in.Topology.Status.DeepCopy()
	status.ObservedGeneration = in.Topology.Generation
	status.Shards = nil
	return status
}
