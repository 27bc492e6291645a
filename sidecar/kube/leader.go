package kube

import (
	"context"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
)

// LeaseOptions are the settings of the leader election.
type LeaseOptions struct {
	// Namespace and Name of the Lease.
	Namespace, Name string
	// Identity of this replica; unique among the replicas.
	Identity string
	// Duration is how long others wait for a leader that went silent.
	Duration time.Duration
	// RenewDeadline is how long the leader tries to renew before it stops. The difference to Duration is the time that a
	// command in flight may still take.
	RenewDeadline time.Duration
	// RetryPeriod is the pause between tries.
	RetryPeriod time.Duration
}

// Lead waits for the lease and runs work while it is held. It returns when ctx has ended and work has returned, giving
// the lease away at the very end, or with an error when the lease was lost: what this process believes may be out of date
// then, and it is best started again.
func Lead(ctx context.Context, client kubernetes.Interface, o LeaseOptions, work func(context.Context)) error {
	// The election outlives ctx: the lease is held until the last pass has ended.
	election, endElection := context.WithCancel(context.WithoutCancel(ctx))
	defer endElection()
	working := make(chan struct{}) // closed when work has returned
	elector, err := leaderelection.NewLeaderElector(leaderelection.LeaderElectionConfig{
		Lock: &resourcelock.LeaseLock{
			LeaseMeta:  metav1.ObjectMeta{Namespace: o.Namespace, Name: o.Name},
			Client:     client.CoordinationV1(),
			LockConfig: resourcelock.ResourceLockConfig{Identity: o.Identity},
		},
		Name:            o.Name,
		LeaseDuration:   o.Duration,
		RenewDeadline:   o.RenewDeadline,
		RetryPeriod:     o.RetryPeriod,
		ReleaseOnCancel: true,
		Callbacks: leaderelection.LeaderCallbacks{
			OnStartedLeading: func(leading context.Context) {
				defer close(working)
				leading, stop := context.WithCancel(leading)
				defer stop()
				defer context.AfterFunc(ctx, stop)()
				work(leading)
				if ctx.Err() != nil {
					endElection()
				}
			},
			OnStoppedLeading: func() {},
		},
	})
	if err != nil {
		return fmt.Errorf("configure the leader election: %w", err)
	}
	// A replica that only waits has nothing to finish.
	defer context.AfterFunc(ctx, func() {
		if !elector.IsLeader() {
			endElection()
		}
	})()
	elector.Run(election)
	if ctx.Err() != nil {
		return nil
	}
	<-working
	return fmt.Errorf("lost the lease %s/%s", o.Namespace, o.Name)
}
