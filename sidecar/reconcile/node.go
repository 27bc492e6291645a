package reconcile

import (
	"context"
	"errors"
	"net"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/kvrocks"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan"
)

// Names of settings, and of what this package derives from them for [plan.Node.Config].
const (
	settingAnnounceIP  = "replica-announce-ip"
	settingMasterAuth  = "masterauth"
	settingRequirePass = "requirepass"
	masterAuthMatches  = "masterauth-matches"
)

// markerKey is the key of [plan.WriteMarker].
const markerKey = "kvrocks-operator:marker"

// rarely is how often a settled node is asked what hardly ever changes: its settings and whether it holds a key.
const rarely = time.Minute

// hungPatience is how long a pass waits for a process that was silent before.
const hungPatience = 50 * time.Millisecond

// sameStart is how far two readings of a process' start, each of one second's resolution, may be apart.
const sameStart = 2 * time.Second

// node is what is remembered of one data node between passes. It belongs to the passes of its instance.
type node struct {
	pod, uid, addr string
	session        session[DataNode]
	info           flight[nodeAnswer]
	// answered is true from an answer to the loss of the connection, and lost is when that was, in Unix nanoseconds.
	answered atomic.Bool
	lost     atomic.Int64
	// silent is true when the last question timed out, or is still on its way.
	silent bool

	seen    plan.Node
	started time.Time // of its process
	emptyAt time.Time // when seen.Empty was read
	// configAt is when the settings were last read; zero makes the next pass read them.
	configAt time.Time
	// refusals are the settings that the process refused, by name.
	refusals map[string]refusal
	// wrongPass is true when the settings show another requirepass than the wanted one.
	wrongPass bool
}

// refusal of a setting.
type refusal struct{ value, message string }

type nodeAnswer struct {
	info kvrocks.NodeInfo
	at   time.Time
	err  error
}

func newNode(pod, uid, addr string, dial func(*node, kvrocks.Secret) DataNode) *node {
	n := &node{pod: pod, uid: uid, addr: addr, seen: plan.Node{Priority: defaultPriority}}
	n.session.dial = func(password kvrocks.Secret) DataNode { return dial(n, password) }
	return n
}

// defaultPriority is slave-priority where none is set.
const defaultPriority = 100

func joinHostPort(ip string, port int32) string { return net.JoinHostPort(ip, strconv.Itoa(int(port))) }

// observe asks the node what it is. late is called from elsewhere when a node that seemed hung answers after all.
func (n *node) observe(ctx context.Context, p passwords, patience time.Duration, now func() time.Time, late func()) {
	if n.silent {
		patience = hungPatience
	}
	answer, ok := n.info.ask(patience, func() nodeAnswer {
		var a nodeAnswer
		a.err = n.session.do(p, func(c DataNode) (err error) {
			a.info, err = c.Observe(ctx)
			return err
		})
		a.at = now()
		if a.err == nil && a.info.Loading {
			a.err = kvrocks.ErrLoading
		}
		return a
	}, func(a nodeAnswer) {
		if a.err == nil {
			late()
		}
	})
	switch {
	case ok:
		n.take(answer)
	case !n.silent:
		n.silent = true
		n.fail(plan.Hung, "no answer", now())
	}
}

// take turns an answer into what the planner sees.
func (n *node) take(a nodeAnswer) {
	n.silent = errors.Is(a.err, kvrocks.ErrTimeout)
	n.served()
	n.answered.Store(a.err == nil)
	if a.err != nil {
		n.fail(reachOf(a.err), a.err.Error(), a.at)
		return
	}
	s, i := &n.seen, a.info
	s.RunID = n.process(i, a.at)
	s.Reach, s.Err, s.DownSince = plan.Answered, "", time.Time{}
	s.Role = v1alpha1.RoleReplica
	if i.Role == kvrocks.RoleMaster {
		s.Role, s.LastMaster = v1alpha1.RoleMaster, a.at
	}
	s.MasterHost, s.MasterPort = i.MasterHost, int32(i.MasterPort)
	s.LinkUp, s.Syncing, s.LastIO = i.LinkUp, i.SyncInProgress, i.LastIO
	s.Sequence = int64(i.Sequence)
}

// lose notes that the connection was lost. It is called from elsewhere.
func (n *node) lose(at time.Time) (answered bool) {
	if !n.answered.Swap(false) {
		return false
	}
	n.lost.Store(at.UnixNano())
	return true
}

// served takes account of a connection that was lost since the last answer: until then the process was alive.
func (n *node) served() {
	if lost := n.lost.Swap(0); lost != 0 && n.seen.Role == v1alpha1.RoleMaster {
		n.seen.LastMaster = time.Unix(0, lost)
	}
}

// process names the process behind an answer. kvrocks has no run id, so its start time serves as one.
func (n *node) process(i kvrocks.NodeInfo, at time.Time) string {
	start := at.Add(-i.Uptime)
	same := n.seen.RunID != "" && start.Sub(n.started).Abs() <= sameStart
	if i.RunID != "" {
		same = i.RunID == n.seen.RunID
	}
	if same {
		return n.seen.RunID
	}
	n.started, n.emptyAt, n.configAt, n.refusals = start, time.Time{}, time.Time{}, nil
	if i.RunID != "" {
		return i.RunID
	}
	return "started " + start.UTC().Format(time.RFC3339)
}

// servedUntil takes account of a node that is given up because its pod is gone: until its connection is lost it serves.
func (n *node) servedUntil(now time.Time) {
	n.served()
	if n.answered.Load() && n.seen.Role == v1alpha1.RoleMaster {
		n.seen.LastMaster = now
	}
}

func (n *node) fail(reach plan.Reach, why string, at time.Time) {
	n.seen.Reach, n.seen.Err = reach, why
	if n.seen.DownSince.IsZero() {
		n.seen.DownSince = at
	}
}

// examine asks a node that answered what changes rarely. With all set it is asked again whatever the age of the last
// answer.
func (n *node) examine(
	ctx context.Context, p passwords, spec *v1alpha1.KVRocksTopologySpec, now time.Time, all bool,
	taken func(address string) string,
) {
	n.seen.Config, n.seen.Refusals = nil, n.refused(spec)
	if n.seen.Reach != plan.Answered {
		return
	}
	if all || now.Sub(n.emptyAt) >= rarely {
		n.readEmpty(ctx, p, now)
	}
	if now.Sub(n.configAt) >= rarely && n.seen.Reach == plan.Answered {
		n.readConfig(ctx, p, spec, now, taken)
	}
}

// refuse remembers that the process does not take a value.
func (n *node) refuse(setting, value string, err error) {
	if n.refusals == nil {
		n.refusals = map[string]refusal{}
	}
	n.refusals[setting] = refusal{value: value, message: err.Error()}
}

// refused lists the settings that were refused with the value that is wanted now.
func (n *node) refused(spec *v1alpha1.KVRocksTopologySpec) map[string]string {
	if len(n.refusals) == 0 {
		return nil
	}
	list := map[string]string{}
	for name, r := range n.refusals {
		if wanted, named := spec.Config[name]; !named || wanted == r.value {
			list[name] = r.message
		}
	}
	return list
}

func (n *node) readEmpty(ctx context.Context, p passwords, now time.Time) {
	var empty bool
	err := n.session.do(p, func(c DataNode) (err error) {
		empty, err = c.IsEmpty(ctx)
		return err
	})
	if err != nil {
		n.fail(reachOf(err), err.Error(), now)
		return
	}
	n.seen.Empty, n.emptyAt = empty, now
}

// readConfig reads the settings. taken names another pod that announces an address: then what answers is not this node,
// because the pod is gone and its IP has been given away before we were told.
func (n *node) readConfig(
	ctx context.Context, p passwords, spec *v1alpha1.KVRocksTopologySpec, now time.Time, taken func(address string) string,
) {
	var all map[string]string
	err := n.session.do(p, func(c DataNode) (err error) {
		all, err = c.ConfigGet(ctx, "*")
		return err
	})
	if err != nil {
		n.fail(reachOf(err), err.Error(), now)
		return
	}
	if other := taken(all[settingAnnounceIP]); other != "" {
		n.fail(plan.Down, "its IP belongs to "+other+" by now", now)
		n.session.close()
		return
	}
	n.configAt = now
	n.wrongPass = all[settingRequirePass] != string(p.wanted)

	n.seen.Priority = priorityOf(all)
	n.seen.Config = map[string]string{masterAuthMatches: "no"}
	if all[settingMasterAuth] == string(p.wanted) {
		n.seen.Config[masterAuthMatches] = "yes"
	}
	for name := range spec.Config {
		if value, ok := all[name]; ok {
			n.seen.Config[name] = value
		}
	}
	if value, ok := all[settingAnnounceIP]; ok {
		n.seen.Config[settingAnnounceIP] = value
	}
}

// priorityOf reads slave-priority under either of its names.
func priorityOf(settings map[string]string) int32 {
	for _, name := range [...]string{"slave-priority", "replica-priority"} {
		if value, err := strconv.ParseInt(settings[name], 10, 32); err == nil {
			return int32(value)
		}
	}
	return defaultPriority
}

// stale tells whether the node took another password than the wanted one.
func (n *node) stale() bool {
	return n.seen.Reach == plan.Answered && (n.wrongPass || n.session.stale())
}

// applyPassword gives the node the wanted password. masterauth comes first: a node that has the new one can follow
// whoever has changed already, and the next connection is opened with the new one.
func (n *node) applyPassword(ctx context.Context, p passwords) error {
	for _, setting := range [...]string{settingMasterAuth, settingRequirePass} {
		err := n.session.do(p, func(c DataNode) error { return c.ConfigSet(ctx, setting, string(p.wanted)) })
		if err != nil {
			return err
		}
	}
	n.session.close()
	n.configAt = time.Time{}
	return nil
}

// isExpected tells a refusal that passes by itself from a failure.
func isExpected(err error) bool {
	return errors.Is(err, kvrocks.ErrOwnReplicas) || errors.Is(err, kvrocks.ErrLoading) ||
		errors.Is(err, kvrocks.ErrTryAgain)
}
