package simulation

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/kvrocks/kvrocks-operator/sidecar/plan"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/action"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/quorum"
)

// detector is a sentinel on the nodes of a cluster: it finds out who is down, and tries for ever to replace it.
type detector struct {
	ip      string
	downEnd time.Time
	tilt
	monitors map[string]*simMonitor
}

func (w *clusterWorld) startSentinel() {
	w.nextIP++
	w.sentinels[fmt.Sprint("watch-", w.nextIP)] = &detector{ip: w.newIP(), monitors: map[string]*simMonitor{}}
}

func (w *clusterWorld) sentinelPods() []string { return slices.Sorted(maps.Keys(w.sentinels)) }

func (w *clusterWorld) detectorUp(s *detector) bool { return !w.now.Before(s.downEnd) }

func (w *clusterWorld) advanceSentinels() {
	for _, pod := range w.sentinelPods() {
		s := w.sentinels[pod]
		if !w.detectorUp(s) {
			continue
		}
		for _, name := range slices.Sorted(maps.Keys(s.monitors)) {
			w.detect(s, name)
		}
	}
}

// detect pings the master; a node that says that it is a replica is down as a master.
func (w *clusterWorld) detect(s *detector, name string) {
	m := s.monitors[name]
	if n := w.byAddress(m.address); n != nil && w.reachable(n.name) && n.master {
		m.lastSeen, m.odownAt = w.now, time.Time{}
		for _, r := range w.names {
			if o := w.nodes[r]; o.source == n && w.up(r) && o.linkUp {
				m.replicas[o.address] = true
			}
		}
		for _, o := range w.sentinels {
			if p := o.monitors[name]; o != s && p != nil && p.address == m.address && w.detectorUp(o) {
				m.peers[o.ip] = true
			}
		}
		return
	}
	if s.active(w.now) {
		return
	}
	down := time.Duration(m.settings.DownAfterMilliseconds) * time.Millisecond
	agree := 0
	for _, o := range w.sentinels {
		if p := o.monitors[name]; p != nil && w.detectorUp(o) && p.address == m.address && !o.active(w.now) && w.now.Sub(p.lastSeen) >= down {
			agree++
		}
	}
	switch {
	case agree < int(m.quorum):
		m.odownAt = time.Time{}
	case m.odownAt.IsZero():
		m.odownAt = w.now
	}
}

func (w *clusterWorld) observeSentinels() plan.Sentinels {
	s := plan.Sentinels{
		Configured: w.topology.Spec.Sentinel != nil, Exists: len(w.sentinels) > 0,
		Want: int32(len(w.sentinels)), Views: map[string]plan.SentinelView{},
	}
	for pod, o := range w.sentinels {
		v := plan.SentinelView{IP: o.ip, Reach: plan.Unreachable, Err: "connection refused", Masters: map[string]quorum.MasterView{}}
		if w.detectorUp(o) {
			v.Reach, v.Err, v.Tilt = plan.Answered, "", o.active(w.now)
			for name, m := range o.monitors {
				v.Masters[name] = m.view(m.odown() && w.now.UnixMilli()/1000%3 > 0)
			}
		}
		s.Views[pod] = v
	}
	return s
}

func (w *clusterWorld) monitor(a action.Monitor) error {
	s := w.sentinels[a.Sentinel]
	if s == nil || !w.detectorUp(s) {
		return fmt.Errorf("sentinel %s does not answer", a.Sentinel)
	}
	if s.monitors[a.MasterName] != nil && !a.Replace {
		return errors.New("ERR Duplicate master name")
	}
	s.monitors[a.MasterName] = newMonitor(a, w.now)
	return nil
}
