package plan

import (
	"time"

	"github.com/kvrocks/kvrocks-operator/sidecar/plan/action"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/period"
)

// recordDeletionTimeout is how long a kvrocks-controller that does not answer holds up the deletion of an instance. Its record is
// deleted only for the sake of a later instance of the same name.
const recordDeletionTimeout = 20 * time.Second

// release makes the sentinels and kvrocks-controller forget the instance, which is being deleted. The volumes of etcd may
// be kept, and a new instance of the name is to begin without an old record.
func (c *clusterPass) release() {
	c.released = true
	for _, s := range c.shards {
		s.release()
		c.released = c.released && s.released
	}
	switch controller := &c.in.Controller; {
	case c.in.Topology.Status.Released:
	case controller.Reach == Answered && controller.Record != nil:
		c.Do(action.DeleteCluster{})
		c.Again(period.Step)
		c.released = false
	case controller.Reach != Answered && len(c.shards) > 0 && c.in.releasingFor() < recordDeletionTimeout:
		c.Again(period.Wait)
		c.released = false
	}
	for _, s := range c.shards {
		if c.released && !c.in.Topology.Status.Released {
			s.announceReleased(s.members)
		}
	}
}
