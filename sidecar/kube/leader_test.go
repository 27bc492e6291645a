package kube

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kvrocks/kvrocks-operator/sidecar/kube/kubetest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
)

func candidate(identity string) LeaseOptions {
	return LeaseOptions{
		Namespace: kubetest.Namespace, Name: "sidecar", Identity: identity,
		Duration: 3 * time.Second, RenewDeadline: 2 * time.Second, RetryPeriod: 20 * time.Millisecond,
	}
}

func holder(t *testing.T, client *fake.Clientset) string {
	t.Helper()
	lease, err := client.CoordinationV1().Leases(kubetest.Namespace).Get(t.Context(), "sidecar", metav1.GetOptions{})
	require.NoError(t, err)
	if lease.Spec.HolderIdentity == nil {
		return ""
	}
	return *lease.Spec.HolderIdentity
}

func TestLeaderFinishesItsWorkBeforeItGivesTheLeaseAway(t *testing.T) {
	client := fake.NewClientset()
	ctx, stop := context.WithCancel(t.Context())
	leading, finish, ended := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		ended <- Lead(ctx, client, candidate("a"), func(ctx context.Context) {
			close(leading)
			<-ctx.Done()
			<-finish // a pass that takes its time
		})
	}()
	<-leading
	stop()

	var second atomic.Bool
	took := make(chan struct{})
	waiting, stopWaiting := context.WithCancel(t.Context())
	secondEnded := make(chan error, 1)
	go func() {
		secondEnded <- Lead(waiting, client, candidate("b"), func(ctx context.Context) {
			second.Store(true)
			close(took)
			<-ctx.Done()
		})
	}()
	time.Sleep(10 * candidate("").RetryPeriod) // several tries of b; there is no condition to wait for
	assert.False(t, second.Load(), "two leaders")
	assert.Equal(t, "a", holder(t, client))

	close(finish)
	require.NoError(t, <-ended)
	select {
	case <-took:
	case <-time.After(10 * time.Second):
		t.Fatal("nobody took over")
	}
	assert.Equal(t, "b", holder(t, client))
	stopWaiting()
	require.NoError(t, <-secondEnded)
	assert.Empty(t, holder(t, client))
}

func TestReplicaThatWaitsStopsAtOnce(t *testing.T) {
	client := fake.NewClientset()
	ctx, stop := context.WithCancel(t.Context())
	leading := make(chan struct{})
	first := make(chan error, 1)
	go func() {
		first <- Lead(ctx, client, candidate("a"), func(ctx context.Context) { close(leading); <-ctx.Done() })
	}()
	<-leading
	waiting, stopWaiting := context.WithCancel(t.Context())
	second := make(chan error, 1)
	go func() {
		second <- Lead(waiting, client, candidate("b"), func(context.Context) { t.Error("two leaders") })
	}()
	stopWaiting()
	require.NoError(t, <-second)
	stop()
	require.NoError(t, <-first)
}

func TestLostLeaseStopsTheWorkAndIsAnError(t *testing.T) {
	client := fake.NewClientset()
	var away atomic.Bool
	client.PrependReactor("*", "leases", func(clienttesting.Action) (bool, runtime.Object, error) {
		return away.Load(), nil, errors.New("no API server")
	})
	leading := make(chan struct{})
	ended := make(chan error, 1)
	stopped := make(chan struct{})
	go func() {
		ended <- Lead(t.Context(), client, candidate("a"), func(ctx context.Context) {
			close(leading)
			<-ctx.Done()
			close(stopped)
		})
	}()
	<-leading
	away.Store(true)
	var err error
	select {
	case err = <-ended:
	case <-time.After(20 * time.Second):
		t.Fatal("it goes on without the lease")
	}
	require.ErrorContains(t, err, "lost the lease")
	<-stopped
}
