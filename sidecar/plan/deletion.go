package plan

import (
	"strconv"
	"time"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/action"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/condition"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/period"
	"k8s.io/apimachinery/pkg/api/meta"
)

// releaseTimeout is how long a sentinel that does not answer holds up the deletion of an instance. When it comes back
// it is cleaned in the pass of its own instance, because no topology claims the name any more.
const releaseTimeout = time.Minute

// release makes every sentinel forget the instance, which is being deleted, and reports when they have.
func (p *pass) release() {
	p.waiting = condition.Verdict{Reason: condition.ReasonReleasing, Message: "the instance is being deleted"}
	p.sentinels.Unmonitor("")
	switch {
	case p.sentinels.Monitoring > 0:
		p.Again(period.Step)
	case p.sentinels.Silent() == 0:
		p.released = true
	case p.in.releasingFor() < releaseTimeout:
		p.Again(period.Wait)
	default:
		if !p.in.Topology.Status.Released {
			p.Warn("ReleasedUnseen", strconv.Itoa(p.sentinels.Silent())+" sentinels do not answer; they are cleaned when they do")
		}
		p.released = true
	}
}

// releasedAddress is what a node announces once the instance is released: its preStop hook then does not keep it.
const releasedAddress = "127.0.0.1"

// announceReleased gives the nodes, once, the address by which their preStop hooks see that the instance is released.
func (o *outcome) announceReleased(to members) {
	for _, m := range to {
		if m.Answered() {
			o.Do(action.Configure{Pod: m.name, Settings: map[string]string{announceSetting: releasedAddress}})
		}
	}
}

// releasingFor returns how long ago the release was first reported.
func (in *Input) releasingFor() time.Duration {
	c := meta.FindStatusCondition(in.Topology.Status.Conditions, v1alpha1.ConditionSentinelAgreed)
	if c == nil || c.Reason != condition.ReasonReleasing {
		return 0
	}
	return in.Now.Sub(c.LastTransitionTime.Time)
}

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
