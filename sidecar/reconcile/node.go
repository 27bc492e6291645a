package reconcile

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/conn"
	"github.com/kvrocks/kvrocks-operator/sidecar/kvrocks"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/lag"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/storage"
)

// markerKey is the key of [action.WriteMarker].
const markerKey = "kvrocks-operator:marker"

// rarely is how often a settled node is asked what hardly ever changes: its settings.
const rarely = time.Minute

// unresponsiveTimeout is how long a pass waits for a process that did not answer the last question in time.
const unresponsiveTimeout = 50 * time.Millisecond

// sameStart is how far two readings of a process' start, each of one second's resolution, may be apart.
const sameStart = 2 * time.Second

// node is what is remembered of one data node between passes. It belongs to the passes of its instance.
type node struct {
	pod, uid, addr string
	session        conn.Session[conn.DataNode]
	info           conn.Inflight[nodeAnswer]
	details        conn.Inflight[nodeDetails]
	// answered is true from an answer to the loss of the connection, and lost is when that was, in Unix nanoseconds.
	answered atomic.Bool
	lost     atomic.Int64
	// unresponsive is true when the last question timed out, or is still on its way.
	unresponsive bool
	// timeout is how long the present pass waits for its answer.
	timeout time.Duration
	// answeredLate is true when the last answer came after the pass that asked had gone on.
	answeredLate atomic.Bool

	seen    plan.Node
	started time.Time // of its process
	// configAt is when the settings were last read; zero makes the next pass read them.
	configAt time.Time
	// refusals are the settings that the process refused, by name.
	refusals map[string]refusal
	// wrongPass is true when the settings show another requirepass than the wanted one.
	wrongPass bool

	// layouts is where the layouts of a cluster's nodes are kept; nil for a node of no cluster.
	layouts *layouts
	// layoutAt is when the layout was last read; zero makes the next pass read it.
	layoutAt time.Time
	// layoutRead is true when the last answer brought the layout.
	layoutRead bool
	counter    counter
	dropper    dropper
	// own are the settings, by name, that are to be put back when a move has ended.
	own map[string]string
	// history is what the node had while it was master, and maxLag how long a replica may lack it.
	history lag.History
	maxLag  time.Duration
}

type nodeAnswer struct {
	info    kvrocks.NodeInfo
	cluster clusterAnswer
	at      time.Time
	err     error
}

func newNode(pod, uid, addr string, dial func(*node, kvrocks.Secret) conn.DataNode) *node {
	n := &node{pod: pod, uid: uid, addr: addr, seen: plan.Node{Priority: defaultPriority}}
	n.session.Dial = func(password kvrocks.Secret) conn.DataNode { return dial(n, password) }
	return n
}

// timeoutFor returns how long to wait for the node. An unresponsive one is given only a moment. One that answered too late is
// given all the time there is: on a busy machine its answer would never be in time otherwise.
func (n *node) timeoutFor(w timeouts) time.Duration {
	switch {
	case n.answeredLate.Swap(false):
		n.unresponsive = false
		return w.longest
	case n.unresponsive:
		return min(unresponsiveTimeout, w.usual)
	}
	return w.usual
}

// noteLateAnswer is called, from another goroutine, when an answer comes after the pass went on.
func (n *node) noteLateAnswer(err error, onLate func()) {
	if err == nil {
		n.answeredLate.Store(true)
		onLate()
	}
}

// observe asks the node what it is.
func (n *node) observe(ctx context.Context, p conn.Passwords, w timeouts, now func() time.Time) {
	n.timeout, n.layoutRead = n.timeoutFor(w), false
	version := n.knownVersion(now())
	answer, ok := n.info.Ask(n.timeout, func() nodeAnswer {
		var a nodeAnswer
		a.err = n.session.Do(p, func(c conn.DataNode) (err error) {
			if n.layouts != nil { // first, because the sequence of a master counts only once its layout stops the writes
				if a.cluster, err = askCluster(ctx, c, version); err != nil {
					return err
				}
			}
			a.info, err = c.Observe(ctx)
			return err
		})
		a.at = now()
		if a.err == nil && a.info.Loading {
			a.err = kvrocks.ErrLoading
		}
		return a
	}, func(a nodeAnswer) { n.noteLateAnswer(a.err, w.onLate) })
	if ok {
		n.take(answer)
	} else {
		n.noAnswer(now())
	}
}

// noAnswer notes that the time to answer is over. A node that was unresponsive before stays what it was.
func (n *node) noAnswer(at time.Time) {
	if !n.unresponsive {
		n.unresponsive = true
		n.fail(plan.Unresponsive, "no answer", at)
	}
}

// take turns an answer into what the planner sees.
func (n *node) take(a nodeAnswer) {
	n.unresponsive = errors.Is(a.err, kvrocks.ErrTimeout)
	n.served()
	n.answered.Store(a.err == nil)
	if a.err != nil {
		n.fail(conn.ReachOf(a.err), a.err.Error(), a.at)
		return
	}
	s, i := &n.seen, a.info
	s.RunID, s.Version = n.process(i, a.at), i.Version
	s.Reach, s.Err, s.DownSince = plan.Answered, "", time.Time{}
	s.Role = v1alpha1.RoleReplica
	if i.Role == kvrocks.RoleMaster {
		s.Role, s.LastMaster = v1alpha1.RoleMaster, a.at
		n.dropper.stop()
	}
	s.MasterHost, s.MasterPort = i.MasterHost, int32(i.MasterPort)
	s.LinkUp, s.Syncing, s.LastIO = i.LinkUp, i.SyncInProgress, i.LastIO
	s.Disk = storage.Disk{
		Capacity: int64(i.DiskCapacity), Used: int64(i.DiskUsed), Database: int64(i.DatabaseSize), MaxDatabase: int64(i.MaxDatabaseSize),
	}
	s.Sequence = int64(i.Sequence)
	n.noteSequence(a.at)
	s.Replicas = nil
	for _, r := range i.Replicas {
		s.Replicas = append(s.Replicas, r.Host)
	}
	if n.layouts != nil {
		n.takeCluster(a.cluster, a.at)
	}
}

// noteSequence remembers what the node has as master, for the replicas to be measured by.
func (n *node) noteSequence(at time.Time) {
	if n.seen.Role != v1alpha1.RoleMaster {
		n.history, n.seen.SequenceBefore = lag.History{}, 0
		return
	}
	n.history.Note(at, n.seen.Sequence, n.maxLag)
	n.seen.SequenceBefore = n.history.Before(at, n.maxLag)
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
	n.started, n.configAt, n.refusals = start, time.Time{}, nil
	n.layoutAt, n.own, n.history = time.Time{}, nil, lag.History{}
	n.counter.stop()
	if i.RunID != "" {
		return i.RunID
	}
	return "started " + start.UTC().Format(time.RFC3339)
}

// close ends the connection in the background: a call may be on its way.
func (n *node) close() {
	n.dropper.stop()
	n.counter.stop()
	go n.session.Close()
}

// serves reports whether the node was a master the last time and its connection has not been lost since.
func (n *node) serves() bool { return n.answered.Load() && n.seen.Role == v1alpha1.RoleMaster }

// servedUntil takes account of a node that is given up because its pod is gone: until its connection is lost it serves,
// unless it has left a question unanswered.
func (n *node) servedUntil(now time.Time) {
	n.served()
	if n.serves() && !n.unresponsive {
		n.seen.LastMaster = now
	}
}

func (n *node) fail(reach plan.Reach, why string, at time.Time) {
	n.seen.Reach, n.seen.Err = reach, why
	if n.seen.DownSince.IsZero() {
		n.seen.DownSince = at
	}
}

// isExpected reports whether err is a refusal that passes by itself, and no failure.
func isExpected(err error) bool {
	return errors.Is(err, kvrocks.ErrOwnReplicas) || errors.Is(err, kvrocks.ErrLoading) ||
		errors.Is(err, kvrocks.ErrTryAgain) || errors.Is(err, kvrocks.ErrMigrating)
}
