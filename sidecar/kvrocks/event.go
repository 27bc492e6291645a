package kvrocks

import (
	"strings"
	"time"
)

// Names of the events that a caller branches on. A sentinel publishes more, and all of
// them are delivered under their own names.
const (
	// EventSubscribed is made by the Subscriber: the subscription stands, for the first
	// time or again, and events before it may have been missed. Look at everything.
	EventSubscribed = "subscribed"
	// EventLost is made by the Subscriber: the subscription broke and is being remade.
	EventLost = "lost"

	// EventSDown and its opposite: this sentinel finds an instance down.
	EventSDown     = "+sdown"
	EventSDownOver = "-sdown"
	// EventODown and its opposite: a quorum finds the master down.
	EventODown     = "+odown"
	EventODownOver = "-odown"
	// EventSwitchMaster: the failover is decided, clients are sent to the new master.
	EventSwitchMaster = "+switch-master"
	// EventTryFailover: this sentinel asks to lead a failover.
	EventTryFailover = "+try-failover"
	// EventElectedLeader: it may.
	EventElectedLeader = "+elected-leader"
	// EventSelectedReplica: the replica that will be promoted.
	EventSelectedReplica = "+selected-slave"
	// EventPromotedReplica: it says that it is a master now.
	EventPromotedReplica = "+promoted-slave"
	// EventFailoverEnd: every replica follows the new master.
	EventFailoverEnd = "+failover-end"
	// EventConvertToReplica: a returned old master is told to follow the new one.
	EventConvertToReplica = "+convert-to-slave"
	// EventReboot: an instance came back with another run id.
	EventReboot = "+reboot"
	// EventSentinel: a new peer was discovered.
	EventSentinel = "+sentinel"
	// EventTilt and its opposite: the sentinel calls nothing down for a while.
	EventTilt     = "+tilt"
	EventTiltOver = "-tilt"
	// EventMonitor and EventUnmonitor: a master was added or removed.
	EventMonitor   = "+monitor"
	EventUnmonitor = "-monitor"
)

// failoverAbort begins the names of all the ways in which a failover is given up.
const failoverAbort = "-failover-abort-"

// Instance types of an event, as the sentinel names them.
const (
	InstanceMaster   = "master"
	InstanceReplica  = "slave"
	InstanceSentinel = "sentinel"
)

// Addr is an address as a sentinel prints it. Host is an IP unless the sentinel
// announces host names.
type Addr struct {
	Host string
	Port int
}

// Event is one message of a sentinel, or of the Subscriber itself.
type Event struct {
	// Name is the channel, such as "+odown".
	Name string
	// Sentinel is the address that the Subscriber was made with.
	Sentinel string
	// At is when the message was read.
	At time.Time
	// Raw is the payload, with a password masked.
	Raw string

	// InstanceType says what the event is about; empty when the payload names no instance.
	InstanceType string
	// Instance is the name of that instance: of a master its name, of a replica host:port,
	// of a sentinel its run id.
	Instance string
	// Addr is where that instance is; for +switch-master the new master.
	Addr Addr

	// Master is the name of the monitored master that the instance belongs to, and
	// MasterAddr its address; for +switch-master the new one.
	Master     string
	MasterAddr Addr
	// OldAddr is set for +switch-master only: where the master was.
	OldAddr Addr

	// Detail is what follows the instance, such as "#quorum 2/2".
	Detail string
}

// FailoverAborted tells whether the event is one of the ways to give up a failover.
func (e Event) FailoverAborted() bool { return strings.HasPrefix(e.Name, failoverAbort) }

// ParseEvent reads the payload that a sentinel published on a channel. It never fails:
// a payload in no known form is an Event with Name and Raw alone.
func ParseEvent(channel, payload string) Event {
	e := Event{Name: channel, Raw: maskSetting(channel, payload)}
	words := strings.Fields(e.Raw)
	if channel == EventSwitchMaster {
		parseSwitch(&e, words)
		return e
	}
	if len(words) < 4 || !isInstanceType(words[0]) || port(words[3]) == 0 {
		return e
	}
	e.InstanceType, e.Instance = words[0], words[1]
	e.Addr = Addr{Host: words[2], Port: port(words[3])}
	rest := words[4:]
	switch {
	case len(rest) >= 4 && rest[0] == "@":
		e.Master = rest[1]
		e.MasterAddr = Addr{Host: rest[2], Port: port(rest[3])}
		rest = rest[4:]
	case e.InstanceType == InstanceMaster:
		e.Master, e.MasterAddr = e.Instance, e.Addr
	}
	e.Detail = strings.Join(rest, " ")
	return e
}

// parseSwitch reads "<name> <old ip> <old port> <new ip> <new port>".
func parseSwitch(e *Event, words []string) {
	if len(words) != 5 || port(words[2]) == 0 || port(words[4]) == 0 {
		return
	}
	e.InstanceType, e.Instance, e.Master = InstanceMaster, words[0], words[0]
	e.OldAddr = Addr{Host: words[1], Port: port(words[2])}
	e.Addr = Addr{Host: words[3], Port: port(words[4])}
	e.MasterAddr = e.Addr
}

func isInstanceType(s string) bool {
	return s == InstanceMaster || s == InstanceReplica || s == InstanceSentinel
}

// maskSetting hides the value of a secret in "+set master <name> <ip> <port> auth-pass
// <value>": sentinels before 7.0 publish it in clear text.
func maskSetting(channel, payload string) string {
	if channel != "+set" {
		return payload
	}
	before, _, found := strings.Cut(payload, " auth-pass ")
	if !found {
		return payload
	}
	return before + " auth-pass " + masked
}
