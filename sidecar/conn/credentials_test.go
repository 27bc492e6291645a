package conn

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

// store is an API server with Secrets, and the topology of orders.
type store struct {
	t        *testing.T
	client   *fake.Clientset
	topology *v1alpha1.KVRocksTopology
	clock    time.Time
}

func newStore(t *testing.T, secret string) *store {
	s := &store{t: t, client: fake.NewClientset(), clock: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	s.topology = &v1alpha1.KVRocksTopology{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "orders", Generation: 1}}
	s.topology.Spec.PasswordSecret = &v1alpha1.SecretKeyRef{Name: secret}
	return s
}

// secret creates or replaces a Secret.
func (s *store) secret(name string, data map[string]string) {
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: name}, Data: map[string][]byte{}}
	for k, v := range data {
		secret.Data[k] = []byte(v)
	}
	_ = s.client.Tracker().Delete(corev1.SchemeGroupVersion.WithResource("secrets"), "ns", name)
	require.NoError(s.t, s.client.Tracker().Add(secret))
}

// gets counts the reads of Secrets since the last call.
func (s *store) gets() int {
	n := 0
	for _, a := range s.client.Actions() {
		if _, ok := a.(clienttesting.GetAction); ok && a.GetResource().Resource == "secrets" {
			n++
		}
	}
	s.client.ClearActions()
	return n
}

func TestSecretIsReadRarelyAndAtOnceWhenItIsNamedAnew(t *testing.T) {
	w := newStore(t, "a")
	topology := w.topology
	w.secret("a", map[string]string{"password": "pw-a\n"})
	w.secret("b", map[string]string{"pass": "pw-b", v1alpha1.PreviousPasswordKey: "pw-a"})
	var c Credentials
	refresh := func(refused bool) {
		c.Refresh(t.Context(), w.client.CoreV1(), topology, w.clock, 30*time.Second, refused)
	}
	refresh(false)
	assert.Equal(t, Passwords{Wanted: "pw-a"}, c.Passwords(), "the line end is not part of it")
	refresh(false)
	assert.Equal(t, 1, w.gets())

	w.clock = w.clock.Add(3 * time.Second)
	refresh(true)
	assert.Equal(t, 1, w.gets(), "a refused password is read again soon")

	topology.Spec.PasswordSecret = &v1alpha1.SecretKeyRef{Name: "b", Key: "pass"}
	refresh(false)
	assert.Equal(t, Passwords{Wanted: "pw-b", Previous: "pw-a"}, c.Passwords())

	topology.Spec.PasswordSecret = nil
	refresh(false)
	assert.Zero(t, c.Passwords())
}

func TestChangeOfAPasswordIsRememberedWhenTheSecretDoesNot(t *testing.T) {
	w := newStore(t, "a")
	topology := w.topology
	var c Credentials
	for _, p := range []string{"one", "two", "two"} {
		w.secret("a", map[string]string{"password": p})
		c.Refresh(t.Context(), w.client.CoreV1(), topology, w.clock, 0, false)
	}
	assert.Equal(t, Passwords{Wanted: "two", Previous: "one"}, c.Passwords())
}

func TestSecretIsReadAgainForEveryChangeOfTheTopology(t *testing.T) {
	w := newStore(t, "a")
	topology := w.topology
	var c Credentials
	for generation, p := range []string{"one", "two"} {
		w.secret("a", map[string]string{"password": p})
		topology.Generation = int64(generation + 1)
		c.Refresh(t.Context(), w.client.CoreV1(), topology, w.clock, time.Hour, false)
		assert.Equal(t, p, string(c.Passwords().Wanted), "the report on this topology would be about an older password")
	}
	assert.Equal(t, 2, w.gets())
}
