package record

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// SetNodes is the topology as CLUSTERX SETNODES takes it, one line per node.
func (c *Cluster) SetNodes() (string, error) {
	var text strings.Builder
	for i, shard := range c.Shards {
		master := shard.Master()
		if master == nil {
			return "", fmt.Errorf("found err at shard[%d]: missing master node", i)
		}
		for _, node := range shard.Nodes {
			_, _ = fmt.Fprintf(&text, "%s %s ", node.ID, strings.Replace(node.Addr, ":", " ", 1))
			if node == master {
				_, _ = fmt.Fprintf(&text, "%s - %s\n", Master, shard.Slots)
			} else {
				_, _ = fmt.Fprintf(&text, "%s %s\n", Slave, master.ID)
			}
		}
	}
	return text.String(), nil
}

// The fields of a line of CLUSTER NODES.
const (
	fieldID = iota
	fieldAddr
	fieldFlags
	fieldMaster
	_ // last ping
	_ // last pong
	fieldVersion
	_ // link state
	firstSlotField
)

// ParseNodes makes a record of what CLUSTER NODES answers. Shards are ordered by their first slot, those without slots
// last. Passwords and the times at which nodes were added are not in that text, nor is the cluster's name.
func ParseNodes(text string) (*Cluster, error) {
	if text == "" {
		return nil, errors.New("cluster nodes string error")
	}
	cluster := &Cluster{Version: -1}
	replicas := map[string][]*Node{}
	for line := range strings.SplitSeq(text, "\n") {
		fields := strings.Split(line, " ")
		if len(fields) <= fieldVersion {
			return nil, fmt.Errorf("require at least 7 fields, node info[%s]", line)
		}
		addr, _, _ := strings.Cut(fields[fieldAddr], "@")
		node := &Node{ID: fields[fieldID], Addr: addr, Role: strings.TrimPrefix(fields[fieldFlags], "myself,")}
		var err error
		if cluster.Version, err = strconv.ParseInt(fields[fieldVersion], 10, 64); err != nil {
			return nil, fmt.Errorf("node version error, node info[%q]", line)
		}
		switch node.Role {
		case Slave:
			replicas[fields[fieldMaster]] = append(replicas[fields[fieldMaster]], node)
		case Master:
			shard, err := masterShard(node, fields)
			if err != nil {
				return nil, fmt.Errorf("parse slots error for node[%s]: %w", line, err)
			}
			cluster.Shards = append(cluster.Shards, shard)
		default:
			return nil, fmt.Errorf("node role error, node info[%q]", line)
		}
	}
	slices.SortStableFunc(cluster.Shards, func(a, b *Shard) int { return a.firstSlot() - b.firstSlot() })
	for _, shard := range cluster.Shards {
		shard.Nodes = append(shard.Nodes, replicas[shard.Nodes[0].ID]...)
	}
	return cluster, nil
}

func masterShard(master *Node, fields []string) (*Shard, error) {
	shard := emptyShard()
	shard.Nodes = append(shard.Nodes, master)
	for _, field := range fields[min(firstSlotField, len(fields)):] {
		slots, err := ParseRange(field)
		if err != nil {
			return nil, err
		}
		shard.Slots = append(shard.Slots, slots)
	}
	return shard, nil
}

func (s *Shard) firstSlot() int {
	if len(s.Slots) == 0 {
		return slotCount
	}
	return s.Slots[0].Start
}
