package kvrocks

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// Role is what a data node takes itself for.
type Role string

// The roles of a data node.
const (
	// RoleUnknown is the role of a node that is loading: kvrocks does not tell it then.
	RoleUnknown Role = ""
	RoleMaster  Role = "master"
	RoleReplica Role = "replica"
)

// NodeInfo is what one INFO reply says about a data node.
type NodeInfo struct {
	// Version is kvrocks_version, or redis_version when there is no other.
	Version string
	// RunID changes with every start of redis-server; kvrocks has none and it is empty.
	RunID string
	// ProcessID is the process id inside the node's own container, so it is often equal
	// before and after a restart. A restart shows in Uptime, which then is lower.
	ProcessID int
	// Uptime has a resolution of one second.
	Uptime time.Duration
	// Port is the port that the node itself listens on.
	Port int

	// Loading is true while the node serves nothing; the fields below are unknown then.
	Loading bool
	// Role is master or replica.
	Role Role
	// Sequence counts the writes that the node holds: the latest sequence number of
	// kvrocks, the replication offset of redis-server. 0 means never written.
	Sequence uint64

	// MasterHost and MasterPort are those of the master that a replica follows, as it was given them.
	MasterHost string
	MasterPort int
	// LinkUp is a replica's own view of its connection; kvrocks keeps it up for a minute
	// when the master hangs, so look at LastIO as well.
	LinkUp bool
	// SyncInProgress is true during a full sync.
	SyncInProgress bool
	// LastIO is how long ago the replica last heard from its master, in whole seconds. When
	// it has not heard yet, redis-server says a negative number and kvrocks half a century.
	LastIO time.Duration

	// Replicas are the nodes that replicate from this one now, in the order of the reply.
	Replicas []Replica

	// DiskCapacity and DiskUsed are the bytes of the file system that holds the data, as what is not root sees it; 0 when
	// the server does not say.
	DiskCapacity, DiskUsed uint64
	// DatabaseSize is what the database takes of it, and MaxDatabaseSize what it may take (max-db-size); 0 is no limit.
	DatabaseSize, MaxDatabaseSize uint64
}

// Replica is one connected replica as its master lists it.
type Replica struct {
	// Host and Port are what the replica announces.
	Host string
	Port int
	// Sequence is how far the master knows the replica to be.
	Sequence uint64
	// Online is false while redis-server prepares a full sync for it; kvrocks lists a
	// replica only once it is online.
	Online bool
}

// ReplicatesItself tells whether the node is parked: a replica of its own loopback
// address and port, the state in which every pod boots.
func (i NodeInfo) ReplicatesItself() bool {
	if i.Role != RoleReplica || i.MasterPort != i.Port {
		return false
	}
	if i.MasterHost == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(i.MasterHost)
	return err == nil && ip.IsLoopback()
}

// What keeps a reply from being the state of a node.
var (
	errNotInfo    = errors.New("not an INFO reply: neither a role nor a loading node")
	errNoSequence = errors.New("the INFO reply has no sequence for its role")
)

// ParseInfo reads the reply of INFO, of kvrocks and of redis-server. Lines that it does
// not know are skipped and a field that is absent stays zero, but a number that a
// promotion depends on must be a number: a sequence that cannot be read is an error and
// not an empty node.
func ParseInfo(text string) (NodeInfo, error) {
	var p infoParser
	for line := range strings.Lines(text) {
		key, value, ok := strings.Cut(strings.TrimRight(line, "\r\n"), ":")
		if !ok {
			continue
		}
		if err := p.field(key, value); err != nil {
			return NodeInfo{}, fmt.Errorf("field %s: %w", key, err)
		}
	}
	return p.result()
}

// infoParser collects the fields whose meaning depends on others.
type infoParser struct {
	info          NodeInfo
	kvrocks       bool
	seen          bool // a field of the server section
	masterOffset  sequence
	replicaOffset sequence
}

// sequence is a sequence number, if there was one.
type sequence struct {
	n    uint64
	seen bool
}

func parseSequence(value string) (sequence, error) {
	n, err := strconv.ParseUint(value, 10, 64)
	return sequence{n, err == nil}, err
}

// plainFields are those whose value is taken as it is, whatever the others say.
var plainFields = map[string]func(i *NodeInfo, value string){
	"run_id":                     func(i *NodeInfo, value string) { i.RunID = value },
	"process_id":                 func(i *NodeInfo, value string) { i.ProcessID, _ = strconv.Atoi(value) },
	"tcp_port":                   func(i *NodeInfo, value string) { i.Port = port(value) },
	"uptime_in_seconds":          func(i *NodeInfo, value string) { i.Uptime = seconds(value) },
	"loading":                    func(i *NodeInfo, value string) { i.Loading = value == "1" },
	"master_host":                func(i *NodeInfo, value string) { i.MasterHost = value },
	"master_port":                func(i *NodeInfo, value string) { i.MasterPort = port(value) },
	"master_link_status":         func(i *NodeInfo, value string) { i.LinkUp = value == "up" },
	"master_sync_in_progress":    func(i *NodeInfo, value string) { i.SyncInProgress = value == "1" },
	"master_last_io_seconds_ago": func(i *NodeInfo, value string) { i.LastIO = seconds(value) },
	"disk_capacity":              func(i *NodeInfo, value string) { i.DiskCapacity = size(value) },
	"used_disk_size":             func(i *NodeInfo, value string) { i.DiskUsed = size(value) },
	"used_db_size":               func(i *NodeInfo, value string) { i.DatabaseSize = size(value) },
	"max_db_size":                func(i *NodeInfo, value string) { i.MaxDatabaseSize = size(value) },
}

func (p *infoParser) field(key, value string) (err error) {
	i := &p.info
	if set := plainFields[key]; set != nil {
		set(i, value)
		return nil
	}
	switch key {
	case "kvrocks_version":
		i.Version, p.kvrocks = value, true
	case "redis_version":
		p.seen = true
		if !p.kvrocks {
			i.Version = value
		}
	case "role":
		i.Role, err = role(value)
	case "master_repl_offset":
		p.masterOffset, err = parseSequence(value)
	case "slave_repl_offset":
		p.replicaOffset, err = parseSequence(value)
	default:
		if isReplicaKey(key) {
			var r Replica
			if r, err = parseReplica(value); err == nil {
				i.Replicas = append(i.Replicas, r)
			}
		}
	}
	return err
}

func (p *infoParser) result() (NodeInfo, error) {
	i := p.info
	var written sequence
	switch {
	case i.Loading, i.Role == RoleUnknown && p.seen:
		// kvrocks leaves the replication section out while it loads, and the section that
		// says loading:1 was written a moment earlier.
		return NodeInfo{
			Version: i.Version, RunID: i.RunID, ProcessID: i.ProcessID, Uptime: i.Uptime, Port: i.Port,
			Loading: true,
		}, nil
	case i.Role == RoleMaster:
		written = p.masterOffset
	case i.Role == RoleReplica:
		// redis-server's master_repl_offset runs ahead of what the replica has applied.
		written = p.replicaOffset
	default:
		return NodeInfo{}, errNotInfo
	}
	if !written.seen {
		return NodeInfo{}, errNoSequence
	}
	i.Sequence = written.n
	return i, nil
}

func role(value string) (Role, error) {
	switch value {
	case "master":
		return RoleMaster, nil
	case "slave":
		return RoleReplica, nil
	}
	return RoleUnknown, fmt.Errorf("unknown role %q", value)
}

// isReplicaKey recognizes slave0, slave1, ... among slave_priority and others.
func isReplicaKey(key string) bool {
	digits, ok := strings.CutPrefix(key, "slave")
	if !ok || digits == "" {
		return false
	}
	return strings.Trim(digits, "0123456789") == ""
}

// parseReplica reads "ip=10.0.0.2,port=6379,offset=42,lag=0", with or without a state.
// kvrocks' lag is a gap in sequence numbers and redis-server's is in seconds, so it is
// left out; the gap follows from the sequences.
func parseReplica(value string) (Replica, error) {
	r := Replica{Online: true}
	for pair := range strings.SplitSeq(value, ",") {
		k, v, _ := strings.Cut(pair, "=")
		switch k {
		case "ip":
			r.Host = v
		case "port":
			r.Port = port(v)
		case "state":
			r.Online = v == "online"
		case "offset":
			offset, err := parseSequence(v)
			if err != nil {
				return Replica{}, fmt.Errorf("offset: %w", err)
			}
			r.Sequence = offset.n
		}
	}
	return r, nil
}

// port is 0 for anything that is no port.
func port(s string) int {
	n, err := strconv.ParseUint(s, 10, 16)
	if err != nil {
		return 0
	}
	return int(n)
}

// size is 0 for anything that is no number: nothing is promoted by it.
func size(s string) uint64 {
	n, _ := strconv.ParseUint(strings.TrimSpace(s), 10, 64)
	return n
}

// seconds is 0 for anything that is no number, and at most 68 years.
func seconds(s string) time.Duration {
	n, _ := strconv.ParseInt(s, 10, 32)
	return time.Duration(n) * time.Second
}
