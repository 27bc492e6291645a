package scenarios

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

// plainPause is between two writes of a client with default options, here and in testdata/plainclient.py. kvrocks replays what
// its log holds when it starts, so a client that writes all the time makes the moves that follow slower and slower.
const plainPause = 20 * time.Millisecond

// plainWriter writes as an application does: with a client that has its default options.
func (s *scenario) plainWriter(c redis.Cmdable, key func(n int) string) *writer {
	s.Helper()
	return s.keepWriting(plainPause, func(ctx context.Context, n int) error { return c.Set(ctx, key(n), n, 0).Err() })
}

// plainKey is the n-th key of a client that writes to one instance.
func plainKey(n int) string { return fmt.Sprint("plain:", n) }

// plainFailoverClient asks the sentinels for the master of a standard instance, with default options.
func (s *scenario) plainFailoverClient(sentinel, instance string) *writer {
	s.Helper()
	c := redis.NewFailoverClient(&redis.FailoverOptions{
		MasterName: instance, SentinelAddrs: []string{s.service(sentinel)}, Password: password,
	})
	s.Cleanup(func() { _ = c.Close() })
	return s.plainWriter(c, plainKey)
}

// plainClusterClients are a writer for each shard of a cluster that share one client with default options.
func (s *scenario) plainClusterClients(name string) []*writer {
	s.Helper()
	c := redis.NewClusterClient(&redis.ClusterOptions{Addrs: s.entries(name), Password: s.password})
	s.Cleanup(func() { _ = c.Close() })
	var all []*writer
	for _, slots := range thirds {
		keys := keysIn(slotRange{slots.first, slots.first + 20}, 1)
		all = append(all, s.plainWriter(c, func(int) string { return keys[rand.IntN(len(keys))] }))
	}
	return all
}

// withoutEndpoint are the spans in which a Service had no endpoint, since the call.
func (s *scenario) withoutEndpoint(service string) func() []span {
	s.Helper()
	ctx, cancel := context.WithCancel(s.ctx)
	watcher, err := s.kube.DiscoveryV1().EndpointSlices(s.namespace).Watch(ctx, metav1.ListOptions{LabelSelector: discoveryv1.LabelServiceName + "=" + service})
	require.NoError(s, err)
	var (
		mu    sync.Mutex
		spans []span
		since time.Time
	)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for event := range watcher.ResultChan() {
			slice, ok := event.Object.(*discoveryv1.EndpointSlice)
			if !ok {
				continue
			}
			ready := slices.ContainsFunc(slice.Endpoints, func(e discoveryv1.Endpoint) bool {
				serving := e.Conditions.Serving
				return e.Conditions.Ready == nil || *e.Conditions.Ready || serving != nil && *serving // kube-proxy takes one that terminates when there is no other
			})
			mu.Lock()
			switch {
			case !ready && since.IsZero():
				since = time.Now()
			case ready && !since.IsZero():
				spans, since = append(spans, span{since, time.Now()}), time.Time{}
			}
			mu.Unlock()
		}
	}()
	s.Cleanup(func() { cancel(); watcher.Stop(); <-done })
	return func() []span {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(spans)
	}
}

// plannedGap is what a client with default options may miss at a planned move on a quiet machine; see `make bench-moves`.
const plannedGap = 350 * time.Millisecond

// defaultClients write to a standard instance, each with its default options, through the sentinels and through NAME-master.
func (s *scenario) defaultClients(sentinel, instance string) map[string]*writer {
	s.Helper()
	c := redis.NewClient(&redis.Options{Addr: s.service(instance + "-master"), Password: password})
	s.Cleanup(func() { _ = c.Close() })
	return map[string]*writer{
		"go-redis, sentinels": s.plainFailoverClient(sentinel, instance),
		"go-redis, Service":   s.plainWriter(c, plainKey),
		"redis-py, sentinels": s.pythonClient("sentinel", s.service(sentinel), password, instance)[0],
		"redis-py, Service":   s.pythonClient("service", s.service(instance+"-master"), password)[0],
	}
}

// defaultClusterClients write to a cluster, for each shard one of each kind, with default options.
func (s *scenario) defaultClusterClients(name string) map[string][]*writer {
	s.Helper()
	var keys []string
	for _, slots := range thirds {
		keys = append(keys, keysIn(slotRange{slots.first, slots.first + 20}, 1)[0])
	}
	return map[string][]*writer{
		"go-redis": s.plainClusterClients(name),
		"redis-py": s.pythonClient("cluster", s.entries(name)[0], s.password, keys...),
	}
}

// A planned move costs clients with default options what the journal says, and -master is never without an endpoint.
func TestAPlannedMoveCostsDefaultClientsNextToNothing(t *testing.T) {
	t.Parallel()
	s := begin(t)
	s.watched("orders")
	p, clients, empty := s.pulse(), s.defaultClients("watch", "orders"), s.withoutEndpoint("orders-master")
	judge := func(what string, began time.Time) {
		t.Logf("%s: %v", what, s.moves("orders", began))
		for name, w := range clients {
			t.Logf("%s, %s: gap %s", what, name, w.longestGap(began))
			p.within(t, plannedGap+noise, what+", "+name, w.longestGap(began))
		}
	}

	began := time.Now()
	s.roll("orders", "by the spec")
	judge("a roll", began)

	began = time.Now()
	s.deletePods(s.master("orders"))
	s.eventually("the master has moved", time.Minute, func() error {
		if len(s.moves("orders", began)) == 0 {
			return fmt.Errorf("not yet")
		}
		return nil
	})
	s.ready("orders", readyWithin)
	judge("a deleted pod", began)
	for name, w := range clients {
		t.Logf("%s saw %q", name, w.seen())
	}
	for _, none := range empty() {
		assert.Less(t, none.length(), 10*time.Millisecond, "orders-master had no endpoint")
	}
	s.agreed("watch", "orders")
}

func TestAPlannedMoveCostsDefaultClientsOfAClusterNextToNothing(t *testing.T) {
	t.Parallel()
	s := begin(t)
	s.sharded("orders", 2, 1, "")
	p, clients := s.pulse(), s.defaultClusterClients("orders")
	began := time.Now()
	s.roll("orders", "by the spec")
	t.Logf("%v", s.moves("orders", began))
	for name, all := range clients {
		for shard, w := range all {
			t.Logf("shard %d, %s: gap %s, errors %q", shard, name, w.longestGap(began), w.seen())
			p.within(t, plannedGap+noise, fmt.Sprintf("shard %d, %s", shard, name), w.longestGap(began))
		}
	}
}

// The whole instance goes without waiting for clients.
func TestADeletedInstanceDoesNotDrain(t *testing.T) {
	t.Parallel()
	s := begin(t)
	s.watched("orders")
	s.patch("orders", `{"spec":{"drainSeconds":60}}`)
	s.everyPod("orders", "a grace period of 120 s", func(pod *corev1.Pod) bool {
		return ptr.Deref(pod.Spec.TerminationGracePeriodSeconds, 0) == 120
	})
	s.ready("orders", readyWithin*2)
	began := time.Now()
	s.remove("orders")
	s.removed("orders")
	t.Logf("removed within %s", time.Since(began).Round(time.Millisecond))
	assert.Less(t, time.Since(began), 45*time.Second)
}
