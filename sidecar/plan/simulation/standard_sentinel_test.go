package simulation

import (
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
	pod     string
	ip      string
	downEnd time.Time
	tilt
	// monitor is nil when it does not watch the master.
	monitor *simMonitor
}

// simMonitor is what a sentinel knows of the master that it watches.
type simMonitor struct {
	address  string
	quorum   int32
	settings v1alpha1.Failover
	lastSeen time.Time
	odownAt  time.Time
	peers    map[string]bool
	replicas map[string]bool
	// electUntil is when the running attempt of a failover ends; next is when the next one may begin.
	electUntil, next time.Time
	// promoted is whom this sentinel made master in the running attempt.
	promoted *simNode
	epoch    int
}

func (w *world) startSentinel(pod string) {
	w.sentinels[pod] = &simSentinel{pod: pod, ip: w.newIP()}
}

func (w *world) sentinelPods() []string { return slices.Sorted(maps.Keys(w.sentinels)) }

func (w *world) sentinelUp(s *simSentinel) bool { return !w.sentinelGone && !w.now.Before(s.downEnd) }

func newMonitor(a action.Monitor, now time.Time) *simMonitor {
	return &simMonitor{
		address: a.Address, quorum: a.Quorum, settings: a.Failover, lastSeen: now,
		peers: map[string]bool{}, replicas: map[string]bool{},
	}
}

func (m *simMonitor) odown() bool { return !m.odownAt.IsZero() }

// advanceSentinels lets every sentinel look, agree, elect and promote.
func (w *world) advanceSentinels() {
	if w.sentinelGone {
		return
	}
	pods := w.sentinelPods()
	for _, pod := range pods {
		if s := w.sentinels[pod]; w.sentinelUp(s) && s.monitor != nil {
			w.look(s)
			w.hello(s)
		}
	}
	for _, pod := range pods {
		if s := w.sentinels[pod]; w.sentinelUp(s) && s.monitor != nil {
			w.fail(s)
		}
	}
}

// look pings the master, and discovers replicas and peers through it.
func (w *world) look(s *simSentinel) {
	m := s.monitor
	n := w.byAddress(m.address)
	if n == nil || !w.reachable(n.name) || !n.master {
		return
	}
	m.lastSeen, m.odownAt = w.now, time.Time{}
	for _, name := range w.names {
		if r := w.nodes[name]; r.source == n && w.up(name) && r.linkUp {
			m.replicas[r.address] = true
		}
	}
	for _, pod := range w.sentinelPods() {
		o := w.sentinels[pod]
		if o == s || !w.sentinelUp(o) || o.monitor == nil || w.rng.IntN(5) > 0 {
			continue
		}
		if o.monitor.address == m.address {
			m.peers[o.ip] = true
		}
	}
}

// hello is what the others publish through the data nodes.
func (w *world) hello(s *simSentinel) {
	for _, pod := range w.sentinelPods() {
		if o := w.sentinels[pod]; o != s && w.sentinelUp(o) && o.monitor != nil && w.rng.IntN(5) == 0 {
			w.hear(s, o)
		}
	}
}

// hear takes over the result of another sentinel's failover: the higher epoch wins.
func (w *world) hear(s, o *simSentinel) {
	if o.monitor.epoch > s.monitor.epoch {
		w.moveMonitor(s.monitor, o.monitor.address)
		s.monitor.epoch = o.monitor.epoch
	}
}

// moveMonitor is +switch-master.
func (w *world) moveMonitor(m *simMonitor, address string) {
	m.replicas[m.address] = true
	delete(m.replicas, address)
	m.address, m.lastSeen, m.odownAt = address, w.now, time.Time{}
}

// fail is the failover state machine.
func (w *world) fail(s *simSentinel) {
	m := s.monitor
	if s.active(w.now) {
		return
	}
	if m.promoted != nil {
		w.reconfigure(s)
		return
	}
	down := time.Duration(m.settings.DownAfterMilliseconds) * time.Millisecond
	if w.now.Sub(m.lastSeen) < down {
		m.electUntil = time.Time{}
		return
	}
	agree, voters := 0, 0
	for _, o := range w.sentinels {
		if w.sentinelUp(o) && o.monitor != nil && o.monitor.address == m.address {
			voters++
			if !o.active(w.now) && w.now.Sub(o.monitor.lastSeen) >= down {
				agree++
			}
		}
	}
	if agree < int(m.quorum) {
		m.odownAt = time.Time{}
		return
	}
	if !m.odown() {
		m.odownAt = w.now
	}
	w.elect(s, voters)
}

func (w *world) elect(s *simSentinel, voters int) {
	m := s.monitor
	for _, o := range w.sentinels {
		if o != s && w.sentinelUp(o) && o.monitor != nil && w.now.Before(o.monitor.electUntil) {
			return // Another one leads.
		}
	}
	timeout := time.Duration(m.settings.FailoverTimeoutMilliseconds) * time.Millisecond
	switch {
	case w.now.Before(m.next):
		return
	case m.electUntil.IsZero():
		m.electUntil = w.now.Add(w.some(10))
		return
	case w.now.Before(m.electUntil):
		return
	}
	m.electUntil, m.next = time.Time{}, w.now.Add(2*timeout)
	if voters < max(int(m.quorum), (len(m.peers)+1)/2+1) {
		return
	}
	var best *simNode
	for _, name := range w.names {
		n := w.nodes[name]
		if m.replicas[n.address] && w.reachable(name) && !n.master && n.priority > 0 &&
			(best == nil || len(n.log) > len(best.log)) {
			best = n
		}
	}
	if best == nil {
		return
	}
	for _, o := range w.sentinels { // Who has voted begins none of its own for as long.
		if o.monitor != nil && o.monitor.address == m.address {
			o.monitor.next = m.next
		}
	}
	w.say("sentinel promotes %s in place of %s", best.name, m.address)
	w.checkLoss(best)
	w.checkLagging(best)
	best.master, best.source = true, nil
	m.promoted, m.electUntil = best, w.now.Add(timeout)
}

// reconfigure announces the new master and makes one replica after the other follow it.
func (w *world) reconfigure(s *simSentinel) {
	m := s.monitor
	if m.address != m.promoted.address {
		w.moveMonitor(m, m.promoted.address)
		m.epoch++
		for _, o := range w.sentinels { // In any order: this is a maximum.
			if o.monitor != nil {
				m.epoch = max(m.epoch, o.monitor.epoch+1)
			}
		}
		for _, pod := range w.sentinelPods() {
			o := w.sentinels[pod]
			if o != s && w.sentinelUp(o) && o.monitor != nil && w.rng.IntN(2) == 0 {
				w.hear(o, s)
			}
		}
		return
	}
	for _, name := range w.names {
		n := w.nodes[name]
		if n != m.promoted && m.replicas[n.address] && w.reachable(name) && !n.master && n.host != m.address {
			n.follow(m.address, simPort)
			return
		}
	}
	m.promoted, m.electUntil = nil, time.Time{}
}

func (w *world) observeSentinels() plan.Sentinels {
	s := plan.Sentinels{
		Configured: w.topology.Spec.Sentinel != nil, Exists: !w.sentinelGone && len(w.sentinels) > 0,
		Want: int32(len(w.sentinels)), Views: map[string]plan.SentinelView{},
	}
	if !s.Configured || !s.Exists {
		return s
	}
	for pod, o := range w.sentinels {
		v := plan.SentinelView{IP: o.ip, Reach: plan.Unreachable, Err: "connection refused", Masters: map[string]quorum.MasterView{}}
		if w.sentinelUp(o) {
			v.Reach, v.Err, v.Tilt = plan.Answered, "", o.active(w.now)
			if o.monitor != nil {
				v.Masters["orders"] = o.monitor.view(w.now.Before(o.monitor.electUntil) || v.Tilt && o.monitor.promoted != nil)
			}
		}
		s.Views[pod] = v
	}
	return s
}

// view is what a sentinel says of the master that it watches; electing: it tries to replace it.
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

func (w *world) monitor(a action.Monitor) error {
	s := w.sentinels[a.Sentinel]
	if s == nil || !w.sentinelUp(s) {
		return fmt.Errorf("sentinel %s does not answer", a.Sentinel)
	}
	if s.monitor != nil && !a.Replace {
		return fmt.Errorf("ERR Duplicate master name")
	}
	s.monitor = newMonitor(a, w.now)
	return nil
}
