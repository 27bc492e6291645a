package plan

import (
	"slices"
	"time"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/action"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/condition"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/journal"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/lag"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/lineage"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/monitor"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/period"
	"k8s.io/apimachinery/pkg/api/meta"
)

// outcome is what has been decided so far. The shards of a cluster share one.
type outcome struct {
	actions []action.Action
	events  []Event
	intent  bool
	// awaitedIn is when to look again at what is awaited, and ongoingIn at what goes on by itself; 0 is never.
	awaitedIn, ongoingIn time.Duration
	// failovers is the journal, the newest last.
	failovers journal.Journal
}

// facts are what is known of a shard in a pass: what was observed and reported, and what the pass has found out so far. Its methods answer
// questions and decide nothing.
type facts struct {
	in        *Input
	now       time.Time
	shard     *v1alpha1.TopologyShard
	bounds    lag.Bounds
	members   members
	sentinels monitor.Sentinels
	recorded  recorded

	// outage is what must be remembered of a replacement under way.
	outage *v1alpha1.Outage
	// proven is the recorded master, when it answers as master and nothing contests its place.
	proven *member
	// remembered is the member whose volume tells that it was master, in the pass that puts a cluster's layout together from the
	// volumes. Until then nothing was reported of it.
	remembered *member
	// waiting says why there is no proved master, or what holds one back.
	waiting condition.Verdict
}

// pass is the planning of one shard: what is known of it, and what has been decided so far.
type pass struct {
	*outcome
	facts
	// carrier carries out what is decided of the master.
	carrier carrier
	// released is set once no sentinel knows the instance any more.
	released bool
}

func newPass(in *Input, shard *v1alpha1.TopologyShard, failover *v1alpha1.Failover, out *outcome) *pass {
	spec, status := &in.Topology.Spec, &in.Topology.Status
	watched := v1alpha1.Failover{ // what the sentinels are told of it
		DownAfterMilliseconds: failover.DownAfterMilliseconds, FailoverTimeoutMilliseconds: failover.FailoverTimeoutMilliseconds,
		ParallelSyncs: failover.ParallelSyncs,
	}
	p := &pass{outcome: out, facts: facts{
		in:        in,
		now:       in.Now,
		shard:     shard,
		bounds:    lag.BoundsOf(failover),
		members:   newMembers(in, shard),
		sentinels: monitor.Sentinels{Out: out, MasterName: shard.MasterName, Port: spec.Port, Settings: watched},
	}}
	for i := range status.Shards {
		if last := &status.Shards[i]; last.Index == shard.Index {
			p.recorded = recorded{lineage.Record{Last: last, Master: last.Master}}
			p.outage = last.Outage.DeepCopy()
		}
	}
	return p
}

// readQuorum sums up what the sentinels say about m, which is or was the master; nil when there is none.
func (p *pass) readQuorum(m *member) {
	address := ""
	if m != nil {
		address = m.address
	}
	p.sentinels.View = p.in.Sentinels.View(p.shard.MasterName, address, p.members.mayBeMaster)
}

// Do adds an action.
func (o *outcome) Do(a action.Action) { o.actions = append(o.actions, a) }

// Again asks for the next pass within d.
func (o *outcome) Again(d time.Duration) {
	if o.awaitedIn == 0 || d < o.awaitedIn {
		o.awaitedIn = d
	}
}

// limitPeriod asks for a pass within half of down-after where the sidecar alone notices that a master hangs or that its machine
// has gone, and within a second where it must know what the master has, because a loss is bounded.
func (p *pass) limitPeriod() {
	within := time.Duration(0)
	switch {
	case len(p.members) < 2:
	case p.bounds.LostWrites != nil:
		within = period.Wait
	case p.sentinels.Voting < max(1, p.sentinels.Quorum): // none is configured or there, or too many are in TILT or away
		within = max(period.Wait, p.sentinels.DownAfter()/2)
	}
	if within > 0 && (p.ongoingIn == 0 || within < p.ongoingIn) {
		p.ongoingIn = within
	}
}

// wait notes why there is no proved master, and when to look again.
func (p *pass) wait(reason, message string, d time.Duration) {
	p.waiting = condition.Verdict{Reason: reason, Message: message}
	p.Again(d)
}

// Event adds an event.
func (o *outcome) Event(reason, message string) {
	o.events = append(o.events, Event{Reason: reason, Message: message})
}

// Warn adds an event that a person should look at.
func (o *outcome) Warn(reason, message string) {
	o.events = append(o.events, Event{Warning: true, Reason: reason, Message: message})
}

// mayBeMaster reports whether the member with this address is master, or does not answer.
func (all members) mayBeMaster(address string) bool {
	return slices.ContainsFunc(all, func(m *member) bool {
		return m.address == address && (m.isMaster() || m.silent())
	})
}

// named returns the member whose pod has this name, or nil.
func (all members) named(pod string) *member {
	i := slices.IndexFunc(all, func(m *member) bool { return m.name == pod })
	if pod == "" || i < 0 {
		return nil
	}
	return all[i]
}

// status returns what is reported of every kind of instance.
func (o *outcome) status(in *Input, released bool) v1alpha1.KVRocksTopologyStatus {
	return v1alpha1.KVRocksTopologyStatus{
		ObservedGeneration: in.Topology.Generation,
		Failovers:          o.failovers,
		PodFailures:        in.PodFailures,
		Released:           released,
		UnknownSettings:    o.reportUnknownSettings(in),
	}
}

// plan puts the plan together. The next pass may leave out the slow probes when nothing is awaited but what goes on by itself.
func (o *outcome) plan(status v1alpha1.KVRocksTopologyStatus) Plan {
	p := Plan{Actions: o.actions, Status: status, Intent: o.intent, Events: o.events, Again: o.awaitedIn}
	if o.awaitedIn == 0 || o.ongoingIn > 0 && o.ongoingIn < o.awaitedIn {
		p.Again, p.SkipSlowProbes = o.ongoingIn, o.awaitedIn == 0
	}
	return p
}

// paused reports whether no planned change may be begun. A pod that others delete ends all the same, so a handover loses less than the
// failover in its place.
func (in *Input) paused() bool { return in.Topology.Spec.Paused }

// tellPause emits an event, once, when planned changes are held or go on.
func (o *outcome) tellPause(t *v1alpha1.KVRocksTopology) {
	switch before := meta.FindStatusCondition(t.Status.Conditions, v1alpha1.ConditionPaused); {
	case t.Spec.Paused && before == nil:
		o.Event("Paused", "no planned change is begun; failover goes on")
	case !t.Spec.Paused && before != nil:
		o.Event("Resumed", "planned changes go on")
	}
}
