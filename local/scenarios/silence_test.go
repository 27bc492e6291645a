package scenarios

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

// A pod that is deleted by force is replaced as master before the sentinels would call it down, and since its process still
// answers for a moment it hands over, so that nothing is lost.
func TestKnownDeathDoesNotWaitForTheSentinels(t *testing.T) {
	t.Parallel()
	s, w := underLoad(t, "orders")
	s.patch("orders", `{"spec":{"failover":{"downAfterMilliseconds":30000}}}`)
	s.ready("orders", readyWithin)
	s.agreed("watch", "orders")
	before, p := s.master("orders"), s.pulse()
	killed := time.Now()
	s.forceDelete(before)
	s.another("orders", before)
	s.resumed(w, time.Now(), 30*time.Second)
	p.within(t, 2*time.Second, "a death that Kubernetes reports must not wait for the sentinels", w.longestGap(killed))
	acked := w.finish()
	record := s.journal("orders")
	t.Logf("journal: %+v; errors %v", record, w.seen())
	after := s.replaced("orders", before)
	missing := s.missing(s.direct(after, password), acked)
	if record.Cause == v1alpha1.CauseHandover {
		assert.Empty(t, missing, "it handed over")
	}
	t.Logf("%d acknowledged, %d missing", acked, len(missing))
	s.agreed("watch", "orders")
}

// Two of three sentinels are stopped for 3 s every 16 s, as on a machine that is short of processors: that keeps them in TILT, in
// which they call no master down.
func TestSentinelsInTiltAreNamedAndOverruled(t *testing.T) {
	t.Parallel()
	s, w := underLoad(t, "orders")
	before, p := s.master("orders"), s.pulse()
	var processes []int
	for _, pod := range slices.Sorted(maps.Keys(s.pods("watch")))[:2] {
		processes = append(processes, s.process(pod))
	}
	ctx, cancel := context.WithCancel(s.ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			for _, pid := range processes {
				_ = syscall.Kill(pid, syscall.SIGSTOP)
			}
			time.Sleep(3 * time.Second)
			for _, pid := range processes {
				_ = syscall.Kill(pid, syscall.SIGCONT)
			}
			select {
			case <-ctx.Done():
			case <-time.After(13 * time.Second):
			}
		}
	}()
	defer func() { cancel(); <-done }()
	s.condition("orders", v1alpha1.ConditionSentinelAgreed, metav1.ConditionFalse, time.Minute, "SentinelTilt")

	stopped := time.Now()
	s.signal(before, syscall.SIGSTOP)
	s.another("orders", before)
	s.resumed(w, time.Now(), 30*time.Second)
	// 5 s of patience beyond down-after; while both are stopped nothing can be taken away from them.
	p.within(t, downAfter+12*time.Second, "the sidecar must decide when the sentinels do not", w.longestGap(stopped))
	w.finish()
	t.Logf("journal: %+v", s.journal("orders"))
	s.signal(before, syscall.SIGCONT)
	cancel()
	<-done
	s.ready("orders", readyWithin)
	assert.NotEqual(t, before, s.master("orders"))
	s.agreed("watch", "orders")
}

// The password of a sentinel instance changes live: no pod is replaced, no failover begins, and at no moment does a sentinel take
// another for down.
func TestSentinelsTakeAChangedPasswordLive(t *testing.T) {
	t.Parallel()
	s := begin(t)
	s.apply(sentinelCR("watch", 3) + "  password: first-password\n---" + standardCR("orders", 3, "watch"))
	s.ready("watch", readyWithin)
	s.ready("orders", readyWithin)
	ask := func(pod, password string, args ...any) (any, error) {
		c := s.sentinel(pod, password)
		defer func() { _ = c.Close() }()
		return c.Do(s.ctx, args...).Result()
	}
	pods := s.pods("watch")
	acquainted := func(password string) error {
		for pod := range pods {
			answer, err := ask(pod, password, "SENTINEL", "CKQUORUM", "orders")
			if err != nil {
				return fmt.Errorf("%s: %w", pod, err)
			}
			if err := expectContains(fmt.Sprint(answer), "OK 3 usable Sentinels"); err != nil {
				return err
			}
		}
		return nil
	}
	s.eventually("every sentinel can reach the others", time.Minute, func() error { return acquainted("first-password") })
	before := s.master("orders")

	s.patch("watch", `{"spec":{"password":"second\"password"}}`)
	s.eventually("every sentinel takes the new password", 2*time.Minute, func() error { return acquainted(`second"password`) })
	s.eventually("none takes the old one", time.Minute, func() error {
		for pod := range pods {
			if _, err := ask(pod, "first-password", "PING"); err == nil {
				return errors.New(pod + " does")
			}
		}
		return nil
	})
	for pod := range pods { // so that they have to log in to each other again
		_, err := ask(pod, `second"password`, "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
		require.NoError(t, err)
	}
	s.eventually("every sentinel can reach the others", time.Minute, func() error { return acquainted(`second"password`) })
	s.condition("watch", v1alpha1.ConditionCredentialsApplied, metav1.ConditionTrue, time.Minute, "Applied")
	for name, pod := range s.pods("watch") {
		assert.Equal(t, pods[name].UID, pod.UID, "no sentinel is replaced")
	}
	assert.Equal(t, before, s.master("orders"))
	topology, err := s.topology("orders")
	require.NoError(t, err)
	assert.Empty(t, topology.Status.Failovers)

	// A restarted container keeps its file, in which sentinel writes passwords as they are.
	pod := slices.Sorted(maps.Keys(pods))[0]
	s.signal(pod, syscall.SIGKILL)
	s.eventually("it is back", time.Minute, func() error {
		if s.pod(pod).Status.ContainerStatuses[0].RestartCount == 0 {
			return errors.New("not restarted")
		}
		return acquainted(`second"password`)
	})
}
