package scenarios

import (
	"context"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

// defaultFailoverClient is a client as go-redis makes it by default, which asks the sentinels for the master.
func (s *scenario) defaultFailoverClient(sentinel, masterName string) redis.UniversalClient {
	s.Helper()
	var addresses []string
	for _, pod := range s.pods(sentinel) {
		addresses = append(addresses, fmt.Sprintf("%s:%d", pod.Status.PodIP, v1alpha1.SentinelPort))
	}
	c := redis.NewFailoverClient(&redis.FailoverOptions{MasterName: masterName, SentinelAddrs: addresses, Password: password})
	s.Cleanup(func() { _ = c.Close() })
	return c
}

// defaultClusterClient is a client as go-redis makes it by default, of a cluster.
func (s *scenario) defaultClusterClient(instance string) redis.UniversalClient {
	s.Helper()
	c := redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{s.service(instance)}, Password: password})
	s.Cleanup(func() { _ = c.Close() })
	return c
}

// writeBy writes to one key again and again by a client with whatever options, and remembers what was acknowledged when.
func (s *scenario) writeBy(c redis.UniversalClient, key string) *writer {
	s.Helper()
	ctx, cancel := context.WithCancel(s.ctx)
	w := &writer{stop: cancel, done: make(chan struct{})}
	go func() {
		defer close(w.done)
		for n := 0; ctx.Err() == nil; time.Sleep(time.Millisecond) {
			if err := c.Set(ctx, key, n, 0).Err(); err != nil {
				w.note(err)
				continue
			}
			w.mu.Lock()
			w.acks = append(w.acks, time.Now())
			w.mu.Unlock()
			n++
		}
	}()
	s.Cleanup(func() { cancel(); <-w.done })
	s.eventually("the first writes of a default client", 30*time.Second, func() error {
		if w.acked() < 10 {
			return fmt.Errorf("%d writes so far, errors: %v", w.acked(), w.seen())
		}
		return nil
	})
	return w
}
