package kvrocks

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Flags are what a sentinel thinks of an instance.
type Flags struct {
	// SDown: this sentinel alone finds it down.
	SDown bool
	// ODown: a quorum finds the master down.
	ODown bool
	// Disconnected: this sentinel has no connection to it.
	Disconnected bool
	// FailoverInProgress: this sentinel leads a failover of the master.
	FailoverInProgress bool
}

// MonitoredMaster is a master as one sentinel sees it.
type MonitoredMaster struct {
	Name  string
	Host  string
	Port  int
	RunID string
	Flags Flags
	// RoleReported is what the instance last said of itself.
	RoleReported Role
	// LastOKPing is how long ago it last answered a ping as a healthy node does.
	LastOKPing time.Duration
	// ConfigEpoch grows with each failover; the highest one of all sentinels is right.
	ConfigEpoch int64

	NumReplicas       int
	NumOtherSentinels int

	// Quorum, DownAfter, FailoverTimeout and ParallelSyncs are the settings in force, in
	// the terms of Settings.
	Quorum          int
	DownAfter       time.Duration
	FailoverTimeout time.Duration
	ParallelSyncs   int
}

// MonitoredReplica is a replica as one sentinel sees it.
type MonitoredReplica struct {
	// Host and Port are the address that the master lists, which the replica announces.
	Host  string
	Port  int
	RunID string
	Flags Flags
	// RoleReported is what the instance last said of itself.
	RoleReported Role
	// MasterHost and MasterPort are those of the master that the replica said it follows.
	MasterHost string
	MasterPort int
	// LinkUp is the replica's own view of that.
	LinkUp bool
	// Sequence is what the replica last reported, up to ten seconds ago.
	Sequence uint64
}

// Peer is another sentinel as one sentinel sees it.
type Peer struct {
	Host  string
	Port  int
	RunID string
	Flags Flags
	// LastHello is how long ago it was last heard of through a data node; sentinels say
	// hello every two seconds.
	LastHello time.Duration
}

// fieldMap reads the flat list of names and values that describes one instance.
func fieldMap(reply any) (map[string]string, error) {
	list, ok := reply.([]any)
	if !ok || len(list)%2 != 0 {
		return nil, fmt.Errorf("an instance is described by %T, want pairs of names and values", reply)
	}
	fields := make(map[string]string, len(list)/2)
	for i := 0; i < len(list); i += 2 {
		name, okName := list[i].(string)
		value, okValue := list[i+1].(string)
		if !okName || !okValue {
			return nil, fmt.Errorf("an instance is described by %T and %T, want strings", list[i], list[i+1])
		}
		fields[name] = value
	}
	return fields, nil
}

func parseAll[T any](maps []map[string]string, parse func(map[string]string) T) []T {
	var all []T
	for _, fields := range maps {
		all = append(all, parse(fields))
	}
	return all
}

func parseMaster(f map[string]string) MonitoredMaster {
	return MonitoredMaster{
		Name:         f["name"],
		Host:         f["ip"],
		Port:         port(f["port"]),
		RunID:        f["runid"],
		Flags:        parseFlags(f["flags"]),
		RoleReported: reportedRole(f["role-reported"]),
		LastOKPing:   milliseconds(f["last-ok-ping-reply"]),
		ConfigEpoch:  integer(f["config-epoch"]),

		NumReplicas:       int(integer(f["num-slaves"])),
		NumOtherSentinels: int(integer(f["num-other-sentinels"])),

		Quorum:          int(integer(f["quorum"])),
		DownAfter:       milliseconds(f["down-after-milliseconds"]),
		FailoverTimeout: milliseconds(f["failover-timeout"]),
		ParallelSyncs:   int(integer(f["parallel-syncs"])),
	}
}

func parseMonitoredReplica(f map[string]string) MonitoredReplica {
	return MonitoredReplica{
		Host:         f["ip"],
		Port:         port(f["port"]),
		RunID:        f["runid"],
		Flags:        parseFlags(f["flags"]),
		RoleReported: reportedRole(f["role-reported"]),
		MasterHost:   f["master-host"],
		MasterPort:   port(f["master-port"]),
		LinkUp:       f["master-link-status"] == "ok",
		Sequence:     uint64(max(0, integer(f["slave-repl-offset"]))),
	}
}

func parsePeer(f map[string]string) Peer {
	return Peer{
		Host:      f["ip"],
		Port:      port(f["port"]),
		RunID:     f["runid"],
		Flags:     parseFlags(f["flags"]),
		LastHello: milliseconds(f["last-hello-message"]),
	}
}

// parseFlags reads "master,s_down,o_down"; flags on which no code branches are dropped.
func parseFlags(text string) Flags {
	var f Flags
	for flag := range strings.SplitSeq(text, ",") {
		switch flag {
		case "s_down":
			f.SDown = true
		case "o_down":
			f.ODown = true
		case "disconnected":
			f.Disconnected = true
		case "failover_in_progress":
			f.FailoverInProgress = true
		}
	}
	return f
}

// reportedRole is RoleUnknown for an instance that was never heard.
func reportedRole(s string) Role {
	r, _ := role(s)
	return r
}

func integer(s string) int64 {
	n, _ := strconv.ParseInt(s, 10, 64)
	return n
}

func milliseconds(s string) time.Duration {
	n, _ := strconv.ParseInt(s, 10, 32)
	return time.Duration(n) * time.Millisecond
}
