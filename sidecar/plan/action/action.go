// Package action has the steps that a pass may take: on pods, nodes, sentinels and kvrocks-controller.
package action

import (
	"time"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

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
