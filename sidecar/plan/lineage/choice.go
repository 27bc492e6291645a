package lineage

import "github.com/kvrocks/kvrocks-operator/api/v1alpha1"

// Candidate is a member that may be chosen as master.
type Candidate interface {
	comparable
	Member
	// Ordinal is that of the pod. Deleting reports whether it is being deleted, MustNotLead whether it is not to stay master.
	Ordinal() int32
	Deleting() bool
	MustNotLead() bool
}

// Best returns that of the eligible members which answer that should be master: the one with the best standing, then the highest
// sequence, then one that may stay master, then the recorded master, then the lowest ordinal. The zero value when none is eligible.
func Best[C Candidate](r *Record, all []C, eligible func(C) bool) C {
	var best, none C
	for _, m := range all {
		if m.Answered() && !m.Deleting() && eligible(m) && (best == none || better(r, m, best)) {
			best = m
		}
	}
	return best
}

func better[C Candidate](r *Record, a, b C) bool {
	switch {
	case r.Outranks(a, b):
		return true
	case r.Outranks(b, a):
		return false
	case a.MustNotLead() != b.MustNotLead():
		return !a.MustNotLead()
	case a.Name() == r.Master || b.Name() == r.Master:
		return a.Name() == r.Master
	}
	return a.Ordinal() < b.Ordinal()
}

// Unfit reports whether x, which others made master, must not serve. It must not while a member in sync answers and x is
// none; and when its volume is new, foreign or an old copy, it must wait for those that were in sync.
func Unfit[C Candidate](r *Record, x C, all []C) bool {
	if r.Standing(x) == InSync {
		return false
	}
	missing := false
	for _, o := range all {
		switch {
		case o == x:
		case o.Answered() && r.Standing(o) == InSync && r.mayReplace(o, x):
			return true
		case !o.Answered() && r.KeptRole(o) != "":
			missing = true
		}
	}
	return missing && !r.KeptData(x)
}

// mayReplace reports whether x may be undone for o: x may have taken writes already, which counts where it has all that
// was reported of its volume.
func (r *Record) mayReplace(o, x Member) bool { return !r.KeptData(x) || o.Sequence() > x.Sequence() }

// MaySucceed reports whether o may succeed the master while others are missing: it was in sync when it was last reported.
func (r *Record) MaySucceed(o Member) bool { return !o.VolumeUnread() && r.KeptRole(o) != "" }

// RoleUntilProved returns the role that stays on record of a pod while no master is proved: that of the volume which it had,
// wherever that is now.
func RoleUntilProved[C Candidate](r *Record, m C, all []C) v1alpha1.Role {
	own := r.Node(m.Name())
	if own == nil {
		return ""
	}
	var holder, none C // best the pod of that name
	for _, o := range all {
		if r.Of(o) == own && (holder == none || o.Name() == own.Pod) {
			holder = o
		}
	}
	if holder == none {
		return own.Role
	}
	return r.KeptRole(holder)
}
