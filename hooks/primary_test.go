package hooks

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

func TestTheNamedPrimaryGoesToTheShardThatItIsOf(t *testing.T) {
	w := settled(t, example(t, "cluster-minimal.yaml"))
	before := w.moves
	w.change(func(cr *v1alpha1.KVRocks) { cr.Spec.Primaries = []string{"shards-2-1", "shards-0-2"} })
	w.sync()
	named := make([]string, 0, 3)
	for i := range w.topology().Spec.Shards {
		named = append(named, w.topology().Spec.Shards[i].Primary)
	}
	assert.Equal(t, []string{"shards-0-2", "", "shards-2-1"}, named)
	w.settle()
	assert.Equal(t, v1alpha1.PhaseRunning, w.cr.Status.Phase)
	assert.Equal(t, 2, w.moves-before)
}

// Until the move is made Ready of the new generation is not True, so that it can be waited for.
func TestASwitchOfThePrimaryIsProgress(t *testing.T) {
	w := settled(t, example(t, "standard-minimal.yaml"))
	w.change(func(cr *v1alpha1.KVRocks) { cr.Spec.Primary = "demo-2" })
	w.sync()
	assert.Equal(t, metav1.ConditionUnknown, meta.FindStatusCondition(w.cr.Status.Conditions, v1alpha1.ConditionPrimaryPlaced).Status)
	w.confirm()
	meta.SetStatusCondition(&w.topology().Status.Conditions, metav1.Condition{
		Type: v1alpha1.ConditionPrimaryPlaced, Status: metav1.ConditionFalse, Reason: v1alpha1.ReasonSwitchingPrimary,
		Message: "demo-2 is to be master: it has no pod yet", ObservedGeneration: w.topology().Generation,
	})
	w.sync()
	for kind, want := range map[string]metav1.ConditionStatus{
		v1alpha1.ConditionReady: metav1.ConditionFalse, v1alpha1.ConditionProgressing: metav1.ConditionTrue, v1alpha1.ConditionDegraded: metav1.ConditionFalse,
	} {
		c := meta.FindStatusCondition(w.cr.Status.Conditions, kind)
		require.NotNil(t, c)
		assert.Equal(t, want, c.Status, kind)
		assert.Equal(t, v1alpha1.ReasonSwitchingPrimary, c.Reason, kind)
	}
	w.settle()
	assert.Equal(t, "demo-2", w.cr.Status.Master)
	assert.Equal(t, v1alpha1.PhaseRunning, w.cr.Status.Phase)

	w.change(func(cr *v1alpha1.KVRocks) { cr.Spec.Primary = "" })
	w.settle()
	assert.Nil(t, meta.FindStatusCondition(w.cr.Status.Conditions, v1alpha1.ConditionPrimaryPlaced))
	assert.Equal(t, "demo-2", w.cr.Status.Master)
}
