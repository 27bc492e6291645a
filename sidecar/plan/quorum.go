package plan

import (
	"slices"
	"strings"
	"time"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

// quorumView sums up what the sentinels say about one master name.
type quorumView struct {
	// active is true when a sentinel instance is configured and exists.
	active bool
	quorum int
	want   int
	// opinions in the order of pod names.
	opinions []sentinelOpinion
	// answered and monitoring count the sentinels that answer, and those of them that monitor the name.
	answered, monitoring int
	// odown is true when a sentinel that takes the recorded master for the master says that the quorum finds it down. odownAt is when
	// that was first heard.
	odown   bool
	odownAt time.Time
	// electing is true while a failover is in progress, be it only that replicas are being moved to its result.
	electing bool
	// replacing is true while a failover of the recorded master is in progress, or could be among sentinels that take another address
	// for the master's.
	replacing bool
	// deposed is true when the quorum takes another address for the master's, and the node there may be one.
	deposed bool
	// voting counts those that monitor the name and are not in TILT: what they agree on happens.
	voting int
	// progressing is true when one of those carries a failover on.
	progressing bool
	// authUnknown is true when some sentinel may use an old password, so its verdicts may be wrong.
	authUnknown bool
}

// sentinelOpinion is what one sentinel says about the master name.
type sentinelOpinion struct {
	pod     string
	ip      string
	reached bool
	err     string
	// spinning and tilt: see [SentinelView].
	spinning, tilt bool
	// monitors is true when it monitors the name; master is what it says of it.
	monitors bool
	master   MasterView
}

// newQuorumView sums up what the sentinels say about a master name; address is that of the recorded master, empty when there is
// none, and mayBeMaster reports whether the node at an address is master or cannot be asked.
func newQuorumView(s *Sentinels, masterName, address string, mayBeMaster func(address string) bool) quorumView {
	w := quorumView{
		active: s.Configured && s.Exists,
		quorum: int(v1alpha1.Quorum(s.Want)),
		want:   int(s.Want),
	}
	if !w.active {
		return w
	}
	w.opinions = make([]sentinelOpinion, 0, len(s.Views))
	for pod, v := range s.Views {
		opinion := sentinelOpinion{pod: pod, ip: v.IP, reached: v.Reach == Answered, err: v.Err, spinning: v.Spinning, tilt: v.Tilt}
		if opinion.reached {
			opinion.master, opinion.monitors = v.Masters[masterName]
		}
		w.opinions = append(w.opinions, opinion)
	}
	slices.SortFunc(w.opinions, func(a, b sentinelOpinion) int { return strings.Compare(a.pod, b.pod) })
	for i := range w.opinions {
		w.add(&w.opinions[i], address)
	}
	elsewhere := w.monitoring-w.agreeingOn(address) >= w.quorum
	for i := range w.opinions {
		v := &w.opinions[i]
		switch {
		case !v.monitors:
		case v.master.Address == address:
			w.replacing = w.replacing || v.master.Failover
		case elsewhere:
			w.replacing = w.replacing || v.master.Failover
			w.deposed = w.deposed || mayBeMaster(v.master.Address)
		}
	}
	return w
}

func (w *quorumView) add(v *sentinelOpinion, address string) {
	if v.reached {
		w.answered++
	}
	if !v.monitors {
		return
	}
	w.monitoring++
	w.authUnknown = w.authUnknown || !v.master.AuthApplied
	w.electing = w.electing || v.master.Failover
	if !v.tilt {
		w.voting++
		w.progressing = w.progressing || v.master.Failover
	}
	if v.master.ObjectivelyDown && v.master.Address == address {
		w.odown = true
		if at := v.master.ODownAt; !at.IsZero() && (w.odownAt.IsZero() || at.Before(w.odownAt)) {
			w.odownAt = at
		}
	}
}

// mayElect reports whether enough sentinels monitor the name, or cannot be asked, for an election to be possible. While it is
// true only the sentinels choose a successor.
func (w *quorumView) mayElect() bool {
	return w.active && w.monitoring+w.silent() >= w.quorum
}

// silent returns the number of sentinels that exist and do not answer.
func (w *quorumView) silent() int { return len(w.opinions) - w.answered }

// agreeingOn returns the number of sentinels that take the address for the master's.
func (w *quorumView) agreeingOn(address string) int {
	n := 0
	for i := range w.opinions {
		if w.opinions[i].monitors && w.opinions[i].master.Address == address {
			n++
		}
	}
	return n
}
