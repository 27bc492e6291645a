package kvctl

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"

	"github.com/kvrocks/kvrocks-operator/api/slots"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/layout"
)

// Record is what kvrocks-controller knows of a cluster. Its version grows by one with each change, and its shards may change their
// order.
type Record struct {
	layout.Layout
	// OtherPassword is true when the record holds another password for some node than the client was made with.
	OtherPassword bool
}

// indexOf returns the index of the shard that the node with this id belongs to; -1 when there is none.
func (r *Record) indexOf(id string) int {
	return slices.IndexFunc(r.Shards, func(s layout.Shard) bool { return s.Has(id) })
}

// hasAddress reports whether some node is at an address, written as host:port.
func (r *Record) hasAddress(addr string) bool {
	at := endpoint(addr)
	for i := range r.Shards {
		for j := range r.Shards[i].Nodes {
			if r.Shards[i].Nodes[j].Endpoint() == at {
				return true
			}
		}
	}
	return false
}

// masterOf returns the master of a shard; the zero Node when the record names none.
func (r *Record) masterOf(shard int) layout.Node {
	if m := r.Shards[shard].Master(); m != nil {
		return *m
	}
	return layout.Node{}
}

// endpoint takes host and port apart; the port is 0 when there is none.
func endpoint(addr string) layout.Endpoint {
	host, text, err := net.SplitHostPort(addr)
	if err != nil {
		return layout.Endpoint{Address: addr}
	}
	port, err := strconv.ParseInt(text, 10, 32)
	if err != nil {
		return layout.Endpoint{Address: host}
	}
	return layout.Endpoint{Address: host, Port: int32(port)}
}

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
	record := &Record{Layout: layout.Layout{Version: *r.Cluster.Version}}
	var taken slots.Set
	for _, s := range r.Cluster.Shards {
		shard := layout.Shard{}
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
			at := endpoint(n.Addr)
			shard.Nodes = append(shard.Nodes, layout.Node{ID: n.ID, Address: at.Address, Port: at.Port, Master: n.Role == roleMaster})
			record.OtherPassword = record.OtherPassword || n.Password != password
		}
		record.Shards = append(record.Shards, shard)
	}
	return record, nil
}
