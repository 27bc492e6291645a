package kvctl

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/kvrocks/kvrocks-operator/api/slots"
)

// Record is what kvrocks-controller knows of a cluster.
type Record struct {
	// Version grows by one with each change.
	Version int64
	// Shards in the order of the record, which may change.
	Shards []Shard
}

// Shard is one master with its replicas and slots.
type Shard struct {
	Nodes []Node
	Slots slots.Set
}

// Node is one node of a shard.
type Node struct {
	// ID has 40 characters.
	ID string
	// Addr is host:port.
	Addr string
	// Master is true for the one master of the shard.
	Master bool
	// OtherPassword is true when the record holds another password for the node than the client was made with.
	OtherPassword bool
}

// Master is the master of a shard; the zero Node when the record names none.
func (s Shard) Master() Node {
	for _, n := range s.Nodes {
		if n.Master {
			return n
		}
	}
	return Node{}
}

// shardOf finds the shard with a node that matches; -1 when there is none.
func (r *Record) shardOf(match func(Node) bool) int {
	return slices.IndexFunc(r.Shards, func(s Shard) bool { return slices.ContainsFunc(s.Nodes, match) })
}

func byID(id string) func(Node) bool { return func(n Node) bool { return n.ID == id } }

func byAddr(addr string) func(Node) bool { return func(n Node) bool { return n.Addr == addr } }

// Get reads the record. ErrNotFound when there is none.
func (c *Client) Get(ctx context.Context) (*Record, error) {
	var raw rawReply
	if err := c.read(ctx, request{op: "read the record", path: c.clusterPath(), into: &raw}); err != nil {
		return nil, err
	}
	record, err := raw.record(c.options.Password)
	if err != nil {
		return nil, &Error{Op: "read the record", Kind: ErrUnavailable, Text: err.Error(), cause: err}
	}
	return record, nil
}

type rawReply struct {
	Cluster *rawCluster `json:"cluster"`
}

type rawCluster struct {
	Version *int64     `json:"version"`
	Shards  []rawShard `json:"shards"`
}

type rawShard struct {
	Nodes      []rawNode `json:"nodes"`
	SlotRanges []string  `json:"slot_ranges"`
}

type rawNode struct {
	ID       string `json:"id"`
	Addr     string `json:"addr"`
	Role     string `json:"role"`
	Password string `json:"password"`
}

const (
	roleMaster  = "master"
	roleReplica = "slave"
	idLength    = 40
)

// record checks what was answered: half a record would look like a cluster that lost its slots.
func (r rawReply) record(password string) (*Record, error) {
	if r.Cluster == nil || r.Cluster.Version == nil {
		return nil, errors.New("the answer holds no record")
	}
	record := &Record{Version: *r.Cluster.Version}
	var taken slots.Set
	for _, s := range r.Cluster.Shards {
		shard := Shard{}
		for _, text := range s.SlotRanges {
			one, err := slots.ParseRange(text)
			if err != nil {
				return nil, fmt.Errorf("slots of a shard: %w", err)
			}
			set := slots.Of(one)
			if both := taken.Intersect(&set); !both.Empty() {
				return nil, fmt.Errorf("slots %s belong to two shards", one)
			}
			taken.Add(one)
			shard.Slots.Add(one)
		}
		for _, n := range s.Nodes {
			if len(n.ID) != idLength || n.Addr == "" || n.Role != roleMaster && n.Role != roleReplica {
				return nil, fmt.Errorf("a node with id %q, address %q and role %q", n.ID, n.Addr, n.Role)
			}
			shard.Nodes = append(shard.Nodes, Node{
				ID: n.ID, Addr: n.Addr, Master: n.Role == roleMaster, OtherPassword: n.Password != password,
			})
		}
		record.Shards = append(record.Shards, shard)
	}
	return record, nil
}
