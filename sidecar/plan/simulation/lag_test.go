package simulation

import "github.com/kvrocks/kvrocks-operator/api/v1alpha1"

// block stops the feed of a node for a while; its link stays up.
func (d *dataPlane) block(m string) {
	if n := d.nodes[m]; d.pods[m].running && !n.master {
		n.blockedEnd = d.now.Add(d.some(150))
		d.say("FAULT nothing is fed to %s", m)
	}
}

// boundLoss bounds, in some lives, what a promotion may lose.
func (d *dataPlane) boundLoss() {
	if d.rng.IntN(4) == 0 {
		most := int64(d.rng.IntN(10))
		d.operator.boundLoss(&most)
	}
}

// reportedShard is the shard as last reported; nil at first.
func (d *dataPlane) reportedShard(index int32) *v1alpha1.TopologyShardStatus {
	for i := range d.topology.Status.Shards {
		if s := &d.topology.Status.Shards[i]; s.Index == index {
			return s
		}
	}
	return nil
}

// checkLoss: what is promoted, by whatever it is, loses no more of what is on record than is allowed.
func (d *dataPlane) checkLoss(n *simNode) {
	bound, s := d.topology.Spec.Failover.MaxLostWrites, d.reportedShard(n.shard)
	if bound == nil || s == nil || s.Master == "" {
		return
	}
	known := int64(0)
	if s.Outage != nil {
		known = s.Outage.MasterSequence
	}
	for i := range s.Nodes {
		if s.Nodes[i].Pod == s.Master {
			known = max(known, s.Nodes[i].Sequence)
		}
	}
	if lost := known - int64(len(n.log)); lost > *bound {
		d.violated("%s is promoted and loses %d writes of %s, where %d are allowed", n.name, lost, s.Master, *bound)
	}
}

// checkLagging: a member that is on record as too far behind is not promoted while a better one answers.
func (d *dataPlane) checkLagging(n *simNode) {
	s := d.reportedShard(n.shard)
	if s == nil {
		return
	}
	for i := range s.Nodes {
		if s.Nodes[i].Pod != n.name || s.Nodes[i].BehindSince == nil {
			continue
		}
		for _, name := range d.names {
			o := d.nodes[name]
			better := len(o.log) > len(n.log) && isPrefix(n.log, o.log)
			if o.shard == n.shard && better && d.isMember(name) && d.up(name) && !d.pods[name].deleting {
				d.violated("%s lags and is promoted, although %s answers", n.name, name)
			}
		}
	}
}

// checkReads: after a pass no replica that lacks what its proved master had long ago is in the replicas' Service.
func (d *dataPlane) checkReads() {
	for _, name := range d.names {
		p, n := d.pods[name], d.nodes[name]
		master := d.byAddress(n.host)
		if s := d.reportedShard(n.shard); s == nil || s.Outage != nil {
			continue // no master is proved
		}
		unseen := !d.isMember(name) || p.deleting || d.late(n) || master != nil && d.late(master)
		if unseen || !p.attached || p.role != v1alpha1.RoleReplica || !d.up(name) || n.master || n.syncing || master == nil || !d.up(master.name) ||
			d.pods[master.name].role != v1alpha1.RoleMaster || d.trails[master.name] == nil {
			continue
		}
		if !n.linkUp && d.followed[name] != master.name {
			continue // it has only just been told to follow this one
		}
		if before := d.trails[master.name].Before(d.now, d.maxLag()); int64(len(n.log)) < before {
			d.violated("%s is read from with %d writes, where %s had %d long ago", name, len(n.log), master.name, before)
		}
	}
	for _, name := range d.names {
		s, master := d.reportedShard(d.nodes[name].shard), d.byAddress(d.nodes[name].host)
		if d.followed[name] = ""; s != nil && s.Outage == nil && master != nil && s.Master == master.name {
			d.followed[name] = master.name
		}
	}
}
