package simulation

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/kvrocks/kvrocks-operator/sidecar/plan"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/layout"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/plantest"
)

var errTimeout = errors.New("context deadline exceeded")

// simRecord is the record that kvrocks-controller keeps in its etcd, and the way from there to the nodes.
type simRecord struct {
	record    *layout.Layout
	awayUntil time.Time
	pending   []pendingPush // pushes of the record that are on their way
}

type pendingPush struct {
	at     time.Time
	node   layout.Node
	layout *layout.Layout
}

func (r *simRecord) away(now time.Time) bool { return now.Before(r.awayUntil) }

// view is what the sidecar sees of kvrocks-controller.
func (r *simRecord) view(now time.Time) plan.Controller {
	if r.away(now) {
		return plan.Controller{Reach: plan.Unreachable, Err: "connection refused"}
	}
	return plan.Controller{Reach: plan.Answered, Record: r.record}
}

func (r *simRecord) describe() string {
	if r.record == nil {
		return "no record\n"
	}
	text := fmt.Sprintf("record %d\n", r.record.Version)
	for i := range r.record.Shards {
		s := &r.record.Shards[i]
		text += fmt.Sprintf("  %v: %+v\n", s.Slots.Ranges(), s.Nodes)
	}
	return text
}

// create is the first record: the slots are spread evenly.
func (r *simRecord) create(addresses [][]string, nodes func(addresses []string) []layout.Node) error {
	if r.record != nil {
		return errors.New("cluster: already exists")
	}
	r.record = &layout.Layout{Version: 1}
	for i := range addresses {
		r.record.Shards = append(r.record.Shards, layout.Shard{Nodes: nodes(addresses[i]), Slots: plantest.EvenSlots(i, len(addresses))})
	}
	return nil
}

// change is a change of the record: a new version, which is pushed to all nodes at once and unawaited.
func (r *simRecord) change(in *life, how func(*layout.Layout)) {
	l := &layout.Layout{Version: r.record.Version + 1, Shards: slices.Clone(r.record.Shards)}
	for i := range l.Shards {
		l.Shards[i].Nodes = slices.Clone(l.Shards[i].Nodes)
	}
	how(l)
	r.record = l
	for i := range l.Shards {
		for _, n := range l.Shards[i].Nodes {
			if in.rng.IntN(4) > 0 {
				r.pending = append(r.pending, pendingPush{in.now.Add(in.some(3) - tick), n, l})
			}
		}
	}
}

// deliver lets the pushes arrive whose time has come.
func (r *simRecord) deliver(now time.Time, push func(layout.Node, *layout.Layout)) {
	r.pending = slices.DeleteFunc(r.pending, func(p pendingPush) bool {
		if now.Before(p.at) {
			return false
		}
		push(p.node, p.layout)
		return true
	})
}

// toldLayout is what a kvrocks node in cluster mode was told since it started.
type toldLayout struct {
	id     string
	layout *layout.Layout
}

func (t *toldLayout) version() int64 {
	if t.layout == nil {
		return -1
	}
	return t.layout.Version
}

// tell is CLUSTERX SETNODEID and SETNODES. It returns the node's shard, or nil when the node goes on as it is.
func (t *toldLayout) tell(id string, l *layout.Layout, force bool) (*layout.Shard, error) {
	if !force && t.layout != nil {
		if l.Version < t.layout.Version {
			return nil, errors.New("ERR Invalid cluster version")
		}
		if l.Version == t.layout.Version {
			return nil, nil
		}
	}
	t.id, t.layout = id, l
	return shardWith(l, id), nil
}

func shardWith(l *layout.Layout, id string) *layout.Shard {
	for i := range l.Shards {
		if slices.ContainsFunc(l.Shards[i].Nodes, func(n layout.Node) bool { return n.ID == id }) {
			return &l.Shards[i]
		}
	}
	return nil
}
