package plan

import (
	"strconv"
	"time"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/period"
)

// releaseTimeout is how long a sentinel that does not answer holds up the deletion of an instance. When it comes back
// it is cleaned in the pass of its own instance, because no topology claims the name any more.
const releaseTimeout = time.Minute

// release makes every sentinel forget the instance, which is being deleted, and reports when they have.
func (p *pass) release() {
	p.waiting = verdict{ReasonReleasing, "the instance is being deleted"}
	p.unmonitor()
	switch {
	case p.sentinels.Monitoring > 0:
		p.again(period.Step)
	case p.sentinels.Silent() == 0:
		p.released = true
	case p.releasingFor() < releaseTimeout:
		p.again(period.Wait)
	default:
		if !p.in.Topology.Status.Released {
			p.warn("ReleasedUnseen", strconv.Itoa(p.sentinels.Silent())+" sentinels do not answer; they are cleaned when they do")
		}
		p.released = true
	}
}

// releasedAddress is what a node announces once the instance is released: its preStop hook then does not keep it.
const releasedAddress = "127.0.0.1"

// announceReleased gives the nodes, once, the address by which their preStop hooks see that the instance is released.
func (p *pass) announceReleased() {
	for i := range p.members {
		if m := &p.members[i]; m.answered() {
			p.do(Configure{Pod: m.name, Settings: map[string]string{announceSetting: releasedAddress}})
		}
	}
}

// releasingFor returns how long ago the release was first reported.
func (p *pass) releasingFor() time.Duration {
	for _, c := range p.in.Topology.Status.Conditions {
		if c.Type == v1alpha1.ConditionSentinelAgreed && c.Reason == ReasonReleasing {
			return p.now.Sub(c.LastTransitionTime.Time)
		}
	}
	return 0
}
