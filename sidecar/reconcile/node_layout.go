package reconcile

import (
	"context"
	"sync"
	"time"

	"github.com/kvrocks/kvrocks-operator/sidecar/conn"
	"github.com/kvrocks/kvrocks-operator/sidecar/kvrocks"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/layout"
)

// clusterAnswer is what a node of a cluster says of its layout.
type clusterAnswer struct {
	info kvrocks.ClusterInfo
	// nodes and id are read when the version is not the one that they were read at; read says whether they were.
	read  bool
	nodes kvrocks.ClusterNodes
	id    string
}

// layouts are the layouts that nodes and kvrocks-controller have, each kept once however many have it: that of 100 shards
// takes 200 KB, and equal ones are the same pointer.
type layouts struct {
	mu     sync.Mutex
	byText map[string]*layout.Layout
}

// askCluster asks a node of a cluster for its layout. CLUSTER NODES, which is long, is asked when the node's layout is
// another one than before (known is its version, or 0 when it is to be read whatever it is).
func askCluster(ctx context.Context, c conn.DataNode, known int64) (clusterAnswer, error) {
	var a clusterAnswer
	var err error
	if a.info, err = c.ClusterInfo(ctx); err != nil {
		return a, err
	}
	if a.info.Version == known {
		return a, nil
	}
	a.read = true
	if a.info.Version == kvrocks.NoLayout {
		a.id, err = c.ClusterID(ctx)
		return a, err
	}
	if a.nodes, err = c.ClusterNodes(ctx); err != nil {
		return a, err
	}
	a.id = a.nodes.MyID
	if a.id == "" { // it has a layout that it is not part of
		a.id, err = c.ClusterID(ctx)
	}
	return a, err
}

// knownVersion returns the version that the layout need not be read at again.
func (n *node) knownVersion(now time.Time) int64 {
	if n.layouts == nil || n.seen.Cluster == nil || now.Sub(n.layoutAt) >= rarely {
		return 0
	}
	return n.seen.Cluster.Version
}

// takeCluster turns an answer into what the planner sees.
func (n *node) takeCluster(a clusterAnswer, at time.Time) {
	before := n.seen.Cluster
	c := &plan.ClusterNode{
		Version: a.info.Version, Outgoing: a.info.Outgoing, Incoming: a.info.Incoming,
	}
	switch {
	case a.read:
		c.ID, c.Layout = a.id, n.layouts.keep(a.nodes)
		n.layoutAt = at
	case before != nil:
		c.ID, c.Layout = before.ID, before.Layout
	}
	n.seen.Cluster, n.layoutRead = c, a.read
}

// keep returns the layout that nodes say, the same pointer for equal ones; nil when they name no node.
func (l *layouts) keep(nodes kvrocks.ClusterNodes) *layout.Layout {
	key := nodes.Key()
	if key == "" {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.byText == nil {
		l.byText = map[string]*layout.Layout{}
	}
	if l.byText[key] == nil {
		l.byText[key] = nodes.Layout()
	}
	return l.byText[key]
}

// same returns the layout, or an equal one that is kept.
func (l *layouts) same(record *layout.Layout) *layout.Layout {
	for _, s := range record.Shards {
		masters := 0
		for _, n := range s.Nodes {
			if n.Master {
				masters++
			}
		}
		if masters != 1 {
			return record // such as no node would say
		}
	}
	if len(record.Shards) == 0 {
		return record
	}
	return l.keep(kvrocks.NodesOf(record))
}

// prune forgets the layouts that neither a node nor the record has any more.
func (l *layouts) prune(nodes map[string]*node, record *layout.Layout) {
	l.mu.Lock()
	defer l.mu.Unlock()
	used := map[*layout.Layout]bool{record: true}
	for _, n := range nodes {
		if n.seen.Cluster != nil {
			used[n.seen.Cluster.Layout] = true
		}
	}
	for text, kept := range l.byText {
		if !used[kept] {
			delete(l.byText, text)
		}
	}
}
