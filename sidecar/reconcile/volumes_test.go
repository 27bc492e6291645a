package reconcile

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/action"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/report"
)

// growing is the instance orders of two pods, whose claims of 10Gi are to have 20Gi.
func growing(t *testing.T) (*world, types.NamespacedName) {
	t.Helper()
	w := newWorld(t)
	key := w.standard("orders", 2)
	w.cluster.topologies[key].Spec.Storage = &v1alpha1.TopologyStorage{Size: resource.MustParse("20Gi")}
	w.cluster.claims = map[string]*corev1.PersistentVolumeClaim{}
	for _, name := range []string{"data-orders-0", "data-orders-1"} {
		claim := &corev1.PersistentVolumeClaim{ObjectMeta: metav1.ObjectMeta{Name: name}}
		claim.Spec.Resources.Requests = corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("10Gi")}
		claim.Status = corev1.PersistentVolumeClaimStatus{
			Phase: corev1.ClaimBound, Capacity: corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("10Gi")},
		}
		w.cluster.claims[name] = claim
	}
	w.plan = plan.Plan{Status: status(1)}
	return w, key
}

func (w *world) storageReady() metav1.Condition {
	w.t.Helper()
	c := meta.FindStatusCondition(w.reported.Conditions, v1alpha1.ConditionStorageReady)
	require.NotNil(w.t, c)
	return *c
}

func TestVolumesAreExpandedOnceAndReported(t *testing.T) {
	w, key := growing(t)
	_, err := w.Reconcile(t.Context(), key)
	require.NoError(t, err)
	assert.Equal(t, []string{
		"expand data-orders-0 to 20Gi", "expand data-orders-1 to 20Gi", "status 1", "event orders VolumeExpansionStarted",
	}, happened(w.journal.take()))
	assert.Equal(t, "VolumesExpanding", w.storageReady().Reason)
	assert.Equal(t, "20Gi", w.reported.Volumes.Data.String())

	w.cluster.topologies[key].Status = w.reported
	_, err = w.Reconcile(t.Context(), key)
	require.NoError(t, err)
	assert.Empty(t, happened(w.journal.take()))
}

// The instance whose volumes are full may be the one whose passes fail.
func TestVolumesAreExpandedAlsoWhenAnActionFails(t *testing.T) {
	w, key := growing(t)
	w.plan.Actions = []action.Action{action.Promote{Pod: "orders-0"}}
	w.node("orders-0").fail = func(what string) error {
		if what == "promote" {
			return errors.New("no space left on device")
		}
		return nil
	}
	_, err := w.Reconcile(t.Context(), key)
	require.Error(t, err)
	assert.Contains(t, w.journal.take(), "expand data-orders-0 to 20Gi")
}

func TestARefusedExpansionIsReportedAndTriedAgainAfterAMinute(t *testing.T) {
	w, key := growing(t)
	claims := schema.GroupResource{Resource: "persistentvolumeclaims"}
	w.refuseExpansion = apierrors.NewForbidden(claims, "data-orders-0", errors.New("exceeded quota: team"))
	pass := func() []string {
		w.clock = w.clock.Add(time.Second)
		_, err := w.Reconcile(t.Context(), key)
		require.NoError(t, err, "a refusal keeps nothing else from being done")
		w.cluster.topologies[key].Status = w.reported
		return happened(w.journal.take())
	}
	assert.Equal(t, []string{
		"expand data-orders-0 to 20Gi", "expand data-orders-1 to 20Gi", "status 1", "event orders QuotaExceeded",
	}, pass())
	assert.Equal(t, "data-orders-0, data-orders-1: it has 10Gi, and 20Gi is refused: exceeded quota: team; raise the quota, or write a size that fits",
		w.storageReady().Message)
	assert.Empty(t, pass())

	wanted := w.cluster.topologies[key].Spec.Storage
	wanted.Size = resource.MustParse("10Gi")
	pass()
	wanted.Size = resource.MustParse("20Gi")
	assert.Contains(t, pass(), "expand data-orders-0 to 20Gi", "a size that was taken back is asked for at once when it is wanted again")

	w.clock = w.clock.Add(time.Minute)
	w.refuseExpansion = nil
	w.planner.sameReport = report.Same
	assert.Equal(t, []string{
		"expand data-orders-0 to 20Gi", "expand data-orders-1 to 20Gi", "status 1", "event orders VolumeExpansionStarted",
	}, pass())
}

func TestWhatIsNoRefusalIsTriedAgainAtOnce(t *testing.T) {
	claims := schema.GroupResource{Resource: "persistentvolumeclaims"}
	for name, err := range map[string]error{
		"changed meanwhile": apierrors.NewConflict(claims, "data-orders-0", errors.New("newer")),
		"gone":              apierrors.NewNotFound(claims, "data-orders-0"),
		"overloaded":        apierrors.NewTooManyRequests("later", 1),
		"broken":            apierrors.NewInternalError(errors.New("no etcd")),
		"no connection":     errors.New("connection refused"),
	} {
		t.Run(name, func(t *testing.T) {
			w, key := growing(t)
			w.refuseExpansion = err
			for range 2 {
				_, err := w.Reconcile(t.Context(), key)
				require.NoError(t, err)
				assert.Contains(t, w.journal.take(), "expand data-orders-0 to 20Gi")
			}
			assert.Equal(t, "VolumesExpanding", w.storageReady().Reason)
		})
	}
}

func TestClaimsThatCannotBeReadHoldNothingUp(t *testing.T) {
	w, key := growing(t)
	w.cluster.claims = nil
	_, err := w.Reconcile(t.Context(), key)
	require.NoError(t, err)
	assert.Equal(t, []string{"status 1"}, happened(w.journal.take()))
	assert.Equal(t, metav1.ConditionUnknown, w.storageReady().Status)
}
