package simulation

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/kvrocks/kvrocks-operator/api/slots"
	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/action"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/layout"
)

// moveWorld is a small model of a cluster in which slots move under writes: shards of one or two pods, kvrocks-controller's
// record, clients that follow redirections. The lives of clusters (cluster_test.go) have all else.
type moveWorld struct {
	life
	simRecord
	nodes  map[string]*moveNode
	nextID int
	// acked are the writes that clients were told of, by slot, with the node that took each; lost are those that may be:
	// they died with a master before its replica had them.
	acked map[int]map[int]string
	lost  map[int]bool
}

// busySlots are the slots that clients write to.
func busySlots() []int {
	return []int{0, 1, 2, 15, 16, 17, 40, 41, 99, 5460, 5461, 5500, 9000, 11000, 16383}
}

func newMoveWorld(seed uint64) *moveWorld {
	w := &moveWorld{
		life:  newLife(seed, 29, v1alpha1.TypeCluster),
		nodes: map[string]*moveNode{}, acked: map[int]map[int]string{}, lost: map[int]bool{},
	}
	w.topology.Spec.Migration = &v1alpha1.MigrationPolicy{DeadlineSeconds: 3600}
	replicas := 1 + w.rng.IntN(2)
	for i := range int32(2 + w.rng.IntN(2)) {
		s := v1alpha1.TopologyShard{Index: i, MasterName: fmt.Sprint("orders.", i), Replicas: int32(replicas)}
		for j := range replicas {
			name := fmt.Sprintf("orders-%d-%d", i, j)
			w.names = append(w.names, name)
			w.nodes[name] = &moveNode{name: name, address: fmt.Sprintf("10.96.%d.%d", i, j), shard: i, data: map[int]map[int]bool{}}
			w.pods[name] = &simPod{due: w.now}
			s.Members = append(s.Members, v1alpha1.Member{Pod: name, Address: w.nodes[name].address})
		}
		w.topology.Spec.Shards = append(w.topology.Spec.Shards, s)
	}
	return w
}

func (w *moveWorld) forget() {
	w.memory.forget()
	for _, n := range w.nodes {
		n.count = nil
	}
}

func (w *moveWorld) up(n *moveNode) bool { p := w.pods[n.name]; return p.exists && p.running }

// reachable: the node answers behind its Service. One that has been given no place yet is not ready.
func (w *moveWorld) reachable(n *moveNode) bool {
	p := w.pods[n.name]
	return w.up(n) && n.layout != nil && (p.attached || w.now.Before(p.reachedUntil))
}

func (w *moveWorld) byAddress(address string) *moveNode {
	for _, n := range w.nodes {
		if n.address == address {
			return n
		}
	}
	return nil
}

// advance lets one tick pass. The rules hold before, after a crash as well, and after.
func (w *moveWorld) advance() {
	w.check()
	w.now = w.now.Add(tick)
	for _, name := range w.names {
		p, n := w.pods[name], w.nodes[name]
		if !w.up(n) && !w.now.Before(p.due) {
			if !p.exists {
				*p = simPod{exists: true, ip: "10.244" + n.address[5:]}
			}
			p.running = true
			n.start()
			w.say("%s starts", name)
		}
	}
	for _, name := range w.names {
		w.replicate(w.nodes[name])
	}
	for _, name := range w.names {
		if n := w.nodes[name]; w.up(n) {
			n.advance(w)
		}
	}
	w.advanceController()
	for range 4 {
		w.write()
	}
	w.check()
}

func (w *moveWorld) replicate(n *moveNode) {
	if !w.up(n) || n.master || n.host == "127.0.0.1" {
		return
	}
	src := w.byAddress(n.host)
	if src == nil || !w.reachable(src) || !src.master {
		n.linkUp = false
		return
	}
	if n.linkUp = true; w.rng.IntN(3) > 0 {
		n.data, n.seq = cloneData(src.data), src.seq
	}
}

// write is one client: it asks any node and follows redirections.
func (w *moveWorld) write() {
	all := busySlots()
	slot := all[w.rng.IntN(len(all))]
	n := w.nodes[w.names[w.rng.IntN(len(w.names))]]
	for range 5 {
		if n == nil || !w.reachable(n) {
			return
		}
		taken, moved := n.answer(slot)
		if taken {
			w.nextID++
			n.put(slot, w.nextID)
			if w.acked[slot] == nil {
				w.acked[slot] = map[int]string{}
			}
			w.acked[slot][w.nextID] = n.name
			return
		}
		n = w.byAddress(moved)
	}
}

// check holds at every moment: one owner on record, and never two nodes that take writes to a slot.
func (w *moveWorld) check() {
	if w.record == nil {
		return
	}
	var all slots.Set
	total := 0
	for i := range w.record.Shards {
		all = all.Union(&w.record.Shards[i].Slots)
		total += w.record.Shards[i].Slots.Len()
	}
	if total != slots.Count || all != slots.All() {
		w.violated("%d slots are owned on record", total)
	}
	for _, slot := range busySlots() {
		var takers []string
		for _, name := range w.names {
			if n := w.nodes[name]; w.reachable(n) {
				if taken, _ := n.answer(slot); taken {
					takers = append(takers, name)
				}
			}
		}
		if len(takers) > 1 {
			w.violated("slot %d takes writes on %v", slot, takers)
		}
	}
}

// checkRest: every acknowledged write is where its slot is, and every slot takes writes.
func (w *moveWorld) checkRest(t *testing.T) {
	t.Helper()
	w.checkEntries(t)
	for _, slot := range busySlots() {
		var owner *moveNode
		for _, name := range w.names {
			if n := w.nodes[name]; w.reachable(n) {
				if taken, _ := n.answer(slot); taken {
					owner = n
				}
			}
		}
		if owner == nil {
			w.violated("nothing takes writes to slot %d", slot)
			continue
		}
		for id, by := range w.acked[slot] {
			if !owner.data[slot][id] && !w.lost[id] {
				w.violated("write %d to slot %d, which %s took, is not on %s", id, slot, by, owner.name)
			}
		}
	}
}

// promoted notes the writes that the new master lacks because they were never replicated.
func (w *moveWorld) promoted(from, to *moveNode) {
	for slot, ids := range from.data {
		for id := range ids {
			if !to.data[slot][id] && w.acked[slot][id] == from.name {
				w.lost[id] = true
			}
		}
	}
}

func (w *moveWorld) advanceController() {
	if w.away(w.now) {
		w.pending = nil
		return
	}
	w.deliver(w.now, func(to layout.Node, l *layout.Layout) {
		if n := w.byAddress(to.Address); w.reachable(n) {
			_ = n.setNodes(to.ID, l, false)
		}
	})
	if w.record == nil || w.rng.IntN(20) > 0 {
		return
	}
	for i := range w.record.Shards {
		for _, o := range w.record.Shards[i].Nodes {
			if n := w.byAddress(o.Address); w.reachable(n) && n.version() < w.record.Version {
				_ = n.setNodes(o.ID, w.record, false)
			}
		}
	}
}

// call carries out an action on kvrocks-controller; now and then it fails, or only seems to.
func (w *moveWorld) call(a action.Action) error {
	if w.away(w.now) {
		return errRefused
	}
	if !w.healed {
		switch w.rng.IntN(30) {
		case 0:
			return errTimeout
		case 1:
			_ = w.control(a)
			return errTimeout
		}
	}
	return w.control(a)
}

func (w *moveWorld) control(a action.Action) error {
	switch a := a.(type) {
	case action.CreateCluster:
		return w.create(a.Shards, func(addresses []string) []layout.Node {
			nodes := make([]layout.Node, len(addresses))
			for i, address := range addresses {
				host := address[:len(address)-len(":6379")]
				nodes[i] = layout.Node{ID: "n" + host[len("10.96."):], Address: host, Port: simPort, Master: i == 0}
			}
			return nodes
		})
	case action.FailOver:
		s := shardWith(w.record, a.MasterID)
		i := slices.IndexFunc(s.Nodes, func(n layout.Node) bool { return n.ID == a.MasterID && n.Master })
		j := slices.IndexFunc(s.Nodes, func(n layout.Node) bool { return n.ID == a.PreferredID })
		if i < 0 || j < 0 || !w.reachable(w.byAddress(s.Nodes[j].Address)) {
			return errors.New("no match new master in shard")
		}
		w.promoted(w.byAddress(s.Nodes[i].Address), w.byAddress(s.Nodes[j].Address))
		w.change(&w.life, func(l *layout.Layout) {
			in := shardWith(l, a.MasterID)
			in.Nodes[i].Master, in.Nodes[j].Master = false, true
		})
	case action.RecordSlots:
		part := slots.Of(a.Slots)
		to := shardWith(w.record, a.ToMasterID)
		overlaps := 0
		for i := range w.record.Shards {
			if w.record.Shards[i].Slots.Intersect(&part) != (slots.Set{}) {
				overlaps++
			}
		}
		switch {
		case to == nil:
			return errors.New("node: not found")
		case overlaps != 1:
			return errors.New("slot range belongs to multiple shards")
		case to.Slots.Intersect(&part) != slots.Set{}:
			return errors.New("source and target shard is same")
		}
		w.change(&w.life, func(l *layout.Layout) {
			for i := range l.Shards {
				l.Shards[i].Slots = l.Shards[i].Slots.Minus(&part)
			}
			in := shardWith(l, a.ToMasterID)
			in.Slots = in.Slots.Union(&part)
		})
	default:
		return fmt.Errorf("unexpected action %T", a)
	}
	return nil
}
