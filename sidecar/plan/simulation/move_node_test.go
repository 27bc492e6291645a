package simulation

import (
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/kvrocks/kvrocks-operator/api/slots"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/layout"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/migration"
)

// moveNode is a kvrocks process in cluster mode, with its volume, as far as the moving of slots goes. It imitates what was
// read in and measured of kvrocks 2.10.1.
type moveNode struct {
	name, address string
	shard         int32

	// The volume: which writes each slot has.
	data map[int]map[int]bool
	seq  int64

	// The process.
	life int
	toldLayout
	master bool
	host   string
	port   int32
	linkUp bool
	count  *migration.SlotCount

	// out and in are what CLUSTER INFO says. frozen are the slots that take no writes; migrated are answered with the
	// destination's address; imported are served without being owned.
	out, in            *layout.SlotMove
	frozen             *slots.Range
	migrated, imported *slots.Range
	migratedTo         string
	job                *moveJob
	// source is the process that keys come from.
	source     *moveNode
	sourceLife int
	// failsOnce: the first move after a promotion fails.
	failsOnce bool
}

// moveJob is a move on the side of its source.
type moveJob struct {
	slots  slots.Range
	to     *moveNode
	toLife int
	left   int // ticks
	stage  int
	// stuckUntil: the destination has vanished without a word, and the source waits for it until then.
	stuckUntil time.Time
}

// start is a new process over the old volume.
func (n *moveNode) start() {
	*n = moveNode{name: n.name, address: n.address, shard: n.shard, data: n.data, seq: n.seq, life: n.life + 1, host: "127.0.0.1", port: simPort, linkUp: true}
}

func (n *moveNode) put(slot, id int) {
	if n.data[slot] == nil {
		n.data[slot] = map[int]bool{}
	}
	n.data[slot][id] = true
	n.seq++
}

func (n *moveNode) clear(r slots.Range) {
	for slot := range n.data {
		if slot >= r.First && slot <= r.Last {
			delete(n.data, slot)
			n.seq++
		}
	}
}

func (n *moveNode) keys(r slots.Range) (keys int64) {
	for slot, ids := range n.data {
		if slot >= r.First && slot <= r.Last {
			keys += int64(len(ids))
		}
	}
	return keys
}

func cloneData(data map[int]map[int]bool) map[int]map[int]bool {
	all := map[int]map[int]bool{}
	for slot, ids := range data {
		all[slot] = maps.Clone(ids)
	}
	return all
}

func (n *moveNode) mine() *layout.Shard {
	if n.layout == nil || !n.master {
		return nil
	}
	return shardWith(n.layout, n.id)
}

func (n *moveNode) ownsAny(r slots.Range) bool {
	part := slots.Of(r)
	s := n.mine()
	return s != nil && part.Intersect(&s.Slots) != slots.Set{}
}

func within(r *slots.Range, slot int) bool { return r != nil && slot >= r.First && slot <= r.Last }

// answer is what a client gets that wants to write to a slot: true, or the address to go to, or nothing.
func (n *moveNode) answer(slot int) (taken bool, moved string) {
	if n.layout == nil {
		return false, ""
	}
	if s := n.mine(); s != nil && s.Slots.Has(slot) {
		switch {
		case within(n.migrated, slot):
			return false, n.migratedTo
		case within(n.frozen, slot):
			return false, ""
		}
		return true, ""
	}
	if n.master && within(n.imported, slot) {
		return true, ""
	}
	for i := range n.layout.Shards {
		if s := &n.layout.Shards[i]; s.Slots.Has(slot) {
			for _, o := range s.Nodes {
				if o.Master {
					return false, o.Address
				}
			}
		}
	}
	return false, ""
}

// setNodes is CLUSTERX SETNODEID and SETNODES.
func (n *moveNode) setNodes(id string, l *layout.Layout, force bool) error {
	s, err := n.tell(id, l, force)
	if s == nil {
		return err
	}
	for _, o := range s.Nodes {
		switch {
		case o.ID == id && o.Master:
			if !n.master {
				n.failsOnce = true
			}
			n.master, n.host, n.linkUp = true, "", false
		case o.Master:
			n.master = false
			if n.host != o.Address || n.port != o.Port {
				n.host, n.port, n.linkUp = o.Address, o.Port, false
			}
		}
	}
	if n.migrated != nil {
		for slot := n.migrated.First; slot <= n.migrated.Last; slot++ {
			if mine := n.mine(); mine == nil || !mine.Slots.Has(slot) {
				n.clear(slots.Range{First: slot, Last: slot})
			}
		}
	}
	n.migrated, n.imported = nil, nil
	if n.in != nil && n.in.State == layout.MoveRunning {
		n.source = nil // it takes nothing more from the importing connection
	}
	return nil
}

// migrate is CLUSTERX MIGRATE ... ASYNC.
func (n *moveNode) migrate(w *moveWorld, r slots.Range, to string) error {
	overlaps := func(o *slots.Range) bool { return o != nil && o.First <= r.Last && r.First <= o.Last }
	in := shardWith(n.layout, to)
	switch {
	case in == nil:
		return errors.New("ERR Can't find the destination node id")
	case overlaps(n.migrated) || overlaps(n.frozen) && n.job == nil:
		return errors.New("ERR Can't migrate slot which has been migrated")
	case n.job != nil:
		return errors.New("ERR There is already a migrating job")
	}
	for slot := r.First; slot <= r.Last; slot++ {
		if s := n.mine(); s == nil || !s.Slots.Has(slot) {
			return errors.New("ERR Can't migrate slot which doesn't belong to me")
		}
	}
	i := slices.IndexFunc(in.Nodes, func(o layout.Node) bool { return o.ID == to })
	if !in.Nodes[i].Master {
		return errors.New("ERR Can't migrate slot to a slave")
	}
	n.out = &layout.SlotMove{Slots: r, To: to, State: layout.MoveRunning}
	n.job = &moveJob{slots: r, to: w.byAddress(in.Nodes[i].Address), left: w.rng.IntN(6)}
	return nil
}

// advance lets a move go on by one step.
func (n *moveNode) advance(w *moveWorld) {
	if n.in != nil && n.in.State == layout.MoveRunning && (n.source == nil || n.source.life != n.sourceLife || !w.up(n.source)) {
		if n.source != nil || w.rng.IntN(2) == 0 { // the connection is seen to be closed
			n.in.State = layout.MoveFailed
			n.clear(n.in.Slots)
		}
	}
	j := n.job
	if j == nil {
		return
	}
	d := j.to
	connected := d != nil && w.reachable(d) && (j.stage == 0 || d.life == j.toLife && d.source == n && d.sourceLife == n.life)
	switch {
	case w.now.Before(j.stuckUntil): // whatever role it has
	case j.stage == 3: // nothing can stop it any more
		n.migrated, n.migratedTo, n.out.State, n.job = &j.slots, d.address, layout.MoveSucceeded, nil
	case n.failsOnce || !n.master || !connected:
		n.fail(w)
	case j.stage == 0:
		if !d.master || d.in != nil && d.in.State == layout.MoveRunning || d.ownsAny(j.slots) {
			n.fail(w)
			return
		}
		d.clear(j.slots)
		d.in, d.source, d.sourceLife = &layout.SlotMove{Slots: j.slots, State: layout.MoveRunning}, n, n.life
		if d.frozen != nil && *d.frozen == j.slots {
			if d.frozen = nil; d.job == nil {
				d.out = nil
			}
		}
		j.toLife, j.stage = d.life, 1
	case j.left > 0:
		j.left--
	case j.stage == 1:
		n.frozen, j.stage = &j.slots, 2
	default:
		for slot, ids := range n.data {
			if slot >= j.slots.First && slot <= j.slots.Last {
				for id := range ids {
					d.put(slot, id)
				}
			}
		}
		d.in.State, d.imported, j.stage = layout.MoveSucceeded, &j.slots, 3
	}
}

// vanish leaves those waiting who move slots to a node.
func (w *moveWorld) vanish(name string) {
	for _, n := range w.nodes {
		if j := n.job; j != nil && j.to != nil && j.to.name == name && (j.stage == 1 || j.stage == 2) {
			j.stuckUntil = w.now.Add(100 * time.Second)
		}
	}
}

func (n *moveNode) fail(w *moveWorld) {
	j := n.job
	if d := j.to; d != nil && j.stage > 0 && d.life == j.toLife && w.up(d) && d.in != nil && d.in.Slots == j.slots && !d.ownsAny(j.slots) {
		d.clear(j.slots)
		d.in.State, d.imported = layout.MoveFailed, nil
	}
	n.out.State, n.frozen, n.job, n.failsOnce = layout.MoveFailed, nil, nil, false
}
