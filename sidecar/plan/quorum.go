package plan

import (
	"slices"
	"strings"
	"time"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

// watch sums up what the sentinels say about one master name.
type watch struct {
	// active: a sentinel instance is configured and exists.
	active bool
	quorum int
	want   int
	// views in the order of pod names.
	views []view
	// answered and watching count the sentinels that answer, and those of them that monitor the name.
	answered, watching int
	// odown: a sentinel that takes the recorded master for the master says that the quorum finds it down. odownAt is when
	// that was first heard.
	odown   bool
	odownAt time.Time
	// electing: a failover is in progress, be it only that replicas are being moved to its result.
	electing bool
	// replacing: a failover of the recorded master is in progress, or could be among sentinels that take another address
	// for the master's.
	replacing bool
	// deposed: the quorum takes another address for the master's, and the node there may be one.
	deposed bool
	// able counts those that monitor the name and are not in TILT: what they agree on happens.
	able int
	// progressing: one of them carries a failover on.
	progressing bool
	// authUnknown: some sentinel may use an old password, so its verdicts may be wrong.
	authUnknown bool
}

// view is one sentinel.
type view struct {
	pod     string
	ip      string
	reached bool
	err     string
	// spinning and tilt: see [SentinelView].
	spinning, tilt bool
	// watches: it monitors the name; says is what it knows.
	watches bool
	says    MasterView
}

// newWatch sums up; address is that of the recorded master, empty when there is none, and mayBeMaster tells of an address
// whether the node there is master or cannot be asked.
func newWatch(s *Sentinels, masterName, address string, mayBeMaster func(address string) bool) watch {
	w := watch{
		active: s.Configured && s.Exists,
		quorum: int(v1alpha1.Quorum(s.Want)),
		want:   int(s.Want),
	}
	if !w.active {
		return w
	}
	w.views = make([]view, 0, len(s.Views))
	for pod, v := range s.Views {
		one := view{pod: pod, ip: v.IP, reached: v.Reach == Answered, err: v.Err, spinning: v.Spinning, tilt: v.Tilt}
		if one.reached {
			one.says, one.watches = v.Masters[masterName]
		}
		w.views = append(w.views, one)
	}
	slices.SortFunc(w.views, func(a, b view) int { return strings.Compare(a.pod, b.pod) })
	for i := range w.views {
		w.count(&w.views[i], address)
	}
	elsewhere := w.watching-w.names(address) >= w.quorum
	for i := range w.views {
		v := &w.views[i]
		switch {
		case !v.watches:
		case v.says.Address == address:
			w.replacing = w.replacing || v.says.Failover
		case elsewhere:
			w.replacing = w.replacing || v.says.Failover
			w.deposed = w.deposed || mayBeMaster(v.says.Address)
		}
	}
	return w
}

func (w *watch) count(v *view, address string) {
	if v.reached {
		w.answered++
	}
	if !v.watches {
		return
	}
	w.watching++
	w.authUnknown = w.authUnknown || !v.says.AuthApplied
	w.electing = w.electing || v.says.Failover
	if !v.tilt {
		w.able++
		w.progressing = w.progressing || v.says.Failover
	}
	if v.says.ObjectivelyDown && v.says.Address == address {
		w.odown = true
		if at := v.says.ODownAt; !at.IsZero() && (w.odownAt.IsZero() || at.Before(w.odownAt)) {
			w.odownAt = at
		}
	}
}

// mayElect: enough sentinels monitor the name, or cannot be asked, for an election to be possible. While it is true the
// sentinels are the only ones who choose a successor.
func (w *watch) mayElect() bool {
	return w.active && w.watching+w.silent() >= w.quorum
}

// silent is the number of sentinels that exist and do not answer.
func (w *watch) silent() int { return len(w.views) - w.answered }

// names counts the sentinels that take the address for the master's.
func (w *watch) names(address string) int {
	n := 0
	for i := range w.views {
		if w.views[i].watches && w.views[i].says.Address == address {
			n++
		}
	}
	return n
}
