package layout

import "slices"

// DeadNodeID is the id of a node that does not exist, at the dead address. A move of slots to it fails at once.
const DeadNodeID = "ffffffffffffffffffffffffffffffffffffffff"

// StopWrites returns the layout, but that target has the place of m in their shard, and m is left as a master without slots: it
// refuses writes and goes on feeding its replicas.
func (l *Layout) StopWrites(shard *Shard, m, target *Node) *Layout {
	stop := &Layout{Version: l.Version, Shards: make([]Shard, 0, len(l.Shards)+1)}
	for i := range l.Shards {
		s := &l.Shards[i]
		if s != shard {
			stop.Shards = append(stop.Shards, *s)
			continue
		}
		rest := Shard{Slots: s.Slots}
		for _, n := range s.Nodes {
			if n.ID != m.ID {
				n.Master = n.ID == target.ID
				rest.Nodes = append(rest.Nodes, n)
			}
		}
		alone := *m
		alone.Master = true
		stop.Shards = append(stop.Shards, rest, Shard{Nodes: []Node{alone}})
	}
	return stop
}

// Strand returns the layout, but that no node can find the master of the shard, so that its replicas keep their data whatever the
// master is.
func (l *Layout) Strand(shard *Shard) *Layout {
	stranded := &Layout{Version: l.Version, Shards: slices.Clone(l.Shards)}
	for i := range l.Shards {
		if &l.Shards[i] != shard {
			continue
		}
		nodes := slices.Clone(shard.Nodes)
		for j := range nodes {
			if nodes[j].Master {
				nodes[j].Address, nodes[j].Port = DeadHost, DeadPort
			}
		}
		stranded.Shards[i].Nodes = nodes
	}
	return stranded
}

// WithDeadNode returns the layout with one more shard: a master that does not exist, and no slots.
func (l *Layout) WithDeadNode() *Layout {
	more := &Layout{Version: l.Version}
	more.Shards = append(more.Shards, l.Shards...)
	more.Shards = append(more.Shards, Shard{Nodes: []Node{{ID: DeadNodeID, Address: DeadHost, Port: DeadPort, Master: true}}})
	return more
}
