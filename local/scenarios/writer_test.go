package scenarios

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// client is a connection to one address, without any retries of its own.
func client(address, password string, timeout time.Duration) *redis.Client {
	return redis.NewClient(&redis.Options{
		Addr: address, Password: password, Protocol: 2, MaxRetries: -1, DialerRetries: 1, PoolSize: 1, DisableIdentity: true,
		DialTimeout: 500 * time.Millisecond, ReadTimeout: timeout, WriteTimeout: timeout,
	})
}

const (
	// impatient clients notice soon that a master does not answer.
	impatient = 500 * time.Millisecond
	// patient ones wait for a SLAVEOF, which may hold a node up for 10 s.
	patient = 15 * time.Second
)

// service is the address of a Service.
func (s *scenario) service(name string) string {
	s.Helper()
	service, err := s.kube.CoreV1().Services(s.namespace).Get(s.ctx, name, metav1.GetOptions{})
	require.NoError(s, err)
	return fmt.Sprintf("%s:%d", service.Spec.ClusterIP, service.Spec.Ports[0].Port)
}

// pod is one pod as it is now.
func (s *scenario) pod(name string) *corev1.Pod {
	s.Helper()
	pod, err := s.kube.CoreV1().Pods(s.namespace).Get(s.ctx, name, metav1.GetOptions{})
	require.NoError(s, err)
	return pod
}

// direct is a connection to a pod's own IP, as an administrator would use.
func (s *scenario) direct(pod, password string) *redis.Client {
	s.Helper()
	object := s.pod(pod)
	require.NotEmpty(s, object.Status.PodIP, "%s has no address yet", pod)
	c := client(fmt.Sprintf("%s:%d", object.Status.PodIP, object.Spec.Containers[0].Ports[0].ContainerPort), password, patient)
	s.Cleanup(func() { _ = c.Close() })
	return c
}

// writer writes w:0, w:1, w:2 … one after another through a Service, and remembers what was acknowledged when. A number
// that was refused is tried again, over a new connection, as a client with a connection pool would.
type writer struct {
	stop context.CancelFunc
	done chan struct{}

	mu     sync.Mutex
	acks   []time.Time // acks[n] is when w:n was acknowledged
	errors []string    // distinct errors in the order in which they were first seen
}

func (s *scenario) write(service, password string) *writer {
	s.Helper()
	address := s.service(service)
	ctx, cancel := context.WithCancel(s.ctx)
	w := &writer{stop: cancel, done: make(chan struct{})}
	go w.run(ctx, address, password)
	s.Cleanup(func() { cancel(); <-w.done })
	s.eventually("the first writes through "+service, 30*time.Second, func() error {
		if w.acked() < 10 {
			return fmt.Errorf("%d writes so far, errors: %v", w.acked(), w.seen())
		}
		return nil
	})
	return w
}

func (w *writer) run(ctx context.Context, address, password string) {
	defer close(w.done)
	c := client(address, password, impatient)
	defer func() { _ = c.Close() }()
	for n := 0; ctx.Err() == nil; {
		if err := c.Set(ctx, fmt.Sprintf("w:%d", n), n, 0).Err(); err != nil {
			w.note(err)
			_ = c.Close()
			c = client(address, password, impatient)
			time.Sleep(2 * time.Millisecond) // a refused connection fails at once; do not spin
			continue
		}
		w.mu.Lock()
		w.acks = append(w.acks, time.Now())
		w.mu.Unlock()
		n++
		time.Sleep(time.Millisecond) // about 500 writes a second leave the machine to the others
	}
}

func (w *writer) note(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	text, _, _ := strings.Cut(err.Error(), ", id")
	if len(w.errors) < 20 && !slices.Contains(w.errors, text) {
		w.errors = append(w.errors, text)
	}
}

func (w *writer) acked() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.acks)
}

func (w *writer) seen() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]string(nil), w.errors...)
}

// finish stops the writer and returns how many writes were acknowledged.
func (w *writer) finish() int {
	w.stop()
	<-w.done
	return w.acked()
}

// longestGap is the longest time without an acknowledged write since a moment.
func (w *writer) longestGap(since time.Time) span {
	w.mu.Lock()
	defer w.mu.Unlock()
	return longestGap(slices.Values(w.acks), since, w.running())
}

func (w *writer) running() bool {
	select {
	case <-w.done:
		return false
	default:
		return true
	}
}

// resumed waits until a write is acknowledged that began after a moment.
func (s *scenario) resumed(w *writer, after time.Time, within time.Duration) {
	s.Helper()
	s.eventually("writes are taken again", within, func() error {
		w.mu.Lock()
		defer w.mu.Unlock()
		if n := len(w.acks); n == 0 || !w.acks[n-1].After(after) {
			return fmt.Errorf("none since %s, errors: %v", after.Format("15:04:05.000"), w.errors)
		}
		return nil
	})
}

// missing reads w:0 … w:n-1 back and returns the numbers that are not there.
func (s *scenario) missing(c *redis.Client, n int) []int {
	s.Helper()
	var gone []int
	const batch = 500
	for from := 0; from < n; from += batch {
		to := min(from+batch, n)
		keys := make([]string, 0, batch)
		for i := from; i < to; i++ {
			keys = append(keys, fmt.Sprintf("w:%d", i))
		}
		values, err := c.MGet(s.ctx, keys...).Result()
		require.NoError(s, err, "read back from %s", c.Options().Addr)
		for i, value := range values {
			if value != fmt.Sprint(from+i) {
				gone = append(gone, from+i)
			}
		}
	}
	return gone
}

// replicated is how many of the writer's numbers every one of the given pods has by now.
func (s *scenario) replicated(w *writer, password string, pods ...string) int {
	s.Helper()
	n := w.acked()
	for _, pod := range pods {
		c := s.direct(pod, password)
		for n > 0 {
			exists, err := c.Exists(s.ctx, fmt.Sprintf("w:%d", n-1)).Result()
			require.NoError(s, err)
			if exists == 1 {
				break
			}
			n--
		}
	}
	return n
}
