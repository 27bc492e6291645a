package simulation

import (
	"fmt"
	"maps"
	"testing"

	"k8s.io/apimachinery/pkg/types"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/action"
)

func (o scripted) newTemplate() {
	d := o.d
	d.revision++
	d.broken[d.revision] = d.rng.IntN(4) == 0
	d.say("template %d, broken: %v", d.revision, d.broken[d.revision])
}

// roll lists the pods that are to be replaced, of one shard at a time, and begins again when no pod of a shard can start.
func (o scripted) roll() {
	d := o.d
	turn := true
	for i := range d.topology.Spec.Shards {
		shard := &d.topology.Spec.Shards[i]
		var outdated map[string]types.UID
		stuck, ready := 0, true
		for j, m := range shard.Members {
			p, leaving := d.pods[m.Pod], j >= int(shard.Replicas)
			ready = ready && (leaving || p.exists && p.attached && !p.deleting)
			if !p.exists || p.revision == d.revision {
				continue
			}
			if d.broken[p.revision] {
				stuck++
			} else if leaving || !turn {
				continue
			}
			if outdated == nil {
				outdated = map[string]types.UID{}
			}
			outdated[m.Pod] = types.UID(p.observe(d.now).UID)
		}
		if stuck > 0 && stuck == len(shard.Members) {
			for _, m := range shard.Members {
				*d.pods[m.Pod] = simPod{due: d.now.Add(d.some(20))}
			}
			d.say("shard %d begins again", shard.Index)
			return
		}
		holds := outdated != nil || !ready
		turn = turn && !holds
		if !maps.Equal(shard.Replace, outdated) {
			shard.Replace = outdated
			d.topology.Generation++
		}
	}
}

// replacePod carries out the sidecar's action, and checks it: the pod is not needed.
func (d *dataPlane) replacePod(a action.DeletePod) error {
	p, n := d.pods[a.Pod], d.nodes[a.Pod]
	if !p.exists || p.observe(d.now).UID != a.UID {
		return errRefused
	}
	shard := d.shardOf(n.shard)
	if len(shard.Members) > 1 && p.attached && n.master && p.running {
		d.violated("%s is replaced, and it is an attached master", a.Pod)
	}
	for _, m := range shard.Members[:min(len(shard.Members), int(shard.Replicas))] {
		o := d.pods[m.Pod]
		if m.Pod == a.Pod || p.revision == o.revision || !p.running {
			continue
		}
		if !o.exists || o.deleting {
			d.violated("%s is replaced while %s is", a.Pod, m.Pod)
		}
	}
	p.deleting, p.due = true, d.now.Add(d.some(20))
	d.say("%s is replaced", a.Pod)
	return nil
}

// rolled: every pod has the present template.
func (d *dataPlane) rolled() bool {
	for i := range d.topology.Spec.Shards {
		for _, m := range d.topology.Spec.Shards[i].Members {
			if p := d.pods[m.Pod]; !p.exists || p.revision != d.operator.template(m.Pod) {
				return false
			}
		}
	}
	return true
}

// handovers are those of a shard in the journal.
func handovers(st v1alpha1.KVRocksTopologyStatus, shard int32) []string {
	var all []string
	for _, f := range st.Failovers {
		if f.Shard == shard && f.From != f.To { // one that was aborted, because the sidecar crashed, has moved nothing
			all = append(all, fmt.Sprintf("%s %s->%s", f.Cause, f.From, f.To))
		}
	}
	return all
}

// Whichever pod is master, a roll costs one handover; also the second and the third in a row.
func TestARollCostsOneHandover(t *testing.T) {
	for _, replicas := range []int{1, 2, 3, 5} {
		for master := range replicas {
			for _, sentinels := range []int{0, 3} {
				t.Run(fmt.Sprintf("master %d of %d, %d sentinels", master, replicas, sentinels), func(t *testing.T) {
					w := newStandardWorld(uint64(100*replicas+10*master+sentinels), replicas, sentinels)
					rollThrice(t, &w.dataPlane, w, master)
				})
			}
		}
	}
}

func TestARollOfAClusterCostsOneHandoverPerShard(t *testing.T) {
	for master := range 3 {
		t.Run(fmt.Sprintf("masters %d", master), func(t *testing.T) {
			w := newClusterWorld(uint64(7 + master))
			w.healed = true
			for int(w.topology.Spec.Shards[0].Replicas) != 3 {
				w.scaleTo(3)
				for range 100 {
					w.advance()
				}
			}
			rollThrice(t, &w.dataPlane, w, master)
		})
	}
}

func rollThrice(t *testing.T, d *dataPlane, w world, master int) {
	t.Helper()
	defer d.logEnd(t, w.describe)
	d.requireRest(t, w, 3000)
	for i := range d.topology.Spec.Shards {
		shard := &d.topology.Spec.Shards[i]
		for _, m := range shard.Members {
			if m.Pod != shard.Members[min(master, len(shard.Members)-1)].Pod {
				shard.Handoff = append(shard.Handoff, m.Pod)
			}
		}
	}
	d.topology.Generation++
	for range 3000 {
		d.step(w)
	}
	for i := range d.topology.Spec.Shards {
		d.topology.Spec.Shards[i].Handoff = nil
	}
	d.topology.Generation++
	d.requireRest(t, w, 3000)
	for range 3 {
		d.topology.Status.Failovers = nil
		d.revision++
		d.requireRest(t, w, 6000)
		for i := range d.topology.Spec.Shards {
			shard := &d.topology.Spec.Shards[i]
			journal := handovers(d.topology.Status, shard.Index)
			if len(journal) != min(len(shard.Members)-1, 1) {
				t.Fatalf("shard %d: %v", shard.Index, journal)
			}
		}
	}
}
