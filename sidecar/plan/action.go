package plan

import (
	"slices"
	"time"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/period"
)

// Plan is what a pass decides.
type Plan struct {
	// Actions are applied in their order. The first that fails ends the pass; the next pass sees what is left to do.
	Actions []Action
	// Status is the report, complete; the caller writes it when it differs from the last one in more than noise
	// (see SameReport), before the actions when Intent is true and after them otherwise.
	Status v1alpha1.KVRocksTopologyStatus
	// Intent is true when Status records something that must be on record before the actions begin.
	Intent bool
	// Events say what happened; the caller emits them when the status has been written.
	Events []Event
	// Again asks for the next pass after this time at the latest; 0 means the regular period.
	Again time.Duration
	// SkipSlowProbes is true when nothing is awaited but what goes on by itself, such as keys on their way: the next pass need
	// not read again what hardly ever changes.
	SkipSlowProbes bool
}

// ReportMayWait reports whether the report may be left to a later pass: the plan is a step of a planned move, and the successor is not
// promoted yet. What must outlive the sidecar's process was reported when the move began and when writes were stopped; the API server
// may take a tenth of a second for each write, and so long do clients wait.
func (p *Plan) ReportMayWait() bool {
	if p.Intent || len(p.Events) > 0 || p.Again <= 0 || p.Again > period.Writes {
		return false
	}
	return slices.ContainsFunc(p.Status.Shards, func(s v1alpha1.TopologyShardStatus) bool {
		return s.Outage != nil && s.Outage.Cause == v1alpha1.CauseHandover && s.Outage.PromotedAt == nil
	})
}

// Event is something that a person should be able to read in `kubectl describe kvrocks`.
type Event struct {
	// Warning marks what a person should look at.
	Warning bool
	// Reason is one CamelCase word.
	Reason string
	// Message is a sentence.
	Message string
}

// Action is one step on the data plane. Each is idempotent.
type Action interface{ action() }

// Detach withdraws a pod's readiness gate, which takes its address out of every Service.
type Detach struct{ Pod, Reason string }

// Attach grants a pod's readiness gate.
type Attach struct{ Pod string }

// DeletePod deletes a pod, with the grace that it asks for, if it is still the one with the UID.
type DeletePod struct{ Pod, UID string }

// Label sets a pod's role label, or removes it when Role is empty.
type Label struct {
	Pod  string
	Role v1alpha1.Role
}

// Promote makes a node master (SLAVEOF NO ONE).
type Promote struct{ Pod string }

// Follow makes a node replicate from an address (SLAVEOF).
type Follow struct {
	Pod  string
	Host string
	Port int32
}

// DropClients closes the connections of clients to a node that is master no more, so that they are led to its successor. Many clients
// stay with a connection although it answers READONLY; sentinels do the same to the nodes that they demote. It goes on in the background
// For the time that some kube-proxy may lead clients there again, unless the node is promoted or attached.
type DropClients struct {
	Pod string
	For time.Duration
}

// Configure applies settings live (CONFIG SET), in the order of their names.
type Configure struct {
	Pod      string
	Settings map[string]string
}

// ApplyPassword gives a node the wanted password (requirepass and masterauth).
type ApplyPassword struct{ Pod string }

// WriteMarker writes one entry into a master that has none, because a replica with sequence 0 is refused as successor.
type WriteMarker struct{ Pod string }

// Monitor makes one sentinel watch a master: MONITOR and SET. With Replace it is REMOVEd first.
type Monitor struct {
	Sentinel   string // pod of the sentinel
	MasterName string
	Address    string
	Port       int32
	Quorum     int32
	Failover   v1alpha1.Failover
	Replace    bool
}

// Tune gives a sentinel the wanted settings and password for a master that it watches already (SENTINEL SET).
type Tune struct {
	Sentinel   string
	MasterName string
	Quorum     int32
	Failover   v1alpha1.Failover
}

// RenewLinks ends a sentinel's connections to some nodes, on their side; it makes them again within a second.
type RenewLinks struct {
	Sentinel string // pod of the sentinel
	Pods     []string
}

// AcceptPassword makes a sentinel take the wanted password, beside those that it takes already.
type AcceptPassword struct{ Sentinel string }

// PresentPassword makes a sentinel give the wanted password to its peers.
type PresentPassword struct{ Sentinel string }

// AcceptOnlyPassword makes a sentinel take no password but the wanted one.
type AcceptOnlyPassword struct{ Sentinel string }

// Unmonitor makes one sentinel forget a master.
type Unmonitor struct{ Sentinel, MasterName string }

func (Detach) action()             {}
func (Attach) action()             {}
func (DeletePod) action()          {}
func (Label) action()              {}
func (Promote) action()            {}
func (Follow) action()             {}
func (DropClients) action()        {}
func (Configure) action()          {}
func (ApplyPassword) action()      {}
func (WriteMarker) action()        {}
func (Monitor) action()            {}
func (Tune) action()               {}
func (RenewLinks) action()         {}
func (Unmonitor) action()          {}
func (AcceptPassword) action()     {}
func (PresentPassword) action()    {}
func (AcceptOnlyPassword) action() {}
