package simulation

import "time"

// instance is the name of a standard instance, which is that of its master for sentinels.
const instance = "orders"

// advanceSentinels lets every sentinel look, agree, elect and promote.
func (w *standardWorld) advanceSentinels() {
	for _, m := range w.watching(instance) {
		w.look(m)
		w.hello(m)
	}
	for _, m := range w.watching(instance) {
		w.fail(m)
	}
}

// look pings the master, and discovers peers through it.
func (w *standardWorld) look(m *simMonitor) {
	if !w.ping(m) {
		return
	}
	for _, o := range w.watching(instance) {
		if o != m && w.rng.IntN(5) == 0 && o.address == m.address {
			m.peers[o.sentinel.ip] = true
		}
	}
}

// hello is what the others publish through the data nodes.
func (w *standardWorld) hello(m *simMonitor) {
	for _, o := range w.watching(instance) {
		if o != m && w.rng.IntN(5) == 0 {
			w.hear(m, o)
		}
	}
}

// hear takes over the result of another sentinel's failover: the higher epoch wins.
func (w *standardWorld) hear(m, from *simMonitor) {
	if from.epoch > m.epoch {
		w.moveMonitor(m, from.address)
		m.epoch = from.epoch
	}
}

// moveMonitor is +switch-master.
func (w *standardWorld) moveMonitor(m *simMonitor, address string) {
	m.replicas[m.address] = true
	delete(m.replicas, address)
	m.address, m.lastSeen, m.odownAt = address, w.now, time.Time{}
}

// fail is the failover state machine.
func (w *standardWorld) fail(m *simMonitor) {
	if w.tilted(m.sentinel) {
		return
	}
	if m.promoted != nil {
		w.reconfigure(m)
		return
	}
	if !w.subjectivelyDown(m) {
		m.electUntil = time.Time{}
		return
	}
	if voters := w.judge(m, instance); m.odown() {
		w.elect(m, voters)
	}
}

func (w *standardWorld) elect(m *simMonitor, voters int) {
	for _, o := range w.watching(instance) {
		if o != m && w.now.Before(o.electUntil) {
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
	for _, s := range w.sentinels { // One that has voted begins none of its own for as long.
		if o := s.monitors[instance]; o != nil && o.address == m.address {
			o.next = m.next
		}
	}
	w.say("sentinel promotes %s in place of %s", best.name, m.address)
	w.checkLoss(best)
	w.checkLagging(best)
	best.master, best.source = true, nil
	m.promoted, m.electUntil = best, w.now.Add(timeout)
}

// reconfigure announces the new master and makes one replica after the other follow it.
func (w *standardWorld) reconfigure(m *simMonitor) {
	if m.address != m.promoted.address {
		w.moveMonitor(m, m.promoted.address)
		m.epoch++
		for _, s := range w.sentinels { // In any order: this is a maximum.
			if o := s.monitors[instance]; o != nil {
				m.epoch = max(m.epoch, o.epoch+1)
			}
		}
		for _, o := range w.watching(instance) {
			if o != m && w.rng.IntN(2) == 0 {
				w.hear(o, m)
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

// electing: the sentinel tries to replace the master.
func (w *standardWorld) electing(m *simMonitor) bool {
	return w.now.Before(m.electUntil) || w.tilted(m.sentinel) && m.promoted != nil
}

// loseSentinels deletes the instance of the sentinels, or brings it back.
func (w *standardWorld) loseSentinels(string) {
	if len(w.sentinels) > 0 && w.rng.IntN(4) == 0 {
		w.sentinelGone = !w.sentinelGone
		for _, s := range w.sentinels {
			clear(s.monitors)
		}
		w.say("FAULT sentinel instance gone: %v", w.sentinelGone)
	}
}
