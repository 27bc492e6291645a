package quorum

import (
	"fmt"
	"slices"
	"strings"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

// Reasons of SentinelAgreed.
const (
	// ReasonNotMonitored: no sentinel instance is named, so that no sentinel can disagree.
	ReasonNotMonitored = "NotMonitored"
	// ReasonSentinelNotFound: the named sentinel instance does not exist.
	ReasonSentinelNotFound = "SentinelNotFound"
	// ReasonQuorumLost: fewer sentinels answer than an election needs.
	ReasonQuorumLost = "QuorumLost"
	// ReasonSentinelUnreachable: some sentinel does not answer; the quorum does.
	ReasonSentinelUnreachable = "SentinelUnreachable"
	// ReasonSentinelTilt: some sentinel is in TILT, in which it calls no master down.
	ReasonSentinelTilt = "SentinelTilt"
	// ReasonMasterNotCalledDown: the master does not answer the sidecar, and the sentinels do not call it down.
	ReasonMasterNotCalledDown = "MasterNotCalledDown"
	// ReasonMonitorMissing: some sentinel does not monitor the master.
	ReasonMonitorMissing = "MonitorMissing"
	// ReasonMonitorWrong: some sentinel takes another address for the master, has other settings, or knows what no longer exists.
	ReasonMonitorWrong = "MonitorWrong"
	// ReasonPeersUnknown: some sentinel has not found all the others yet.
	ReasonPeersUnknown = "PeersUnknown"
	// ReasonFailover: the master is being replaced.
	ReasonFailover = "FailoverInProgress"
	// ReasonAgreed: every sentinel monitors the master with the right quorum and knows the others.
	ReasonAgreed = "Agreed"
)

// Master is the master that the sentinels are to watch, and how.
type Master struct {
	// Name under which they are to monitor it, and Pod that is recorded as master; empty when none is.
	Name, Pod string
	// Proved is true when the pod is proved to be the master; only then is the rest known.
	Proved bool
	// Address and Port that it announces.
	Address string
	Port    int32
	// Failover holds the settings that they are to have; none is 0.
	Failover v1alpha1.Failover
	// Replicas are the addresses that it lists as its replicas.
	Replicas []string
	// Members reports whether an address is that of a member, or of its pod. That one is wrong too, but a sentinel would only find
	// it again until the node announces the right one.
	Members interface{ HaveAddress(address string) bool }
	// Uncalled is true when it has been silent for so long that the sentinels should have called it down, and Replaced while an
	// outage or a planned move of it is on record.
	Uncalled, Replaced bool
}

// Agreement reports whether every sentinel monitors the master with the wanted settings and knows the others, with the reason and
// the message of the condition. For an instance that is not monitored they agree.
func (w *View) Agreement(m *Master) (reason, message string, ok bool) {
	tilted := w.tilted()
	switch {
	case !w.Configured:
		return ReasonNotMonitored, "no sentinel instance is named by the label kvrocks/monitored-by", true
	case !w.Active:
		return ReasonSentinelNotFound, "the sentinel instance named by the label kvrocks/monitored-by does not exist", false
	case w.Answered < w.Quorum:
		return ReasonQuorumLost, w.howManyAnswer() + fmt.Sprintf("; an election needs %d", w.Quorum), false
	case len(tilted) > 0 && w.Voting < w.Quorum:
		return ReasonSentinelTilt, inTilt(tilted), false
	case m.Uncalled:
		return ReasonMasterNotCalledDown, m.Pod + " has been silent for longer than downAfterMilliseconds, and the sentinels do not call it down", false
	case w.Electing || m.Replaced:
		return ReasonFailover, "the master is being replaced", false
	case w.Answered < w.Want || w.Silent() > 0:
		return ReasonSentinelUnreachable, w.howManyAnswer(), false
	case len(tilted) > 0:
		return ReasonSentinelTilt, inTilt(tilted), false
	}
	for i := range w.Opinions {
		if reason, message := w.disagreement(&w.Opinions[i], m); reason != "" {
			return reason, message, false
		}
	}
	return ReasonAgreed, "every sentinel monitors " + m.Pod, true
}

// Health returns what is true of the sentinels as such, whatever they monitor: the reason Agreed when all answer and none is in TILT.
func (w *View) Health() (reason, message string) {
	tilted := w.tilted()
	switch {
	case w.Answered < w.Quorum:
		return ReasonQuorumLost, w.howManyAnswer()
	case w.Answered < w.Want:
		return ReasonSentinelUnreachable, w.howManyAnswer()
	case len(tilted) > 0:
		return ReasonSentinelTilt, inTilt(tilted)
	}
	return ReasonAgreed, w.howManyAnswer()
}

func (w *View) howManyAnswer() string {
	return fmt.Sprintf("%d of %d sentinels answer", w.Answered, w.Want)
}

// tilted names the sentinels in TILT.
func (w *View) tilted() []string {
	var pods []string
	for i := range w.Opinions {
		if o := &w.Opinions[i]; o.Reached && o.Tilt {
			pods = append(pods, o.Pod)
		}
	}
	return pods
}

func inTilt(pods []string) string {
	return strings.Join(pods, ", ") + " in TILT: it had no processor for seconds, or its clock jumped, and calls no master down for 30 s"
}

// disagreement returns what one sentinel has otherwise than wanted; an empty reason when it has nothing.
func (w *View) disagreement(o *Opinion, m *Master) (reason, message string) {
	switch {
	case !o.Monitors:
		return ReasonMonitorMissing, o.Pod + " does not monitor " + m.Name
	case !m.Proved:
		return ReasonMonitorWrong, "there is no master to agree on"
	case !o.Watches(m):
		return ReasonMonitorWrong, o.Pod + " takes " + o.Master.Address + " for the master"
	case !w.Tuned(o, m):
		return ReasonMonitorWrong, o.Pod + " has other settings"
	}
	if stale := w.staleEntry(o, m); stale != "" {
		return ReasonMonitorWrong, o.Pod + " still knows " + stale
	}
	if !w.knowsPeers(o, nil, m) {
		return ReasonPeersUnknown, o.Pod + " has not found every other sentinel yet"
	}
	return "", ""
}

// Watches reports whether the sentinel monitors the name and takes the proved master for the master.
func (o *Opinion) Watches(m *Master) bool {
	return o.Monitors && o.Master.Address == m.Address && o.Master.Port == m.Port
}

// Tuned reports whether the sentinel has the wanted settings.
func (w *View) Tuned(o *Opinion, m *Master) bool {
	return o.Master.Quorum == int32(w.Quorum) &&
		o.Master.DownAfterMilliseconds == m.Failover.DownAfterMilliseconds &&
		o.Master.FailoverTimeoutMilliseconds == m.Failover.FailoverTimeoutMilliseconds &&
		o.Master.ParallelSyncs == m.Failover.ParallelSyncs
}

// WithStaleEntries returns the first sentinel that knows a peer or a replica which no longer exists; nil when there is none.
// They can wait until the others have the quorum to spare.
func (w *View) WithStaleEntries(m *Master) *Opinion {
	if w.Answered <= w.Quorum && w.Answered < w.Want {
		return nil
	}
	for i := range w.Opinions {
		if o := &w.Opinions[i]; o.Watches(m) && w.staleEntry(o, m) != "" {
			return o
		}
	}
	return nil
}

// staleEntry describes a peer or a replica that the sentinel knows and that no longer exists; empty when there is none.
func (w *View) staleEntry(o *Opinion, m *Master) string {
	for _, ip := range o.Master.Peers {
		if !slices.ContainsFunc(w.Opinions, func(peer Opinion) bool { return peer.IP == ip }) {
			return "sentinel " + ip
		}
	}
	for _, address := range o.Master.Replicas {
		switch {
		case slices.Contains(m.Replicas, address): // the master lists it, so the sentinel would learn of it again at once
		case address == m.Address:
			return "replica " + address + ", which is the master"
		case !m.Members.HaveAddress(address):
			return "replica " + address
		}
	}
	return ""
}

// OthersConverged reports whether every other sentinel that answers watches the proved master and knows the rest, so that they can
// do without the one that is about to forget.
func (w *View) OthersConverged(but *Opinion, m *Master) bool {
	for i := range w.Opinions {
		o := &w.Opinions[i]
		fine := o.Watches(m) && w.knowsPeers(o, but, m)
		if o.Reached && o != but && !fine {
			return false
		}
	}
	return true
}

// knowsPeers reports whether the sentinel knows every other one that watches the proved master, but for one.
func (w *View) knowsPeers(o, but *Opinion, m *Master) bool {
	for i := range w.Opinions {
		peer := &w.Opinions[i]
		if peer != o && peer != but && peer.Watches(m) && !slices.Contains(o.Master.Peers, peer.IP) {
			return false
		}
	}
	return true
}
