package plan

import (
	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

// paused reports whether no planned change may be begun. A pod that others delete ends all the same, so a handover loses less than the
// failover in its place.
func (p *facts) paused() bool { return p.in.Topology.Spec.Paused }

// tellPause emits an event, once, when planned changes are held or go on.
func (o *outcome) tellPause(t *v1alpha1.KVRocksTopology) {
	switch before := meta.FindStatusCondition(t.Status.Conditions, v1alpha1.ConditionPaused); {
	case t.Spec.Paused && before == nil:
		o.Event("Paused", "no planned change is begun; failover goes on")
	case !t.Spec.Paused && before != nil:
		o.Event("Resumed", "planned changes go on")
	}
}
