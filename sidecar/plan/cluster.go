package plan

import (
	"slices"
	"time"

	"github.com/kvrocks/kvrocks-operator/sidecar/plan/condition"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/layout"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/migration"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/period"
)

// clusterPass is the planning of one pass of a cluster.
type clusterPass struct {
	*outcome
	in  *Input
	now time.Time
	// record is the layout that is right, wherever it is known from; nil when nothing is known.
	record *layout.Layout
	// source says where it is known from.
	source source
	// onRecord is true when it is kvrocks-controller's, so that it can be changed.
	onRecord bool
	// behind is true when kvrocks-controller has an older record than some node.
	behind bool
	// lost is true when kvrocks-controller answers and has no record of a cluster that exists.
	lost bool
	// changing is true when this pass plans a change of the record, or gives a master another layout than the record's.
	changing bool
	// layoutWithheldFrom is a shard whose nodes are given no layout in this pass, because slots of it have arrived elsewhere
	// and the record does not say so yet; nil when there is none.
	layoutWithheldFrom *clusterShard
	// newest is the highest version that a node has; -1 when none has a layout.
	newest int64
	// shards of the topology, in its order.
	shards []*clusterShard
	// claimed says of each shard of the record whether it is one of the topology's.
	claimed []bool
	// waiting says why there is no record.
	waiting condition.Verdict
	// moves looks after the slots that move.
	moves migration.Pass
	// controllerEpoch counts how often the processes of kvrocks-controller had to be replaced.
	controllerEpoch int64
	released        bool
}

// Cluster plans one pass of a cluster: kvrocks-controller keeps the record of the masters and of the owners of slots, the
// sentinels say which masters are down, and the sidecar decides and sees to it that the nodes do what the record says.
func Cluster(in Input) Plan {
	c := newClusterPass(&in)
	if in.Topology.Spec.Release {
		c.release()
		return c.finish()
	}
	for _, s := range c.shards {
		s.applyPassword()
		s.fenceUnplaced()
	}
	c.replaceController()
	switch {
	case c.record == nil:
		c.create()
	case !c.deleteStaleRecord():
		c.keep()
	}
	for _, s := range c.shards {
		s.replacePod()
		s.applyConfig()
	}
	return c.finish()
}

// keep sees to a cluster whose layout is known. The masters of all shards come before anything else.
func (c *clusterPass) keep() {
	if source, withhold := c.moves.Conclude(); withhold {
		c.layoutWithheldFrom = c.shardAt(source)
	}
	for _, s := range c.shards {
		s.settleMaster()
	}
	for _, s := range c.shards {
		if s.onRecord() {
			s.placeMembers()
			s.repairMonitors()
		} else if s.shard.Leaving && s.entry == nil {
			s.sentinels.Unmonitor("")
		}
	}
	c.propagateLayout()
	c.restoreRecord()
	if c.settled() {
		if c.moves.UnderWay() {
			c.moves.HandOverStuckMove()
		} else {
			c.startHandovers()
			if !c.in.Topology.Spec.Paused {
				c.changeMembers()
			}
		}
		if !c.changing {
			c.moves.Migrate()
		}
	}
}

// settled reports whether the record can be changed, every node that answers and has a place knows it, and no planned move is
// under way. A shard without a master does not hold up the others.
func (c *clusterPass) settled() bool {
	if !c.onRecord || c.changing {
		return false
	}
	for _, s := range c.shards {
		if s.handingOver() || slices.ContainsFunc(s.members, func(m *member) bool {
			return m.entry != nil && m.hasPlace() && !m.stopped() && !s.hasLayout(m)
		}) {
			return false
		}
	}
	return true
}

func newClusterPass(in *Input) *clusterPass {
	status := &in.Topology.Status
	c := &clusterPass{
		outcome:         &outcome{failovers: status.Failovers},
		in:              in,
		now:             in.Now,
		controllerEpoch: status.ControllerEpoch,
		shards:          make([]*clusterShard, len(in.Topology.Spec.Shards)),
	}
	all := make([]clusterShard, len(c.shards))
	failover := in.Topology.Spec.Failover.WithDefaults()
	for i := range c.shards {
		all[i] = clusterShard{pass: newPass(in, &in.Topology.Spec.Shards[i], failover, c.outcome), c: c}
		all[i].carrier = clusterCarrier{&all[i]}
		c.shards[i] = &all[i]
	}
	c.findRecord()
	controller := &in.Controller
	c.onRecord = c.source == sourceController && !c.behind
	c.lost = controller.Reach == Answered && controller.Record == nil && c.record != nil
	if c.record != nil {
		c.locate()
	}
	for _, s := range c.shards {
		s.readSentinels()
	}
	c.moves = migration.New(migration.View{
		Now: c.now, Topology: in.Topology, Record: c.record, OnRecord: c.onRecord, Cluster: slotMover{c.outcome, c},
	})
	return c
}

// locate finds the shards and their members in the record.
func (c *clusterPass) locate() {
	c.claimed = make([]bool, len(c.record.Shards))
	positions := c.record.Positions()
	for _, s := range c.shards {
		s.find(positions)
	}
}

// wait notes why there is no record.
func (c *clusterPass) wait(reason, message string) {
	c.waiting = condition.Verdict{Reason: reason, Message: message}
	c.Again(period.Wait)
}
