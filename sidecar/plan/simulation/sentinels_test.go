package simulation

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/action"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/quorum"
)

// simSentinel is one sentinel process; a new pod knows nothing.
type simSentinel struct {
	ip string
	// downEnd is until when it is unreachable, and tiltEnd until when it is in TILT: it answers and observes, and decides nothing.
	downEnd, tiltEnd time.Time
	monitors         map[string]*simMonitor // by the name of the master
}

// simMonitor is what a sentinel knows of a master that it watches.
type simMonitor struct {
	sentinel *simSentinel
	address  string
	quorum   int32
	settings v1alpha1.Failover
	lastSeen time.Time
	odownAt  time.Time
	peers    map[string]bool
	replicas map[string]bool
	// electUntil is when the running attempt of a failover ends; next is when the next one may begin.
	electUntil, next time.Time
	// promoted is the node that this sentinel made master in the running attempt.
	promoted *simNode
	epoch    int
}

func (d *dataPlane) startSentinel(number int) {
	d.sentinels[fmt.Sprint("watch-", number)] = &simSentinel{ip: d.newIP(), monitors: map[string]*simMonitor{}}
}

// nextSentinel starts one more.
func (d *dataPlane) nextSentinel() {
	d.nextIP++
	d.startSentinel(d.sentinelBase + d.nextIP)
}

func (d *dataPlane) sentinelPods() []string { return slices.Sorted(maps.Keys(d.sentinels)) }

func (d *dataPlane) sentinelUp(s *simSentinel) bool {
	return !d.sentinelGone && !d.now.Before(s.downEnd)
}

func (d *dataPlane) tilted(s *simSentinel) bool { return d.now.Before(s.tiltEnd) }

// watching is what the sentinels that answer know of the master of that name.
func (d *dataPlane) watching(masterName string) []*simMonitor {
	var all []*simMonitor
	for _, pod := range d.sentinelPods() {
		if s := d.sentinels[pod]; d.sentinelUp(s) && s.monitors[masterName] != nil {
			all = append(all, s.monitors[masterName])
		}
	}
	return all
}

// ping has a sentinel look at its master, through which it discovers the replicas. It reports whether there is a master.
func (d *dataPlane) ping(m *simMonitor) bool {
	n := d.byAddress(m.address)
	if n == nil || !d.reachable(n.name) || !n.master {
		return false
	}
	m.lastSeen, m.odownAt = d.now, time.Time{}
	for _, name := range d.names {
		if r := d.nodes[name]; r.source == n && d.up(name) && r.linkUp {
			m.replicas[r.address] = true
		}
	}
	return true
}

func (d *dataPlane) subjectivelyDown(m *simMonitor) bool {
	return d.now.Sub(m.lastSeen) >= time.Duration(m.settings.DownAfterMilliseconds)*time.Millisecond
}

// judge has a sentinel ask the others whether the master is down. voters is the number of those that watch the same address.
func (d *dataPlane) judge(m *simMonitor, masterName string) (voters int) {
	agree := 0
	for _, o := range d.watching(masterName) {
		if o.address != m.address {
			continue
		}
		voters++
		if !d.tilted(o.sentinel) && d.subjectivelyDown(o) {
			agree++
		}
	}
	switch {
	case agree < int(m.quorum):
		m.odownAt = time.Time{}
	case !m.odown():
		m.odownAt = d.now
	}
	return voters
}

func (m *simMonitor) odown() bool { return !m.odownAt.IsZero() }

// observeSentinels is what the sidecar sees of them; electing reports whether one tries to replace a master.
func (d *dataPlane) observeSentinels(electing func(*simMonitor) bool) plan.Sentinels {
	s := plan.Sentinels{
		Configured: d.topology.Spec.Sentinel != nil, Exists: !d.sentinelGone && len(d.sentinels) > 0,
		Want: int32(len(d.sentinels)), Views: map[string]plan.SentinelView{},
	}
	if !s.Configured || !s.Exists {
		return s
	}
	for pod, o := range d.sentinels {
		v := plan.SentinelView{IP: o.ip, Reach: plan.Unreachable, Err: "connection refused", Masters: map[string]quorum.MasterView{}}
		if d.sentinelUp(o) {
			v.Reach, v.Err, v.Tilt = plan.Answered, "", d.tilted(o)
			for name, m := range o.monitors {
				v.Masters[name] = m.view(electing(m))
			}
		}
		s.Views[pod] = v
	}
	return s
}

// view is what a sentinel says of the master that it watches.
func (m *simMonitor) view(electing bool) quorum.MasterView {
	return quorum.MasterView{
		Address: m.address, Port: simPort, Quorum: m.quorum,
		SubjectivelyDown: m.odown(), ObjectivelyDown: m.odown(), ODownAt: m.odownAt,
		Failover:                    electing,
		DownAfterMilliseconds:       m.settings.DownAfterMilliseconds,
		FailoverTimeoutMilliseconds: m.settings.FailoverTimeoutMilliseconds,
		ParallelSyncs:               m.settings.ParallelSyncs,
		AuthApplied:                 true,
		Peers:                       slices.Sorted(maps.Keys(m.peers)),
		Replicas:                    slices.Sorted(maps.Keys(m.replicas)),
	}
}

func (d *dataPlane) monitor(a action.Monitor) error {
	s := d.sentinels[a.Sentinel]
	if s == nil || !d.sentinelUp(s) {
		return fmt.Errorf("sentinel %s does not answer", a.Sentinel)
	}
	if s.monitors[a.MasterName] != nil && !a.Replace {
		return errors.New("ERR Duplicate master name")
	}
	s.monitors[a.MasterName] = &simMonitor{
		sentinel: s, address: a.Address, quorum: a.Quorum, settings: a.Failover, lastSeen: d.now,
		peers: map[string]bool{}, replicas: map[string]bool{},
	}
	return nil
}

// breakSentinel has one not answer or come back without its memory, or several in TILT: a machine that stands still takes them along.
func (d *dataPlane) breakSentinel(string) {
	pods := d.sentinelPods()
	if len(pods) == 0 {
		return
	}
	pod := pods[d.rng.IntN(len(pods))]
	if d.rng.IntN(2) == 0 {
		for _, pod := range pods {
			if d.rng.IntN(2) == 0 {
				d.sentinels[pod].tiltEnd = d.now.Add(d.some(300))
				d.say("FAULT %s is in TILT", pod)
			}
		}
		return
	}
	if d.rng.IntN(2) == 0 {
		d.sentinels[pod].downEnd = d.now.Add(d.some(60))
		d.say("FAULT %s is unreachable", pod)
		return
	}
	delete(d.sentinels, pod)
	d.nextSentinel()
	d.say("FAULT %s is replaced", pod)
}
