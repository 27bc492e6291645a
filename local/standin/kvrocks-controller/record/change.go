package record

import (
	"fmt"
	"slices"
)

// Candidate is what is known of a node that may become master.
type Candidate struct {
	ID string
	// Role is as the node's INFO says.
	Role     string
	Sequence uint64
}

// AddNode adds a node to a shard. Its address is compared with those of the same shard only.
func (c *Cluster) AddNode(index int, addr, role, password string) (*Node, error) {
	shard, err := c.Shard(index)
	if err != nil {
		return nil, err
	}
	switch {
	case role != Master && role != Slave:
		return nil, fmt.Errorf("%w: role", ErrInvalid)
	case slices.ContainsFunc(shard.Nodes, func(n *Node) bool { return n.Addr == addr }):
		return nil, ErrAlreadyExists
	case role == Master && len(shard.Nodes) > 0:
		return nil, fmt.Errorf("master node %w", ErrAlreadyExists)
	}
	node := newNode(addr, role, password)
	shard.Nodes = append(shard.Nodes, node)
	return node, nil
}

// RemoveNode removes a replica from a shard.
func (c *Cluster) RemoveNode(index int, id string) error {
	shard, err := c.Shard(index)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(shard.Nodes, func(n *Node) bool { return n.ID == id })
	switch {
	case i < 0:
		return ErrNotFound
	case shard.Nodes[i].IsMaster():
		return fmt.Errorf("cannot remove master node: %w", ErrInvalid)
	}
	shard.Nodes = slices.Delete(shard.Nodes, i, i+1)
	return nil
}

// RemoveShard removes a shard without slots, and so gives those behind it another index.
func (c *Cluster) RemoveShard(index int) error {
	shard, err := c.Shard(index)
	if err != nil {
		return err
	}
	if shard.IsServicing() {
		return ErrServicing
	}
	c.Shards = slices.Delete(c.Shards, index, index+1)
	return nil
}

// Owner is the index of the only shard that owns slots of the range.
func (c *Cluster) Owner(slots Range) (int, error) {
	owner := -1
	for i, shard := range c.Shards {
		if !shard.Slots.overlap(slots) {
			continue
		}
		if owner >= 0 {
			return 0, ErrSeveralShards
		}
		owner = i
	}
	if owner < 0 {
		return 0, ErrNoShard
	}
	return owner, nil
}

// Move gives the slots to another shard and ends the source's migration. The target gets the whole range, even if the
// source had only a part of it.
func (c *Cluster) Move(slots Range, from, to int) {
	source, target := c.Shards[from], c.Shards[to]
	source.ClearMigration()
	source.Slots = source.Slots.without(slots)
	target.Slots = target.Slots.with(slots)
}

// ClearMigration forgets that a slot is on its way.
func (s *Shard) ClearMigration() { s.Migrating, s.Target = nil, -1 }

// CheckPromotion says why the shard cannot have another master. An empty master stands for the one it has.
func (s *Shard) CheckPromotion(master string) error {
	switch now := s.Master(); {
	case len(s.Nodes) <= 1:
		return ErrNoReplica
	case now == nil:
		return ErrNoMaster
	case master != "" && master != now.ID:
		return ErrNotMaster
	}
	return nil
}

// Promote makes the preferred node master if it is a candidate at all, and else the one with the highest sequence, the
// last of equals. A node that is no replica, or has never written anything, is no candidate.
func (s *Shard) Promote(candidates []Candidate, preferred string) (string, error) {
	chosen := Candidate{}
	for _, candidate := range candidates {
		if candidate.Role != Slave || candidate.Sequence == 0 {
			continue
		}
		if candidate.ID == preferred {
			chosen = candidate
			break
		}
		if candidate.Sequence >= chosen.Sequence {
			chosen = candidate
		}
	}
	if chosen.ID == "" {
		return "", ErrNoCandidate
	}
	s.Master().Role = Slave
	for _, node := range s.Nodes {
		if node.ID == chosen.ID {
			node.Role = Master
		}
	}
	return chosen.ID, nil
}
