package plan_test

import (
	"fmt"
	"slices"

	"github.com/kvrocks/kvrocks-operator/sidecar/plan"
)

func (n *simNode) version() int64 {
	if n.layout == nil {
		return -1
	}
	return n.layout.Version
}

// owns: by what it was told, the node is the master of some slots, and takes writes.
func (n *simNode) owns() bool {
	if n.layout == nil || !n.master {
		return false
	}
	s := shardWith(n.layout, n.id)
	return s != nil && !s.Slots.Empty()
}

func shardWith(l *plan.Layout, id string) *plan.LayoutShard {
	for i := range l.Shards {
		if slices.ContainsFunc(l.Shards[i].Nodes, func(n plan.LayoutNode) bool { return n.ID == id }) {
			return &l.Shards[i]
		}
	}
	return nil
}

// setNodes is CLUSTERX SETNODEID and SETNODES.
func (n *simNode) setNodes(id string, l *plan.Layout, force bool) error {
	if !force && n.layout != nil {
		if l.Version < n.layout.Version {
			return fmt.Errorf("ERR Invalid cluster version")
		}
		if l.Version == n.layout.Version {
			return nil
		}
	}
	n.id, n.layout = id, l
	s := shardWith(l, id)
	if s == nil {
		return nil // It goes on as it is.
	}
	for _, o := range s.Nodes {
		switch {
		case o.ID == id && o.Master:
			n.master, n.source, n.syncing, n.linkUp = true, nil, false, false
		case o.Master && (n.master || n.host != o.Address || n.port != o.Port):
			n.follow(o.Address, o.Port)
		}
	}
	return nil
}
