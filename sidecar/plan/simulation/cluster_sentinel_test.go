package simulation

import (
	"maps"
	"slices"
)

// advanceSentinels: the sentinels of a cluster find out which master is down, and try for ever to replace it.
func (w *clusterWorld) advanceSentinels() {
	for _, pod := range w.sentinelPods() {
		if s := w.sentinels[pod]; w.sentinelUp(s) {
			for _, name := range slices.Sorted(maps.Keys(s.monitors)) {
				w.detect(s.monitors[name], name)
			}
		}
	}
}

// detect pings the master; a node that says that it is a replica is down as a master.
func (w *clusterWorld) detect(m *simMonitor, name string) {
	switch {
	case w.ping(m):
		for _, o := range w.watching(name) {
			if o != m && o.address == m.address {
				m.peers[o.sentinel.ip] = true
			}
		}
	case !w.tilted(m.sentinel):
		w.judge(m, name)
	}
}

// electing: the sentinel tries to replace the master, and begins again and again.
func (w *clusterWorld) electing(m *simMonitor) bool { return m.odown() && w.now.UnixMilli()/1000%3 > 0 }
