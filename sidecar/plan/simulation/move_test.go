package simulation

import (
	"flag"
	"fmt"
	"testing"
	"time"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/action"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/layout"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/migration"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/plantest"
)

var moveSeeds = flag.Int("moveseeds", 60, "number of simulated lives of moving slots")

// TestSimulatedMoves moves slots to and fro under writes while the sidecar, the nodes at both ends and kvrocks-controller
// are killed at any point. No slot may ever be owned twice or not at all on record, nor take writes in two places, and no
// acknowledged write may be lost but those that died unreplicated with a master. In the end every entry is Done or
// Failed with a message, every slot takes writes, and nothing more is planned.
func TestSimulatedMoves(t *testing.T) {
	simulate(t, *moveSeeds, func(t *testing.T, seed uint64) {
		w := newMoveWorld(seed)
		defer w.logEnd(t, w.describe)
		w.live(t, w, 500, 3000)
	})
}

// heal ends every fault.
func (w *moveWorld) heal() {
	w.say("healed")
	w.healed, w.awayUntil = true, time.Time{}
	w.topology.Spec.Migration.Paused = false
	w.topology.Generation++
}

func (w *moveWorld) atRest(p plan.Plan) bool {
	return len(p.Actions) == 0 && peaceful(p) && p.Status.ObservedGeneration == w.topology.Generation && len(w.pending) == 0
}

// checkEntries: every move has an end, and says which.
func (w *moveWorld) checkEntries(t *testing.T) {
	t.Helper()
	for _, m := range w.topology.Status.Migrations {
		if m.State != v1alpha1.MigrationDone && m.State != v1alpha1.MigrationFailed || m.Current != "" || m.Message == "" {
			t.Fatalf("it ends as %+v", m)
		}
	}
}

func (w *moveWorld) passes() int { return 4 }

func (w *moveWorld) crash() int {
	if w.healed {
		return -1
	}
	return w.crashNow(20, 4)
}

func (w *moveWorld) decide() plan.Plan {
	in := w.input(w.observe)
	in.Controller = w.view(w.now)
	return plan.Cluster(in)
}

func (w *moveWorld) text(a action.Action) string { return plantest.Words(a) }

func (w *moveWorld) checkReport(v1alpha1.KVRocksTopologyStatus) {}

// faults breaks something now and then, or changes what is wanted.
func (w *moveWorld) faults(tick int) {
	if tick <= 30 || w.rng.IntN(15) > 0 {
		return
	}
	name := w.names[w.rng.IntN(len(w.names))]
	for _, m := range w.topology.Status.Migrations {
		if m.Current != "" && w.rng.IntN(2) == 0 { // one of the two ends
			for _, st := range w.topology.Status.Shards {
				if st.Index == []int32{m.From, m.To}[w.rng.IntN(2)] && st.Master != "" {
					name = st.Master
				}
			}
		}
	}
	p := w.pods[name]
	switch kind := w.rng.IntN(8); {
	case kind < 4 && w.lastWitness(name):
		// When both ends are lost at once nothing tells what had become of the part.
	case kind < 3:
		if p.running {
			p.running, p.due = false, w.now.Add(w.some(30))
			w.say("FAULT %s is killed", name)
		}
	case kind == 3:
		*p = simPod{due: w.now.Add(w.some(40))}
		w.vanish(name)
		w.say("FAULT pod %s is deleted", name)
	case kind == 4:
		w.awayUntil = w.now.Add(w.some(40))
		w.say("FAULT kvrocks-controller is away until %s", w.awayUntil.Format("04:05.0"))
	default:
		w.edit()
	}
}

// lastWitness: of the two ends of a part that has arrived, only this process still knows it.
func (w *moveWorld) lastWitness(name string) bool {
	witnesses, last := 0, false
	for _, m := range w.topology.Status.Migrations {
		if m.Current == "" {
			continue
		}
		for _, n := range w.nodes {
			knows := func(o *layout.SlotMove) bool {
				return w.up(n) && o != nil && o.State == layout.MoveSucceeded && o.Slots.String() == string(m.Current)
			}
			if n.shard == m.To && knows(n.in) || n.shard == m.From && knows(n.out) {
				witnesses++
				last = last || n.name == name
			}
		}
	}
	return witnesses == 1 && last
}

// edit changes the spec.
func (w *moveWorld) edit() {
	spec := &w.topology.Spec
	policy := spec.Migration
	switch w.rng.IntN(6) {
	case 0:
		policy.Paused = !policy.Paused
	case 1:
		policy.Rebalance = !policy.Rebalance
	case 2:
		policy.DeadlineSeconds = []int32{0, 5, 3600}[w.rng.IntN(3)]
		policy.KeysPerSecond = []int32{0, 50_000}[w.rng.IntN(2)]
	default:
		spec.Migrate = nil
		to := int32(w.rng.IntN(len(spec.Shards)))
		first := []string{"0", "0-2", "0-15", "0-99", "16-99", "5460-5470", "2-8999", "0-16383"}
		spec.Migrate = append(spec.Migrate, v1alpha1.TopologyMigration{Shard: to, Slots: []v1alpha1.SlotRange{v1alpha1.SlotRange(first[w.rng.IntN(len(first))])}})
		if w.rng.IntN(2) == 0 {
			spec.Migrate = append(spec.Migrate, v1alpha1.TopologyMigration{Shard: (to + 1) % 2, Slots: []v1alpha1.SlotRange{"11000", "16000-16383"}})
		}
	}
	w.topology.Generation++
	w.say("wanted: %+v, %+v", spec.Migrate, *policy)
}

func (w *moveWorld) apply(a action.Action) error {
	node := func(name string) (*moveNode, error) {
		if n := w.nodes[name]; w.up(n) {
			return n, nil
		}
		return nil, errRefused
	}
	switch a := a.(type) {
	case action.Detach:
		w.detach(w.pods[a.Pod])
	case action.Attach:
		w.pods[a.Pod].attached = true
	case action.Label:
		w.pods[a.Pod].role = a.Role
	case action.Push:
		n, err := node(a.Pod)
		if err != nil {
			return err
		}
		return n.setNodes(a.ID, a.Layout, a.Force)
	case action.WriteMarker:
		w.nodes[a.Pod].seq++
	case action.MoveSlots:
		n, err := node(a.Pod)
		if err != nil {
			return err
		}
		return n.migrate(w, a.Slots, a.ToID)
	case action.CountKeys:
		n, err := node(a.Pod)
		if err != nil {
			return err
		}
		if n.count = nil; w.rng.IntN(3) > 0 {
			n.count = &migration.SlotCount{Slots: a.Slots, Keys: n.keys(a.Slots) * 1000, Sequence: n.seq}
		}
	case action.FailOver:
		if err := w.call(a); err != nil || a.Install == "" {
			return err
		}
		return w.apply(action.Push{Pod: a.Install, ID: a.PreferredID, Layout: w.record})
	default:
		return w.call(a)
	}
	return nil
}

// observe is what the sidecar sees of a node.
func (w *moveWorld) observe(name string) plan.Node {
	n := w.nodes[name]
	if !w.up(n) {
		return plan.Node{Reach: plan.Unreachable, Err: "connection refused"}
	}
	node := plan.Node{
		Reach: plan.Answered, RunID: fmt.Sprint(n.name, n.life), Role: v1alpha1.RoleMaster, Sequence: n.seq,
		Priority: 100, Count: n.count, Cluster: &plan.ClusterNode{Version: n.version(), ID: n.id, Layout: n.layout},
	}
	if !n.master {
		node.Role, node.MasterHost, node.MasterPort, node.LinkUp = v1alpha1.RoleReplica, n.host, n.port, n.linkUp
		return node
	}
	copied := func(m *layout.SlotMove) *layout.SlotMove {
		if m == nil {
			return nil
		}
		c := *m
		return &c
	}
	node.Cluster.Outgoing, node.Cluster.Incoming = copied(n.out), copied(n.in)
	return node
}

func (w *moveWorld) describe() string {
	text := w.life.describe() + w.simRecord.describe()
	for _, name := range w.names {
		n, p := w.nodes[name], w.pods[name]
		text += fmt.Sprintf("%s v=%d master=%v ->%s up=%v link=%v seq=%d attached=%v out=%+v in=%+v frozen=%v migrated=%v imported=%v count=%+v\n",
			name, n.version(), n.master, n.host, w.up(n), n.linkUp, n.seq, p.attached, n.out, n.in, n.frozen, n.migrated, n.imported, n.count)
	}
	return text
}
