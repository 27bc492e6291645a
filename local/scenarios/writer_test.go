package scenarios

import (
	"context"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
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

// through is a connection to a Service.
func (s *scenario) through(service, password string) *redis.Client {
	s.Helper()
	c := client(s.service(service), password, impatient)
	s.Cleanup(func() { _ = c.Close() })
	return c
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

// writer is a client that writes to the keys w:0, w:1, w:2 and so on.
type writer struct {
	progress
	stop context.CancelFunc
	done chan struct{}
}

// keepWriting starts a writer and waits for its first writes.
func (s *scenario) keepWriting(pause time.Duration, write func(ctx context.Context, n int) error) *writer {
	s.Helper()
	ctx, cancel := context.WithCancel(s.ctx)
	w := &writer{stop: cancel, done: make(chan struct{})}
	go func() {
		defer close(w.done)
		w.keepWriting(ctx, naturals, pause, write)
	}()
	s.Cleanup(func() { w.finish() })
	s.begun(&w.progress)
	return w
}

// write starts a writer that goes through a Service, and after a refusal over a new connection, as a client with a connection
// pool would. About 500 writes a second leave the machine to the others.
func (s *scenario) write(service, password string) *writer {
	s.Helper()
	address := s.service(service)
	c := client(address, password, impatient)
	s.Cleanup(func() { _ = c.Close() })
	return s.keepWriting(time.Millisecond, func(ctx context.Context, n int) error {
		err := c.Set(ctx, fmt.Sprintf("w:%d", n), n, 0).Err()
		if err != nil {
			_ = c.Close()
			c = client(address, password, impatient)
		}
		return err
	})
}

// finish stops the writer and returns how many writes were acknowledged.
func (w *writer) finish() int {
	w.stop()
	<-w.done
	return w.count()
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
	n := w.count()
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
