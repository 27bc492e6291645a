package plan

import (
	"fmt"
	"strings"
)

// sentinelVerdict reports whether every sentinel monitors the same master with the right quorum. For an instance that is not
// monitored it is True, with the reason NotMonitored.
func (p *pass) sentinelVerdict() (verdict, bool) {
	w := &p.sentinels
	switch {
	case !p.in.Sentinels.Configured:
		return verdict{ReasonNotMonitored, "no sentinel instance is named by the label kvrocks/monitored-by"}, true
	case !w.active:
		return verdict{ReasonSentinelNotFound, "the sentinel instance named by the label kvrocks/monitored-by does not exist"}, false
	case w.answered < w.quorum:
		return verdict{ReasonQuorumLost, fmt.Sprintf("%d of %d sentinels answer; an election needs %d", w.answered, w.want, w.quorum)}, false
	case len(w.tilted()) > 0 && w.voting < w.quorum:
		return tiltVerdict(w.tilted()), false
	case p.notCalledDown():
		return verdict{ReasonMasterNotCalledDown, p.master + " has been silent for longer than downAfterMilliseconds, and the sentinels do not call it down"}, false
	case w.electing || p.outage != nil:
		return verdict{ReasonFailover, "the master is being replaced"}, false
	case w.answered < w.want || w.silent() > 0:
		return verdict{ReasonSentinelUnreachable, fmt.Sprintf("%d of %d sentinels answer", w.answered, w.want)}, false
	}
	if tilted := w.tilted(); len(tilted) > 0 {
		return tiltVerdict(tilted), false
	}
	for i := range w.opinions {
		if v, ok := p.viewVerdict(&w.opinions[i]); !ok {
			return v, false
		}
	}
	return verdict{ReasonAgreed, "every sentinel monitors " + p.master}, true
}

// tilted names the sentinels in TILT.
func (w *quorumView) tilted() []string {
	var pods []string
	for i := range w.opinions {
		if v := &w.opinions[i]; v.reached && v.tilt {
			pods = append(pods, v.pod)
		}
	}
	return pods
}

func tiltVerdict(pods []string) verdict {
	return verdict{ReasonSentinelTilt, strings.Join(pods, ", ") + " in TILT: it had no processor for seconds, or its clock jumped, and calls no master down for 30 s"}
}

// viewVerdict reports whether one sentinel monitors the proved master with the right settings and knows its peers.
func (p *pass) viewVerdict(v *sentinelOpinion) (verdict, bool) {
	switch {
	case !v.monitors:
		return verdict{ReasonMonitorMissing, v.pod + " does not monitor " + p.shard.MasterName}, false
	case p.proven == nil:
		return verdict{ReasonMonitorWrong, "there is no master to agree on"}, false
	case !p.agrees(v):
		return verdict{ReasonMonitorWrong, v.pod + " takes " + v.master.Address + " for the master"}, false
	case !p.tuned(v):
		return verdict{ReasonMonitorWrong, v.pod + " has other settings"}, false
	}
	if stale := p.staleEntry(v); stale != "" {
		return verdict{ReasonMonitorWrong, v.pod + " still knows " + stale}, false
	}
	if !p.knowsPeers(v, nil) {
		return verdict{ReasonPeersUnknown, v.pod + " has not found every other sentinel yet"}, false
	}
	return verdict{}, true
}
