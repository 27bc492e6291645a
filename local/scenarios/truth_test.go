package scenarios

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

// kubectl works in the namespace of the scenario.
func (s *scenario) kubectl(args ...string) {
	s.Helper()
	s.shell("kubectl", append([]string{"--namespace", s.namespace}, args...)...)
}

// waitReady is what people write into their scripts.
func (s *scenario) waitReady(name string) {
	s.Helper()
	s.kubectl("wait", "--for=condition=Ready", "kvrocks/"+name, "--timeout="+readyWithin.String())
}

// kubectl apply && kubectl wait never returns early. What was asked for is read from the nodes and
// the sentinels themselves, once, at the moment at which the wait returns.
func TestWaitingForReadyNeverReturnsEarly(t *testing.T) {
	t.Parallel()
	s := begin(t)
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "mine"}, StringData: map[string]string{"password": password}}
	_, err := s.kube.CoreV1().Secrets(s.namespace).Create(s.ctx, secret, metav1.CreateOptions{})
	require.NoError(t, err)
	s.apply(sentinelCR("watch", 3) + "---" + strings.Replace(standardCR("orders", 2, "watch"), "password: "+password, "passwordSecretRef: {name: mine}", 1))
	s.apply(standardCR("plain", 1, "")) // with spec.password
	s.waitReady("watch")
	s.waitReady("orders")
	pods := s.dataPods("orders")
	require.Len(t, pods, 2)
	for round := range 3 {
		t.Run(fmt.Sprintf("round %d", round), func(t *testing.T) {
			clients := 1000 + round
			s.patch("orders", fmt.Sprintf(`{"spec":{"kvrocksConfig":{"maxclients":"%d"}}}`, clients))
			s.waitReady("orders")
			for pod := range pods {
				got, err := s.direct(pod, password).ConfigGet(s.ctx, "maxclients").Result()
				require.NoError(t, err)
				assert.Equal(t, fmt.Sprint(clients), got["maxclients"], pod)
			}
			downAfter := 2001 + round
			s.patch("orders", fmt.Sprintf(`{"spec":{"failover":{"downAfterMilliseconds":%d}}}`, downAfter))
			s.waitReady("orders")
			require.NoError(t, s.eachSentinel("watch", func(name string, c *redis.SentinelClient) error {
				view, err := c.Master(s.ctx, "orders").Result()
				assert.Equal(t, fmt.Sprint(downAfter), view["down-after-milliseconds"], name)
				return err
			}))
		})
	}
	t.Run("a changed Secret, once it is known", func(t *testing.T) {
		patch := []byte(`{"stringData":{"password":"another-one","previous-password":"` + password + `"}}`)
		changed, err := s.kube.CoreV1().Secrets(s.namespace).Patch(s.ctx, "mine", types.MergePatchType, patch, metav1.PatchOptions{})
		require.NoError(t, err)
		s.eventually("the hooks know the Secret", 10*time.Second, func() error {
			topology, err := s.topology("orders")
			if err == nil && topology.Spec.PasswordSecretVersion != changed.ResourceVersion {
				err = fmt.Errorf("version %s", topology.Spec.PasswordSecretVersion)
			}
			return err
		})
		s.waitReady("orders")
		for pod := range pods {
			assert.NoError(t, s.direct(pod, "another-one").Ping(s.ctx).Err(), pod)
		}
	})
	t.Run("spec.password", func(t *testing.T) {
		s := s.part(t)
		s.waitReady("plain")
		s.patch("plain", `{"spec":{"password":"second"}}`)
		s.waitReady("plain")
		s.onlyTakes("plain", "second", password)
	})
	t.Run("spec.password of sentinels", func(t *testing.T) {
		s.patch("watch", `{"spec":{"password":"second"}}`)
		s.waitReady("watch")
		require.NoError(t, s.eachSentinel("watch", func(pod string, c *redis.SentinelClient) error {
			require.ErrorContains(t, c.Ping(s.ctx).Err(), "NOAUTH", pod)
			renewed := s.sentinel(pod, "second")
			defer func() { _ = renewed.Close() }()
			return renewed.Ping(s.ctx).Err()
		}))
	})
}

// reason waits until Ready says a text.
func (s *scenario) reason(name string, texts ...string) {
	s.Helper()
	s.eventually(fmt.Sprintf("Ready of %s says %q", name, texts), time.Minute, func() error {
		c, err := s.conditionNow(name, v1alpha1.ConditionReady)
		if err != nil {
			return err
		}
		for _, text := range texts {
			if c.Status != metav1.ConditionFalse || !strings.Contains(c.Message, text) {
				return fmt.Errorf("%s: %s", c.Status, c.Message)
			}
		}
		return nil
	})
}

// Why pods are not made or do not start is said, with the pod.
func TestWhyPodsDoNotStartIsSaid(t *testing.T) {
	bare := func(name, more string) string {
		return fmt.Sprintf("apiVersion: kvrocks.apache.org/v1alpha1\nkind: KVRocks\nmetadata: {name: %s}\nspec:\n  type: standard\n  replicas: 1\n%s", name, more)
	}
	s := begin(t)
	s.apply(bare("image", "  image: example.invalid/kvrocks:none\n  imagePullPolicy: Never\n") + "---\n" + bare("nowhere", "  nodeSelector: {nowhere: here}\n"))
	s.reason("image", "the pod image-0 cannot start", "ErrImageNeverPull")
	s.reason("nowhere", "the pod nowhere-0 cannot start: Unschedulable")
	quota := &corev1.ResourceQuota{ObjectMeta: metav1.ObjectMeta{Name: "small"}, Spec: corev1.ResourceQuotaSpec{
		Hard: corev1.ResourceList{corev1.ResourceLimitsMemory: resource.MustParse("1Mi")},
	}}
	_, err := s.kube.CoreV1().ResourceQuotas(s.namespace).Create(s.ctx, quota, metav1.CreateOptions{})
	require.NoError(t, err)
	s.eventually("the quota is in force", time.Minute, func() error {
		q, err := s.kube.CoreV1().ResourceQuotas(s.namespace).Get(s.ctx, "small", metav1.GetOptions{})
		if err == nil && len(q.Status.Hard) == 0 {
			err = fmt.Errorf("%+v", q.Status)
		}
		return err
	})
	s.apply(bare("quota", "") + "---" + sentinelCR("sentinels", 3))
	s.reason("quota", "the StatefulSet quota cannot make a pod", "quota: small")
	s.reason("sentinels", "the Deployment sentinels cannot make a pod", "quota: small")
}

// A deletion that cannot go on says for what it waits, and a person can let it go on. It runs alone, because it takes the
// sidecar away.
func TestADeletionWithoutTheSidecarSaysSoAndCanGoOn(t *testing.T) {
	s := begin(t)
	s.apply(standardCR("orders", 1, ""))
	s.ready("orders", readyWithin)
	scale := func(n int) {
		_, err := s.kube.AppsV1().Deployments(systemNamespace).Patch(s.ctx, "kvrocks-sidecar", types.MergePatchType,
			[]byte(fmt.Sprintf(`{"spec":{"replicas":%d}}`, n)), metav1.PatchOptions{})
		require.NoError(t, err)
		s.eventually("the sidecar is scaled", readyWithin, func() error {
			d, err := s.kube.AppsV1().Deployments(systemNamespace).Get(s.ctx, "kvrocks-sidecar", metav1.GetOptions{})
			if err == nil && (d.Status.Replicas != int32(n) || d.Status.ReadyReplicas != int32(n)) {
				err = fmt.Errorf("%+v", d.Status)
			}
			return err
		})
	}
	defer scale(2)
	scale(0)
	s.remove("orders")
	s.reason("orders", "for the sidecar, which has answered generation", "kubectl -n kvrocks-system get deployment kvrocks-sidecar",
		v1alpha1.AnnotationRelease+"="+v1alpha1.ReleaseSkipped)
	cr, err := s.kvrocks("orders")
	require.NoError(t, err)
	assert.Equal(t, v1alpha1.PhaseDeleting, cr.Status.Phase)
	s.kubectl("annotate", "kvrocks", "orders", v1alpha1.AnnotationRelease+"="+v1alpha1.ReleaseSkipped)
	s.removed("orders")
}
