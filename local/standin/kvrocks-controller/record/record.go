package record

import (
	"crypto/rand"
	"errors"
	"slices"
	"time"
)

// Roles of a node.
const (
	Master = "master"
	Slave  = "slave"
)

// IDLength is the length of a node id.
const IDLength = 40

// Cluster is the record of one cluster.
type Cluster struct {
	Version int64    `json:"version"`
	Name    string   `json:"name"`
	Shards  []*Shard `json:"shards"`
}

// Shard is a master, its replicas and the slots that it owns.
type Shard struct {
	Nodes []*Node `json:"nodes"`
	Slots Ranges  `json:"slot_ranges"`
	// Target is the index of the shard that Migrating moves to, or -1.
	Target    int    `json:"target_shard_index"`
	Migrating *Range `json:"migrating_slot"`
}

// Node is one member. Its fields are in the order in which the real program writes them.
type Node struct {
	// Addr is host:port.
	Addr string `json:"addr"`
	// CreatedAt is in seconds since 1970, or 0 when the node was learned from a topology.
	CreatedAt int64  `json:"created_at"`
	ID        string `json:"id"`
	Password  string `json:"password"`
	Role      string `json:"role"`
}

// New spreads the slots evenly over shards of perShard nodes each, the first of which is the master.
func New(name string, addrs []string, perShard int, password string) (*Cluster, error) {
	switch {
	case len(addrs) == 0:
		return nil, errors.New("cluster nodes should NOT be empty")
	case perShard < 0:
		return nil, errors.New("replicas should NOT be less than 0")
	}
	perShard = max(perShard, 1)
	if len(addrs)%perShard != 0 {
		return nil, errors.New("cluster nodes should be divisible by replicas")
	}
	cluster := &Cluster{Version: 1, Name: name}
	for members := range slices.Chunk(addrs, perShard) {
		cluster.Shards = append(cluster.Shards, NewShard(members, password))
	}
	for i, slots := range evenly(len(cluster.Shards)) {
		cluster.Shards[i].Slots = Ranges{slots}
	}
	return cluster, nil
}

// NewShard has no slots. The first node is the master.
func NewShard(addrs []string, password string) *Shard {
	shard := emptyShard()
	for i, addr := range addrs {
		role := Slave
		if i == 0 {
			role = Master
		}
		shard.Nodes = append(shard.Nodes, newNode(addr, role, password))
	}
	return shard
}

// emptyShard has empty lists, as an answer never says null for them.
func emptyShard() *Shard { return &Shard{Nodes: []*Node{}, Slots: Ranges{}, Target: -1} }

func newNode(addr, role, password string) *Node {
	return &Node{Addr: addr, CreatedAt: time.Now().Unix(), ID: newID(), Password: password, Role: role}
}

// newID returns 40 random letters and digits.
func newID() string {
	id := ""
	for len(id) < IDLength {
		id += rand.Text()
	}
	return id[:IDLength]
}

// Shard returns the shard with that index.
func (c *Cluster) Shard(index int) (*Shard, error) {
	if index < 0 || index >= len(c.Shards) {
		return nil, ErrIndex
	}
	return c.Shards[index], nil
}

// Nodes returns all nodes, shard by shard.
func (c *Cluster) Nodes() []*Node {
	var nodes []*Node
	for _, shard := range c.Shards {
		nodes = append(nodes, shard.Nodes...)
	}
	return nodes
}

// SetPassword gives every node the same password.
func (c *Cluster) SetPassword(password string) {
	for _, node := range c.Nodes() {
		node.Password = password
	}
}

// IsMaster says whether the record has the node as a master.
func (n *Node) IsMaster() bool { return n.Role == Master }

// Master returns the shard's master, or nil.
func (s *Shard) Master() *Node {
	if i := slices.IndexFunc(s.Nodes, (*Node).IsMaster); i >= 0 {
		return s.Nodes[i]
	}
	return nil
}

// IsMigrating says whether a slot of the shard is on its way to another.
func (s *Shard) IsMigrating() bool { return s.Migrating != nil && s.Target != -1 }

// IsServicing says whether the shard owns or moves slots.
func (s *Shard) IsServicing() bool { return len(s.Slots) > 0 || s.IsMigrating() }
