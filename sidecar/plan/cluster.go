package plan

import (
	"time"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

// clusterPass is the planning of one pass of a cluster.
type clusterPass struct {
	*outcome
	in  *Input
	now time.Time
	// record is the layout that is right: kvrocks-controller's record when it answers and has one, else the best that is
	// known from nodes or status. Nil when nothing is known.
	record *Layout
	// onRecord is true when record is kvrocks-controller's, so that it can be changed.
	onRecord bool
	// shards of the topology, in its order.
	shards []*clusterShard
	// migrations is what is reported of them.
	migrations []v1alpha1.MigrationStatus
	released   bool
}

// clusterShard is one shard of the topology in a pass.
type clusterShard struct {
	*pass
	c *clusterPass
	// entry is the shard in the record; nil when it is not in it.
	entry *LayoutShard
	// ids of the members in the record, in the order of pass.members; empty for one that is not in it.
	ids []string
}

// Cluster plans one pass of a cluster: kvrocks-controller keeps the record of who is master and who owns which slots, the
// sentinels say who is down, and the sidecar decides and sees to it that the nodes do what the record says.
func Cluster(in Input) Plan {
	c := newClusterPass(&in)
	if c.settled() {
		c.migrate()
	}
	return c.finish()
}

func newClusterPass(in *Input) *clusterPass {
	c := &clusterPass{
		outcome:    &outcome{failovers: in.Topology.Status.Failovers},
		in:         in,
		now:        in.Now,
		migrations: in.Topology.Status.Migrations,
	}
	return c
}

// settled: the record is known and every node that answers has it, and no master is being replaced. Only then may slots
// be moved.
func (c *clusterPass) settled() bool { return false }

func (c *clusterPass) finish() Plan {
	status := *c.in.Topology.Status.DeepCopy()
	status.ObservedGeneration = c.in.Topology.Generation
	status.Migrations = c.migrations
	status.Failovers = c.failovers
	status.Released = c.released
	return Plan{Actions: c.actions, Status: status, Intent: c.intent, Events: c.events, Again: c.soon}
}
