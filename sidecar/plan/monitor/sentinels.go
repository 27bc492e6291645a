// Package monitor tells the sentinels which master they are to watch, and how.
package monitor

import (
	"strings"
	"time"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/action"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/quorum"
)

// Out takes what is planned for the sentinels.
type Out interface {
	Do(a action.Action)
	Warn(reason, message string)
}

// Sentinels are those that watch a shard: what they say of its master, and what they are told of it.
type Sentinels struct {
	quorum.View
	Out Out
	// MasterName and Port of the master, and the settings with which they watch it.
	MasterName string
	Port       int32
	Settings   v1alpha1.Failover
}

// DownAfter returns how long a master may not answer them before they call it down.
func (s *Sentinels) DownAfter() time.Duration {
	return time.Duration(s.Settings.DownAfterMilliseconds) * time.Millisecond
}

// ElectionOverdue reports whether the sentinels have had the time for an election in an outage of this age;
// unable is what they are given when too few of them can vote.
func (s *Sentinels) ElectionOverdue(outageAge, unable time.Duration) bool {
	attempt := time.Duration(s.Settings.FailoverTimeoutMilliseconds) * time.Millisecond
	return outageAge > s.ElectionTimeout(s.DownAfter(), attempt, unable)
}

// Unmonitor makes every sentinel that answers forget the master, unless that is at the address which is to stay; empty when none is.
func (s *Sentinels) Unmonitor(stays string) {
	for i := range s.Opinions {
		if v := &s.Opinions[i]; v.Monitors && (stays == "" || v.Master.Address != stays) {
			s.Out.Do(action.Unmonitor{Sentinel: v.Pod, MasterName: s.MasterName})
		}
	}
}

// RenewLinks frees sentinels that spin. A connection whose first packet was rejected, because the Service of a lost pod had no
// endpoints, and that then succeeds keeps the rejection in its error queue, and sentinel polls that for ever
// (docs/operations.md). It would happen again at once while a node is away.
//
// answering returns the pods that answer, or nothing when some do not.
func (s *Sentinels) RenewLinks(answering func() []string) {
	for i := range s.Opinions {
		v := &s.Opinions[i]
		if !v.Reached || !v.Spinning {
			continue
		}
		pods := answering()
		if len(pods) == 0 {
			return
		}
		s.Out.Do(action.RenewLinks{Sentinel: v.Pod, Pods: pods})
		s.Out.Warn("SentinelSpinning", v.Pod+" uses up a processor; its connections to "+strings.Join(pods, ", ")+" are renewed")
	}
}

// Monitor has one sentinel watch the master at the address; with replace it forgets first what it watches.
func (s *Sentinels) Monitor(v *quorum.Opinion, address string, replace bool) {
	s.Out.Do(action.Monitor{
		Sentinel: v.Pod, MasterName: s.MasterName, Address: address, Port: s.Port,
		Quorum: int32(s.Quorum), Failover: s.Settings, Replace: replace,
	})
}

// MonitorSuccessor has the sentinels watch a member that is being promoted in a planned move, at once: clients that ask them for the
// master find none until they do.
func (s *Sentinels) MonitorSuccessor(address string) {
	for i := range s.Opinions {
		if v := &s.Opinions[i]; v.Reached {
			s.Monitor(v, address, v.Monitors)
		}
	}
}

// Tune gives the wanted settings to sentinels that watch with others.
func (s *Sentinels) Tune(master *quorum.Master) {
	for i := range s.Opinions {
		if v := &s.Opinions[i]; v.Monitors && v.Master.AuthApplied && !s.Tuned(v, master) {
			s.Set(v)
		}
	}
}

// Set gives the wanted settings and password to one that watches.
func (s *Sentinels) Set(v *quorum.Opinion) {
	s.Out.Do(action.Tune{Sentinel: v.Pod, MasterName: s.MasterName, Quorum: int32(s.Quorum), Failover: s.Settings})
}
