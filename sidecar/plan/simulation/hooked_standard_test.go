package simulation

import (
	"flag"
	"fmt"
	"testing"

	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

var hookedSeeds = flag.Int("hookedseeds", 20, "number of simulated lives in which the hooks make the topology")

// TestSimulatedLivesWithHooks runs the whole loop, hooks and planner, through random lives of a standard instance: what
// TestSimulatedLives has, and edits of the KVRocks at any moment, answers of the hooks on facts that are out of date, StatefulSets whose
// controller is late, containers that Kubernetes starts again only after a pause, and at last its deletion. Besides the safety rules: a
// call of the hook that is repeated gives the same bytes, Ready of a generation is True only when everything is of it, and no pod is
// removed that is needed.
func TestSimulatedLivesWithHooks(t *testing.T) {
	simulate(t, *hookedSeeds, func(t *testing.T, seed uint64) {
		w := &standardWorld{newDataPlane(seed, 41, v1alpha1.TypeStandard)}
		cr := hookedInstance(v1alpha1.TypeStandard, []int32{1, 2, 3, 3, 5}[w.rng.IntN(5)])
		if sentinels := []int{0, 3, 3}[w.rng.IntN(3)]; sentinels > 0 {
			cr.Labels = map[string]string{v1alpha1.LabelMonitoredBy: "watch"}
			w.watch(sentinels)
		}
		h := newHooked(t, &w.dataPlane, cr)
		w.boundLoss()
		defer w.logEnd(t, func() string { return h.describe() + w.describe() })
		w.live(t, w, 400, 3000)
		h.requireDeleted(t, w)
	})
}

// hookedInstance is what is wanted at first.
func hookedInstance(mode v1alpha1.InstanceType, replicas int32) *v1alpha1.KVRocks {
	return &v1alpha1.KVRocks{Spec: v1alpha1.KVRocksSpec{
		Type: mode, Replicas: replicas, Image: "registry.example/kvrocks:first",
		Failover: &v1alpha1.Failover{DownAfterMilliseconds: 1000, FailoverTimeoutMilliseconds: 5000, ParallelSyncs: 1, MaxLagSeconds: 10},
		Storage:  &v1alpha1.Storage{Size: resource.MustParse("10Gi")},
	}}
}

// edit is a change of the KVRocks by a person, or a fault of what only these lives have.
func (h *hooked) edit(victim string) bool {
	d := h.d
	if d.rng.IntN(4) > 0 {
		return false
	}
	switch d.rng.IntN(6) {
	case 0, 1:
		value := v1alpha1.ConfigValue(fmt.Sprint(1000 + d.rng.IntN(5)))
		h.change("maxclients "+string(value), func(cr *v1alpha1.KVRocks) {
			cr.Spec.KVRocksConfig = v1alpha1.KVRocksConfig{"maxclients": value}
		})
	case 2:
		h.change("no settings", func(cr *v1alpha1.KVRocks) { cr.Spec.KVRocksConfig = nil })
	case 3:
		h.awayUntil = d.now.Add(d.some(60))
		d.say("FAULT the hooks are away until %s", h.awayUntil.Format("04:05.0"))
	case 4:
		d.loseSidecar(victim)
	case 5:
		if p := d.pods[victim]; p.running {
			d.kill(victim)
			p.backingOff, p.due = true, d.now.Add(d.some(100))
		}
	}
	return true
}

// requireDeleted deletes the instance and waits until it is gone.
func (h *hooked) requireDeleted(t *testing.T, w world) {
	t.Helper()
	h.delete()
	for range 1500 {
		if h.d.step(w); h.gone {
			return
		}
		h.d.requireUnbroken(t)
	}
	t.Fatalf("the instance is not gone: %s", h.cr.Status.Reason)
}

// delete is a person who deletes the instance.
func (h *hooked) delete() {
	h.cr = h.cr.DeepCopy()
	h.cr.DeletionTimestamp = &metav1.Time{Time: h.d.now}
	h.cr.Generation++
	h.d.say("the instance is to be deleted")
}

func (h *hooked) describe() string {
	return fmt.Sprintf("%s: %s\n", h.cr.Status.Phase, h.cr.Status.Reason)
}
