package conn

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/kube"
	"github.com/kvrocks/kvrocks-operator/sidecar/kvrocks"
)

// idle is a sentinel that is only closed.
type idle struct {
	Sentinel

	closed chan struct{}
}

func (s idle) Close() error { close(s.closed); return nil }

func (idle) MyID(context.Context) (string, error) { return "id", nil }

func TestOneConnectionPerSentinelPod(t *testing.T) {
	var dialled []chan struct{}
	p := NewSentinelPool(t.Context(), SentinelPoolConfig{
		Network: Network{
			Sentinel: func(string, kvrocks.Options) Sentinel {
				dialled = append(dialled, make(chan struct{}))
				return idle{closed: dialled[len(dialled)-1]}
			},
			Listen: func(ctx context.Context, _ string, _ kvrocks.Options, _ func(kvrocks.Event)) { <-ctx.Done() },
		},
		Options: func(kvrocks.Secret) kvrocks.Options { return kvrocks.Options{} },
	})
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: "ns", Name: "watch-0", UID: "one", Labels: map[string]string{v1alpha1.LabelInstance: "watch"},
		},
		Status: corev1.PodStatus{PodIP: "10.1.0.0"},
	}
	get := func(pod *corev1.Pod) *SharedSentinel {
		s := p.Get(pod, kube.FactsOf(pod), Passwords{})
		require.NoError(t, s.Do(func(c Sentinel) error {
			_, err := c.MyID(t.Context())
			return err
		}))
		return s
	}
	isClosed := func(which int) func() bool {
		return func() bool {
			select {
			case <-dialled[which]:
				return true
			default:
				return false
			}
		}
	}
	first := get(pod)
	assert.Same(t, first, get(pod), "all instances share it")
	assert.Len(t, dialled, 1)

	replaced := pod.DeepCopy()
	replaced.UID = "another"
	assert.NotSame(t, first, get(replaced))
	assert.Eventually(t, isClosed(0), 5*time.Second, time.Millisecond)
	assert.Len(t, p.conns, 1)

	key := types.NamespacedName{Namespace: "ns", Name: "watch-0"}
	p.Forget(key, "one")
	assert.Len(t, p.conns, 1, "the pod of this name is another one")
	p.Forget(key, "another")
	assert.Empty(t, p.conns)
	assert.Eventually(t, isClosed(1), 5*time.Second, time.Millisecond)

	get(pod)
	p.Close()
	assert.True(t, isClosed(2)())
	assert.Empty(t, p.conns)
}
