package simulation

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/kvrocks/kvrocks-operator/sidecar/plan/action"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/layout"
)

// simController is kvrocks-controller. It reaches nodes through their Services only.
type simController struct {
	simRecord
	interval  time.Duration
	nextProbe time.Time
	failures  map[string]int // by node id
	nextID    int
	stale     bool         // its record holds an old password
	late      []lateChange // calls that will be carried out although they seemed to fail
}

type lateChange struct {
	at    time.Time
	apply func() error
}

func (c *simController) id() string {
	c.nextID++
	return fmt.Sprintf("n%03d", c.nextID)
}

func (w *clusterWorld) advanceController() {
	c := &w.controller
	if c.away(w.now) {
		c.pending, c.failures = nil, nil
		c.nextProbe = c.awayUntil.Add(c.interval)
		return
	}
	c.deliver(w.now, func(to layout.Node, l *layout.Layout) {
		if n := w.byAddress(to.Address); w.reachable(n.name) {
			_ = n.setNodes(to.ID, l, false)
		}
	})
	c.late = slices.DeleteFunc(c.late, func(l lateChange) bool {
		if w.now.Before(l.at) {
			return false
		}
		if err := l.apply(); err == nil {
			w.say("kvrocks-controller carries out a call that had timed out")
		}
		return true
	})
	w.moveSlots()
	if c.record != nil && !w.now.Before(c.nextProbe) {
		c.nextProbe = w.now.Add(c.interval)
		w.probe()
	}
}

// probe heals nodes that are behind, adopts the layout of one that is ahead, and replaces masters that fail.
func (w *clusterWorld) probe() {
	c := &w.controller
	if c.failures == nil {
		c.failures = map[string]int{}
	}
	var ahead *simNode
	for i := range c.record.Shards {
		for _, n := range c.record.Shards[i].Nodes {
			node := w.byAddress(n.Address)
			switch {
			case w.reachable(node.name):
				c.failures[n.ID] = 0
				if node.version() < c.record.Version {
					c.pending = append(c.pending, pendingPush{w.now.Add(w.some(2)), n, c.record})
				}
				if node.version() > c.record.Version && (ahead == nil || node.version() > ahead.version()) {
					ahead = node
				}
			case w.pods[node.name].running && w.now.Before(node.loadEnd):
				// LOADING is no failure.
			default:
				c.failures[n.ID]++
			}
		}
	}
	if ahead != nil {
		w.say("kvrocks-controller adopts the layout %d of %s", ahead.version(), ahead.name)
		c.record = ahead.layout
		return
	}
	for i := range c.record.Shards {
		for _, n := range c.record.Shards[i].Nodes {
			if f := c.failures[n.ID]; n.Master && f > 0 && f%3 == 0 {
				if id, err := c.failOver(w, n.ID, ""); err == nil {
					w.say("kvrocks-controller makes %s master on its own", id)
					return
				}
			}
		}
	}
}

// failOver promotes the preferred node when it is a candidate, else the one with the most data.
func (c *simController) failOver(w *clusterWorld, masterID, preferred string) (string, error) {
	if c.record == nil {
		return "", errors.New("cluster: not found")
	}
	s := shardWith(c.record, masterID)
	if s == nil || !slices.ContainsFunc(s.Nodes, func(n layout.Node) bool { return n.ID == masterID && n.Master }) {
		return "", errors.New("the master is another one by now")
	}
	best, most := "", 0
	for _, n := range s.Nodes {
		node := w.byAddress(n.Address)
		if n.ID == masterID || !w.reachable(node.name) || node.master || node.version() < 0 || len(node.log) == 0 {
			continue
		}
		if n.ID == preferred {
			best = n.ID
			break
		}
		if len(node.log) > most {
			best, most = n.ID, len(node.log)
		}
	}
	if best == "" {
		return "", errors.New("no match new master in shard")
	}
	c.change(&w.life, func(l *layout.Layout) {
		in := shardWith(l, masterID)
		for i := range in.Nodes {
			in.Nodes[i].Master = in.Nodes[i].ID == best
		}
	})
	return best, nil
}

func (c *simController) newNodes(addresses []string) []layout.Node {
	nodes := make([]layout.Node, 0, len(addresses))
	for i, a := range addresses {
		host, _, _ := strings.Cut(a, ":")
		nodes = append(nodes, layout.Node{ID: c.id(), Address: host, Port: simPort, Master: i == 0})
	}
	return nodes
}

// call carries out an action on kvrocks-controller; now and then it fails, or only seems to.
func (c *simController) call(w *clusterWorld, a action.Action) error {
	if c.away(w.now) {
		return errRefused
	}
	apply := func() error { return c.apply(w, a) }
	if !w.healed {
		switch w.rng.IntN(40) {
		case 0:
			return errTimeout
		case 1:
			c.late = append(c.late, lateChange{w.now.Add(w.some(8)), apply})
			return errTimeout
		case 2:
			_ = apply()
			return errTimeout
		}
	}
	return apply()
}

func (c *simController) apply(w *clusterWorld, a action.Action) error {
	if c.record == nil {
		switch a.(type) {
		case action.CreateCluster, action.ImportCluster:
		default:
			return errors.New("cluster: not found")
		}
	}
	switch a := a.(type) {
	case action.CreateCluster:
		if err := c.create(a.Shards, c.newNodes); err != nil {
			return err
		}
		c.nextProbe = w.now.Add(c.interval)
		w.checkRemembered()
	case action.ImportCluster:
		n := w.nodes[a.Pod]
		if c.record != nil {
			return errors.New("cluster: already exists")
		}
		if !w.reachable(a.Pod) || n.layout == nil {
			return errors.New("CLUSTERDOWN The cluster is not initialized")
		}
		c.record, c.stale, c.nextProbe = n.layout, false, w.now.Add(c.interval)
		w.checkRemembered()
	case action.DeleteCluster:
		c.record = nil
	case action.FailOver:
		id, err := c.failOver(w, a.MasterID, a.PreferredID)
		if err == nil && id != a.PreferredID {
			err = fmt.Errorf("%s was made master instead of %s", id, a.PreferredID)
		}
		return err
	default:
		return c.applyMembers(w, a)
	}
	return nil
}

func (c *simController) applyMembers(w *clusterWorld, a action.Action) error {
	switch a := a.(type) {
	case action.AddShard:
		c.change(&w.life, func(l *layout.Layout) {
			l.Shards = append(l.Shards, layout.Shard{Nodes: c.newNodes(a.Addresses)})
		})
	case action.RemoveShard:
		s := shardWith(c.record, a.MasterID)
		if s == nil || !s.Slots.Empty() {
			return errors.New("shard is servicing")
		}
		c.change(&w.life, func(l *layout.Layout) {
			l.Shards = slices.DeleteFunc(l.Shards, func(s layout.Shard) bool { return s.Nodes[0].ID == a.MasterID || shardHas(&s, a.MasterID) })
		})
	case action.AddNode:
		host, _, _ := strings.Cut(a.Address, ":")
		if shardWith(c.record, a.MasterID) == nil {
			return errors.New("node: not found")
		}
		for i := range c.record.Shards {
			if slices.ContainsFunc(c.record.Shards[i].Nodes, func(n layout.Node) bool { return n.Address == host }) {
				return errors.New("already exists")
			}
		}
		c.change(&w.life, func(l *layout.Layout) {
			s := shardWith(l, a.MasterID)
			s.Nodes = append(s.Nodes, layout.Node{ID: c.id(), Address: host, Port: simPort})
		})
	case action.RemoveNode:
		s := shardWith(c.record, a.ID)
		if s == nil || slices.ContainsFunc(s.Nodes, func(n layout.Node) bool { return n.ID == a.ID && n.Master }) {
			return errors.New("the node is a master")
		}
		c.change(&w.life, func(l *layout.Layout) {
			s := shardWith(l, a.ID)
			s.Nodes = slices.DeleteFunc(s.Nodes, func(n layout.Node) bool { return n.ID == a.ID })
		})
	default:
		return fmt.Errorf("unexpected action %T", a)
	}
	return nil
}

func shardHas(s *layout.Shard, id string) bool {
	return slices.ContainsFunc(s.Nodes, func(n layout.Node) bool { return n.ID == id })
}
