package plan

import (
	"slices"
	"time"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/period"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/quorum"
)

// outcome is what has been decided so far. The shards of a cluster share one.
type outcome struct {
	actions []Action
	events  []Event
	intent  bool
	// awaitedIn is when to look again at what is awaited, and ongoingIn at what goes on by itself; 0 is never.
	awaitedIn, ongoingIn time.Duration
	// failovers is the journal, the newest last.
	failovers []v1alpha1.FailoverRecord
}

// pass is the planning of one shard: what is known of it, and what has been decided so far.
type pass struct {
	*outcome
	in        *Input
	now       time.Time
	shard     *v1alpha1.TopologyShard
	port      int32
	failover  v1alpha1.Failover
	bounds    bounds
	members   members
	sentinels quorum.View
	// last is the shard as it was last reported; nil at first.
	last *v1alpha1.TopologyShardStatus

	// master is the recorded master; it changes when a successor is proved.
	master string
	// outage is what must be remembered of a replacement under way.
	outage *v1alpha1.Outage
	// proven is the recorded master, when it answers as master and nothing contests its place.
	proven *member
	// remembered is the member whose volume tells that it was master, in the pass that puts a cluster's layout together from the
	// volumes. Until then nothing was reported of it.
	remembered *member
	// waiting says why there is no proved master, or what holds one back.
	waiting verdict
	// released is set once no sentinel knows the instance any more.
	released bool
}

// verdict is the reason and the message of a condition.
type verdict struct{ reason, message string }

func newPass(in *Input, shard *v1alpha1.TopologyShard, out *outcome) *pass {
	spec, status := &in.Topology.Spec, &in.Topology.Status
	p := &pass{
		outcome:  out,
		in:       in,
		now:      in.Now,
		shard:    shard,
		port:     spec.Port,
		failover: withDefaults(spec.Failover),
		bounds:   boundsOf(spec.Failover),
	}
	for i := range status.Shards {
		if last := &status.Shards[i]; last.Index == shard.Index {
			p.last = last
			p.master = last.Master
			p.outage = last.Outage.DeepCopy()
		}
	}
	p.members = newMembers(in, shard)
	return p
}

// readQuorum sums up what the sentinels say about m, which is or was the master; nil when there is none.
func (p *pass) readQuorum(m *member) {
	address := ""
	if m != nil {
		address = m.address
	}
	p.sentinels = p.in.Sentinels.view(p.shard.MasterName, address, p.members.mayBeMaster)
}

// withDefaults returns the settings that the sentinels are given.
func withDefaults(f *v1alpha1.Failover) v1alpha1.Failover {
	d := v1alpha1.Failover{
		DownAfterMilliseconds:       v1alpha1.DefaultDownAfterMilliseconds,
		FailoverTimeoutMilliseconds: v1alpha1.DefaultFailoverTimeoutMilliseconds,
		ParallelSyncs:               v1alpha1.DefaultParallelSyncs,
	}
	if f == nil {
		return d
	}
	if f.DownAfterMilliseconds > 0 {
		d.DownAfterMilliseconds = f.DownAfterMilliseconds
	}
	if f.FailoverTimeoutMilliseconds > 0 {
		d.FailoverTimeoutMilliseconds = f.FailoverTimeoutMilliseconds
	}
	if f.ParallelSyncs > 0 {
		d.ParallelSyncs = f.ParallelSyncs
	}
	return d
}

func (p *pass) downAfter() time.Duration {
	return time.Duration(p.failover.DownAfterMilliseconds) * time.Millisecond
}

// do adds an action.
func (o *outcome) do(a Action) { o.actions = append(o.actions, a) }

// again asks for the next pass within d.
func (o *outcome) again(d time.Duration) {
	if o.awaitedIn == 0 || d < o.awaitedIn {
		o.awaitedIn = d
	}
}

// nextPass returns when the next pass is due, and whether it may leave out the slow probes.
func (o *outcome) nextPass() (again time.Duration, skipSlowProbes bool) {
	if o.awaitedIn == 0 || o.ongoingIn > 0 && o.ongoingIn < o.awaitedIn {
		return o.ongoingIn, o.awaitedIn == 0
	}
	return o.awaitedIn, false
}

// limitPeriod asks for a pass within half of down-after where the sidecar alone notices that a master hangs or that its machine
// has gone, and within a second where it must know what the master has, because a loss is bounded.
func (p *pass) limitPeriod() {
	within := time.Duration(0)
	switch {
	case len(p.members) < 2:
	case p.bounds.lostWrites != nil:
		within = period.Wait
	case p.sentinels.Voting < max(1, p.sentinels.Quorum): // none is configured or there, or too many are in TILT or away
		within = max(period.Wait, p.downAfter()/2)
	}
	if within > 0 && (p.ongoingIn == 0 || within < p.ongoingIn) {
		p.ongoingIn = within
	}
}

// wait notes why there is no proved master, and when to look again.
func (p *pass) wait(reason, message string, d time.Duration) {
	p.waiting = verdict{reason, message}
	p.again(d)
}

func (o *outcome) event(reason, message string) {
	o.events = append(o.events, Event{Reason: reason, Message: message})
}

func (o *outcome) warn(reason, message string) {
	o.events = append(o.events, Event{Warning: true, Reason: reason, Message: message})
}

// mayBeMaster reports whether the member with this address is master, or does not answer.
func (all members) mayBeMaster(address string) bool {
	return slices.ContainsFunc(all, func(m member) bool {
		return m.address == address && (m.isMaster() || m.silent())
	})
}

// member returns the member whose pod has this name, or nil.
func (p *pass) member(pod string) *member {
	i := slices.IndexFunc(p.members, func(m member) bool { return m.name == pod })
	if pod == "" || i < 0 {
		return nil
	}
	return &p.members[i]
}

// finish puts the plan together.
func (p *pass) finish() Plan {
	v, ok := p.storageVerdict()
	p.tellStorage(p.in.Topology, v, ok)
	p.limitPeriod()
	again, skipSlowProbes := p.nextPass()
	return Plan{
		Actions:        p.actions,
		Status:         p.report(),
		Intent:         p.intent,
		Events:         p.events,
		Again:          again,
		SkipSlowProbes: skipSlowProbes,
	}
}
