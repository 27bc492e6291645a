package simulation

import (
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/layout"
)

// owns: by what it was told, the node is the master of some slots, and takes writes.
func (n *simNode) owns() bool {
	if n.layout == nil || !n.master {
		return false
	}
	s := shardWith(n.layout, n.id)
	return s != nil && !s.Slots.Empty()
}

// setNodes is CLUSTERX SETNODEID and SETNODES.
func (n *simNode) setNodes(id string, l *layout.Layout, force bool) error {
	s, err := n.tell(id, l, force)
	if s == nil {
		return err
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
