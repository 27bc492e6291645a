package reconcile

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/conn"
	"github.com/kvrocks/kvrocks-operator/sidecar/kvrocks"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/storage"
)

// Names of settings, and of what this package derives from them for [plan.Node.Config].
const (
	settingAnnounceIP  = "replica-announce-ip"
	settingMasterAuth  = "masterauth"
	settingRequirePass = "requirepass"
	settingPriority    = "slave-priority"
	masterAuthMatches  = "masterauth-matches"
)

// defaultPriority is slave-priority where none is set.
const defaultPriority = 100

// refusal is what is remembered of a setting that a process refused.
type refusal struct {
	value, message  string
	requiresRestart bool // the setting cannot be changed while the process runs
}

// detailsProbe is what a pass wants to know of a node besides what it is at every probe.
type detailsProbe struct {
	passwords conn.Passwords
	spec      *v1alpha1.KVRocksTopologySpec
	now       time.Time
	// settings is true when the settings are to be read.
	settings bool
	// write is true when a write is to show whether a master whose volume is almost full takes any.
	write bool
	// taken returns the name of another pod that announces an address; empty when there is none.
	taken func(address string) string
	// onLate is called when an answer comes after the pass went on.
	onLate func()
}

// nodeDetails are the answers.
type nodeDetails struct {
	settings map[string]string // nil when not asked
	refusal  storage.Refusal
	err      error
}

// probeDetails asks a node that answered what changes rarely.
func (n *node) probeDetails(ctx context.Context, x detailsProbe) {
	n.seen.Config = nil
	n.seen.Refusals, n.seen.RequiresRestart = n.refused(x.spec)
	q := detailsWanted{settings: x.settings, write: x.write && n.mayRefuseWrites()}
	if !n.mayRefuseWrites() {
		n.seen.Refusal = ""
	}
	if n.seen.Reach != plan.Answered || q == (detailsWanted{}) {
		return
	}
	answer, ok := n.details.Ask(n.timeout, func() nodeDetails {
		return n.askDetails(ctx, x.passwords, q)
	}, func(d nodeDetails) { n.noteLateAnswer(d.err, x.onLate) })
	switch {
	case !ok:
		n.noAnswer(x.now)
	case answer.err != nil:
		n.fail(conn.ReachOf(answer.err), answer.err.Error(), x.now)
	default:
		if q.write {
			n.seen.Refusal = answer.refusal
		}
		if q.settings {
			n.takeSettings(answer.settings, x)
		}
	}
}

// detailsWanted says what is asked.
type detailsWanted struct{ settings, write bool }

func (n *node) askDetails(ctx context.Context, p conn.Passwords, q detailsWanted) nodeDetails {
	var d nodeDetails
	d.err = n.session.Do(p, func(c conn.DataNode) (err error) {
		if q.write {
			d.refusal = n.tryWrite(ctx, c)
		}
		if q.settings {
			d.settings, err = c.ConfigGet(ctx, "*")
		}
		return err
	})
	return d
}

func (n *node) takeSettings(all map[string]string, x detailsProbe) {
	if other := x.taken(all[settingAnnounceIP]); other != "" {
		// What answers is not this node: its pod is gone, and its IP was given away before we were told.
		n.fail(plan.Unreachable, "its IP belongs to "+other+" by now", x.now)
		n.session.Close()
		return
	}
	n.configAt = x.now
	n.wrongPass = all[settingRequirePass] != string(x.passwords.Wanted)
	n.seen.Priority = priorityOf(all)
	n.seen.Config = map[string]string{masterAuthMatches: "no"}
	if all[settingMasterAuth] == string(x.passwords.Wanted) {
		n.seen.Config[masterAuthMatches] = "yes"
	}
	if n.layouts != nil { // the leader that set them may not have lived to see the end of the move
		n.own = leftByMove(all, n.seen.Version, x.spec.Config)
	}
	for name := range x.spec.Config {
		if value, ok := all[name]; ok {
			n.seen.Config[name] = value
		}
	}
	if value, ok := all[settingAnnounceIP]; ok {
		n.seen.Config[settingAnnounceIP] = value
	}
}

// refuse remembers that the process does not take a value.
func (n *node) refuse(setting, value string, err error) {
	if n.refusals == nil {
		n.refusals = map[string]refusal{}
	}
	n.refusals[setting] = refusal{value: value, message: err.Error(), requiresRestart: errors.Is(err, kvrocks.ErrNotAllowed)}
}

// refused lists the settings that were refused with the value that is wanted now, and says which of them take a restart.
func (n *node) refused(spec *v1alpha1.KVRocksTopologySpec) (list map[string]string, requiresRestart map[string]bool) {
	if len(n.refusals) == 0 {
		return nil, nil
	}
	list, requiresRestart = map[string]string{}, map[string]bool{}
	for name, r := range n.refusals {
		wanted, named := spec.Config[name]
		own := name == settingAnnounceIP || name == settingPriority // by the planner, whatever spec says
		if named && wanted == r.value || !named && own {
			list[name], requiresRestart[name] = r.message, r.requiresRestart
		}
	}
	return list, requiresRestart
}

// priorityOf reads slave-priority under either of its names.
func priorityOf(settings map[string]string) int32 {
	for _, name := range [...]string{settingPriority, "replica-priority"} {
		if value, err := strconv.ParseInt(settings[name], 10, 32); err == nil {
			return int32(value)
		}
	}
	return defaultPriority
}

// stale reports whether the node took another password than the wanted one.
func (n *node) stale() bool {
	return n.seen.Reach == plan.Answered && (n.wrongPass || n.session.Stale())
}

// applyPassword gives the node the wanted password. masterauth comes first: a node that has the new one can follow
// any node that has changed already, and the next connection is opened with the new one.
func (n *node) applyPassword(ctx context.Context, p conn.Passwords) error {
	for _, setting := range [...]string{settingMasterAuth, settingRequirePass} {
		err := n.session.Do(p, func(c conn.DataNode) error { return c.ConfigSet(ctx, setting, string(p.Wanted)) })
		if err != nil {
			return err
		}
	}
	n.session.Close()
	n.configAt = time.Time{}
	return nil
}
