package plan

import (
	"slices"
	"time"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

// A silent master is down when the sentinels say so. Two things are known without them: that its process has ended, and
// that it has not answered for so long that the sentinels would have said so if they could.

const (
	// restartTimeout is how long a container that has ended in its pod is given to come back: all its data is there, and
	// kubelet restarts it at once, within a second of noticing.
	restartTimeout = 1500 * time.Millisecond
	// sentinelTimeout is how much longer than downAfterMilliseconds a master may be silent before the sidecar acts without
	// the sentinels' word. They agree within two seconds of it when they can.
	sentinelTimeout = 5 * time.Second
	// lateAnswerTimeout is how long a member of a planned move may leave a question unanswered. It was well when the move began, a pass
	// waits for an answer for much less than that, and a node that changes its role or a busy machine answers late.
	lateAnswerTimeout = 1500 * time.Millisecond
	// silenceNoted is how much longer than downAfterMilliseconds it may be before that is said of the sentinels.
	silenceNoted = 2 * time.Second
)

// processEnded reports whether the process of m is known to have ended for longer than a restart in its
// pod takes, and live replicas of it are left to choose from. When they have all restarted as well, as after a loss of power,
// the master is waited for like them.
func (all members) processEnded(m *member, now time.Time) bool {
	return m.endedForGood(now) && all.liveReplicas(m) > 0
}

// endedForGood reports whether the process of m is known to have ended for longer than a restart in its pod takes.
func (m *member) endedForGood(now time.Time) bool {
	switch {
	case !m.silent() || m.node.Outlives:
		return false
	case !m.exists:
		return true
	case m.pod.Deleting:
		return m.node.Reach == Unreachable || !m.pod.Running
	case m.pod.Running:
		return false
	}
	// Of a pod that has no address yet the predecessor is gone. Otherwise it is the same pod, and its container restarts.
	return m.pod.IP == "" || m.pod.BackingOff || m.downFor(now) >= restartTimeout
}

// liveReplicas counts the attached members that still follow m: they have not restarted since they got its last writes.
func (all members) liveReplicas(m *member) int {
	n := 0
	for _, o := range all {
		if o.was.Attached && o.follows(m) {
			n++
		}
	}
	return n
}

// answersLate reports whether m, which may be nil, is to be waited for in a planned move: its process runs, and has not answered yet.
func (m *member) answersLate(now time.Time) bool {
	return m != nil && m.exists && m.pod.Running && m.node.Reach == Unresponsive && m.downFor(now) < lateAnswerTimeout
}

// silentFor reports whether m has been silent for at least d, as far as this process knows.
func (m *member) silentFor(d time.Duration, now time.Time) bool {
	return m.silent() && m.downFor(now) >= d
}

// overdue reports whether the sidecar itself has proof that m does not serve, and the sentinels have had the time to say so:
// it has been silent for long, to a majority of members that answer, and none of its replicas has heard from it since.
func (p *facts) overdue(m *member) bool {
	return m.silentFor(p.sentinels.DownAfter()+sentinelTimeout, p.now) && p.members.majority(m) && !p.members.heardFrom(m, p.sentinels.DownAfter())
}

// heardFrom reports whether a replica of m has heard from it within d.
func (all members) heardFrom(m *member, d time.Duration) bool {
	return slices.ContainsFunc(all, func(o *member) bool { return o.linked(m) && o.node.LastIO < d })
}

// restartCause returns why m, which answers and is no master, is replaced: it went down alone while its replicas went on, or the
// whole shard has been started.
func (all members) restartCause(m *member) v1alpha1.FailoverCause {
	if all.liveReplicas(m) > 0 {
		return v1alpha1.CauseDown
	}
	return v1alpha1.CauseRestart
}

// notCalledDown reports whether the recorded master has been silent for so long that the sentinels should have called it down.
func (p *facts) notCalledDown() bool {
	m := p.members.named(p.recorded.Master)
	return m != nil && p.outage == nil && p.sentinels.MayAgree() && !p.sentinels.ODown && m.silentFor(p.sentinels.DownAfter()+silenceNoted, p.now)
}
