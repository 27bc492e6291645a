package scenarios

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/utils/ptr"
)

// deletePods deletes pods with the grace that they ask for, as a drained machine would.
func (s *scenario) deletePods(pods ...string) {
	s.Helper()
	for _, pod := range pods {
		require.NoError(s, s.kube.CoreV1().Pods(s.namespace).Delete(s.ctx, pod, metav1.DeleteOptions{}))
	}
}

// withoutGrace deletes a pod at once.
func withoutGrace() metav1.DeleteOptions {
	return metav1.DeleteOptions{GracePeriodSeconds: ptr.To[int64](0)}
}

// forceDelete deletes pods without any grace, as a lost machine would.
func (s *scenario) forceDelete(pods ...string) {
	s.Helper()
	for _, pod := range pods {
		require.NoError(s, s.kube.CoreV1().Pods(s.namespace).Delete(s.ctx, pod, withoutGrace()))
	}
}

// keepAway deletes a pod without any grace, and each that is made in its place, as if its machine had gone, until the
// function that it returns is called.
func (s *scenario) keepAway(pod string) (release func()) {
	s.Helper()
	ctx, cancel := context.WithCancel(s.ctx)
	watcher, err := s.kube.CoreV1().Pods(s.namespace).Watch(ctx, metav1.SingleObject(metav1.ObjectMeta{Name: pod}))
	require.NoError(s, err)
	s.forceDelete(pod)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for event := range watcher.ResultChan() {
			if event.Type == watch.Added && ctx.Err() == nil {
				_ = s.kube.CoreV1().Pods(s.namespace).Delete(ctx, pod, withoutGrace())
			}
		}
	}()
	var once sync.Once
	release = func() { once.Do(func() { cancel(); watcher.Stop(); <-done }) }
	s.Cleanup(release)
	return release
}

// loseVolumes deletes pods and their volume claims at once, as a lost machine with local disks would.
func (s *scenario) loseVolumes(pods ...string) {
	s.Helper()
	claims := s.kube.CoreV1().PersistentVolumeClaims(s.namespace)
	old := map[string]types.UID{}
	for _, pod := range pods {
		claim, err := claims.Get(s.ctx, "data-"+pod, metav1.GetOptions{})
		require.NoError(s, err)
		old[pod] = claim.UID
		require.NoError(s, claims.Delete(s.ctx, claim.Name, metav1.DeleteOptions{}))
	}
	s.forceDelete(pods...)
	s.eventually(fmt.Sprintf("new volume claims for %v", pods), time.Minute, func() error {
		for _, pod := range pods {
			now, err := claims.Get(s.ctx, "data-"+pod, metav1.GetOptions{})
			if err != nil {
				return err
			}
			if now.UID != old[pod] {
				continue
			}
			// The StatefulSet may have re-created the pod before the old claim was gone; then it waits for the claim.
			if object, err := s.kube.CoreV1().Pods(s.namespace).Get(s.ctx, pod, metav1.GetOptions{}); err == nil && object.Status.PodIP == "" {
				_ = s.kube.CoreV1().Pods(s.namespace).Delete(s.ctx, pod, metav1.DeleteOptions{})
			}
			return fmt.Errorf("%s is still the old one", now.Name)
		}
		return nil
	})
}
