package quorum

import (
	"slices"
	"strings"
	"time"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

// View sums up what the sentinels say about one master name.
type View struct {
	// Configured is true when a sentinel instance is named, and Active when it exists as well.
	Configured, Active bool
	// Want is the number of sentinels that there are to be, and Quorum how many of them an election needs.
	Want, Quorum int
	// Opinions in the order of pod names.
	Opinions []Opinion
	// Answered and Monitoring count the sentinels that answer, and those of them that monitor the name.
	Answered, Monitoring int
	// ODown is true when a sentinel that takes the recorded master for the master says that the quorum finds it down. ODownAt is when
	// that was first heard; zero when it was not.
	ODown   bool
	ODownAt time.Time
	// Electing is true while a failover is in progress, be it only that replicas are being moved to its result.
	Electing bool
	// Replacing is true while a failover of the recorded master is in progress, or could be among sentinels that take another address
	// for the master's.
	Replacing bool
	// Deposed is true when the quorum takes another address for the master's, and the node there may be one.
	Deposed bool
	// Voting counts those that monitor the name and are not in TILT: what they agree on happens.
	Voting int
	// Progressing is true when one of those carries a failover on.
	Progressing bool
	// AuthUnknown is true when some sentinel may use an old password, so its verdicts may be wrong.
	AuthUnknown bool
	// onlyDetects is true when their elections do not count.
	onlyDetects bool
}

// Opinion is what one sentinel says about the master name.
type Opinion struct {
	// Pod of the sentinel, and its IP.
	Pod, IP string
	// Reached is true when the sentinel answers.
	Reached bool
	// Spinning is true when it uses up a processor, and Tilt while it calls nothing down.
	Spinning, Tilt bool
	// Monitors is true when it monitors the name; Master is what it says of it.
	Monitors bool
	Master   MasterView
}

// MasterView is what one sentinel says about one master name.
type MasterView struct {
	// Address and Port that it takes for the master.
	Address string
	Port    int32
	// SubjectivelyDown and ObjectivelyDown are the flags s_down and o_down.
	SubjectivelyDown bool
	ObjectivelyDown  bool
	// ODownAt is when this process saw +odown for the present outage; zero when it did not.
	ODownAt time.Time
	// Failover is true while a failover is in progress.
	Failover bool
	// Quorum, DownAfterMilliseconds, FailoverTimeoutMilliseconds and ParallelSyncs as configured in it.
	Quorum                      int32
	DownAfterMilliseconds       int32
	FailoverTimeoutMilliseconds int32
	ParallelSyncs               int32
	// AuthApplied is false when this process knows that the sentinel has not been given the present password.
	AuthApplied bool
	// Peers are the pod IPs of the other sentinels that it knows for this master, sorted. One that is no pod is stale.
	Peers []string
	// Replicas are the addresses that it takes for replicas, sorted.
	Replicas []string
}

// Absent returns the view where no sentinels watch: none are configured, or those that are do not exist.
func Absent(configured bool, want int32) View {
	return View{Configured: configured, Want: int(want), Quorum: int(v1alpha1.Quorum(want))}
}

// New sums up the opinions, which it sorts, of the want sentinels of an instance that exists. address is that of the recorded
// master, empty when there is none, and mayBeMaster reports whether the node at an address is master or cannot be asked.
func New(want int32, opinions []Opinion, address string, mayBeMaster func(address string) bool) View {
	w := Absent(true, want)
	w.Active, w.Opinions = true, opinions
	slices.SortFunc(w.Opinions, func(a, b Opinion) int { return strings.Compare(a.Pod, b.Pod) })
	for i := range w.Opinions {
		w.add(&w.Opinions[i], address)
	}
	elsewhere := w.Monitoring-w.AgreeingOn(address) >= w.Quorum
	for i := range w.Opinions {
		o := &w.Opinions[i]
		switch {
		case !o.Monitors:
		case o.Master.Address == address:
			w.Replacing = w.Replacing || o.Master.Failover
		case elsewhere:
			w.Replacing = w.Replacing || o.Master.Failover
			w.Deposed = w.Deposed || mayBeMaster(o.Master.Address)
		}
	}
	return w
}

func (w *View) add(o *Opinion, address string) {
	if o.Reached {
		w.Answered++
	}
	if !o.Monitors {
		return
	}
	w.Monitoring++
	w.AuthUnknown = w.AuthUnknown || !o.Master.AuthApplied
	w.Electing = w.Electing || o.Master.Failover
	if !o.Tilt {
		w.Voting++
		w.Progressing = w.Progressing || o.Master.Failover
	}
	if o.Master.ObjectivelyDown && o.Master.Address == address {
		w.ODown = true
		if at := o.Master.ODownAt; !at.IsZero() && (w.ODownAt.IsZero() || at.Before(w.ODownAt)) {
			w.ODownAt = at
		}
	}
}

// MayAgree reports whether enough sentinels monitor the name, or cannot be asked, for a quorum.
func (w *View) MayAgree() bool {
	return w.Active && w.Monitoring+w.Silent() >= w.Quorum
}

// MayElect reports whether an election is possible, and counts. While it is true only the sentinels choose a successor.
func (w *View) MayElect() bool { return w.MayAgree() && !w.onlyDetects }

// ProvesDown reports whether the word of the sentinels that the recorded master is down suffices to replace it. Where they elect it
// does not: when it comes to that they cannot agree any more.
func (w *View) ProvesDown() bool { return w.ODown && w.onlyDetects }

// ElectionTimeout returns how long after a master was called down the sentinels are waited for: down-after and two of their attempts,
// or three when one of them says that it is at one. Those in TILT are at none, and when too few others are left only unable is given.
func (w *View) ElectionTimeout(downAfter, attempt, unable time.Duration) time.Duration {
	switch {
	case w.Progressing:
		return downAfter + 3*attempt
	case w.Voting < w.Quorum:
		return unable
	}
	return downAfter + 2*attempt
}

// Silent returns the number of sentinels that exist and do not answer.
func (w *View) Silent() int { return len(w.Opinions) - w.Answered }

// AgreeingOn returns the number of sentinels that take the address for the master's.
func (w *View) AgreeingOn(address string) int {
	n := 0
	for i := range w.Opinions {
		if w.Opinions[i].Monitors && w.Opinions[i].Master.Address == address {
			n++
		}
	}
	return n
}

// OnlyDetects returns the view of sentinels whose elections do not count, because the nodes refuse to be promoted by them:
// they say which masters are down, and nothing else.
func (w View) OnlyDetects() View {
	w.Electing, w.Replacing, w.Deposed = false, false, false
	w.onlyDetects = true
	return w
}
