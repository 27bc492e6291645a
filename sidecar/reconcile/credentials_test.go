package reconcile

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/conn"
	"github.com/kvrocks/kvrocks-operator/sidecar/kube/kubetest"
	"github.com/kvrocks/kvrocks-operator/sidecar/kvrocks"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/action"
)

func TestSecretThatCannotBeReadIsReportedAndChangesNothing(t *testing.T) {
	w := newWorld(t)
	key := w.standard("orders", 1)
	w.cluster.topologies[key].Spec.PasswordSecret = &v1alpha1.SecretKeyRef{Name: "missing"}
	_, err := w.Reconcile(t.Context(), key)
	require.NoError(t, err)
	assert.Equal(t, plan.Credentials{Err: "Secret missing does not exist"}, w.seen[0].Credentials)

	w.secret("missing", map[string]string{"other": "x"})
	w.clock = w.clock.Add(time.Minute)
	_, err = w.Reconcile(t.Context(), key)
	require.NoError(t, err)
	assert.Equal(t, "Secret missing has no key password, or it is empty", w.seen[1].Credentials.Err)
}

func TestNodeThatTookAPreviousPasswordIsStaleUntilItIsGivenTheWantedOne(t *testing.T) {
	w := newWorld(t)
	key := w.standard("orders", 2)
	w.secret("a", map[string]string{"password": "new", v1alpha1.PreviousPasswordKey: "old"})
	w.cluster.topologies[key].Spec.PasswordSecret = &v1alpha1.SecretKeyRef{Name: "a"}
	takes := map[string]kvrocks.Secret{"10.0.6.0:6379": "new", "10.0.6.1:6379": "old"}
	w.network.Node = func(addr string, o kvrocks.Options) conn.DataNode {
		n := *w.nodes[addr]
		n.settings = map[string]string{settingRequirePass: string(takes[addr]), settingMasterAuth: string(takes[addr])}
		n.fail = func(what string) error {
			switch {
			case o.Password != takes[addr]:
				return &kvrocks.Error{Kind: kvrocks.ErrWrongPassword}
			case what == "CONFIG SET requirepass new":
				takes[addr] = "new"
			}
			return nil
		}
		return &n
	}
	w.plan = plan.Plan{Actions: []action.Action{action.ApplyPassword{Pod: "orders-1"}}}
	_, err := w.Reconcile(t.Context(), key)
	require.NoError(t, err)
	assert.Equal(t, []string{"orders-1"}, w.seen[0].Credentials.Stale)
	assert.Equal(t, "no", w.seen[0].Nodes["orders-1"].Config[masterAuthMatches])
	assert.Subset(t, w.journal.take(), []string{"10.0.6.1 CONFIG SET masterauth new", "10.0.6.1 CONFIG SET requirepass new"})

	w.plan = plan.Plan{}
	_, err = w.Reconcile(t.Context(), key)
	require.NoError(t, err)
	assert.Empty(t, w.seen[1].Credentials.Stale)
	assert.Equal(t, "yes", w.seen[1].Nodes["orders-1"].Config[masterAuthMatches])
}

// secret creates or replaces a Secret.
func (w *world) secret(name string, data map[string]string) {
	s := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: kubetest.Namespace, Name: name}, Data: map[string][]byte{}}
	for k, v := range data {
		s.Data[k] = []byte(v)
	}
	_ = w.client.Tracker().Delete(corev1.SchemeGroupVersion.WithResource("secrets"), kubetest.Namespace, name)
	require.NoError(w.t, w.client.Tracker().Add(s))
}
