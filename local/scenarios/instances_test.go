package scenarios

import (
	"fmt"
	"maps"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

const (
	password = "orders-secret"
	// downAfter is short, so that a scenario does not take long; the limits are given relative to it.
	downAfter = 2 * time.Second
	// readyWithin is how long a fresh instance may take on a busy machine with two cores.
	readyWithin = 2 * time.Minute
)

func sentinelCR(name string, replicas int) string {
	return fmt.Sprintf(`
apiVersion: kvrocks.apache.org/v1alpha1
kind: KVRocks
metadata:
  name: %s
spec:
  type: sentinel
  replicas: %d
`, name, replicas)
}

// monitoredBy is the line of a CR's metadata that names its sentinel; none without one.
func monitoredBy(sentinel string) string {
	if sentinel == "" {
		return ""
	}
	return "\n  labels: {kvrocks/monitored-by: " + sentinel + "}"
}

// standardCR asks for an instance with volumes and a password; sentinel may be empty.
func standardCR(name string, replicas int, sentinel string) string {
	return fmt.Sprintf(`
apiVersion: kvrocks.apache.org/v1alpha1
kind: KVRocks
metadata:
  name: %s%s
spec:
  type: standard
  replicas: %d
  password: %s
  storage: {size: 1Gi, reclaim: Delete}
  failover: {downAfterMilliseconds: %d, failoverTimeoutMilliseconds: 10000}
`, name, monitoredBy(sentinel), replicas, password, downAfter.Milliseconds())
}

// watched brings up a sentinel and a standard instance of three that it monitors.
func (s *scenario) watched(name string) {
	s.Helper()
	s.apply(sentinelCR("watch", 3) + "---" + standardCR(name, 3, "watch"))
	s.ready("watch", readyWithin)
	s.ready(name, readyWithin)
	s.agreed("watch", name)
}

// agreed waits until every sentinel knows exactly the other sentinels, the master of each shard of the instance, its
// replicas and the quorum, and nothing else.
func (s *scenario) agreed(sentinel, instance string) {
	s.Helper()
	s.eventually("the sentinels of "+sentinel+" agree on "+instance, 90*time.Second, func() error {
		topology, err := s.topology(instance)
		if err != nil {
			return err
		}
		if len(topology.Status.Shards) != len(topology.Spec.Shards) {
			return fmt.Errorf("a report on %d of %d shards of %s", len(topology.Status.Shards), len(topology.Spec.Shards), instance)
		}
		for i, shard := range topology.Spec.Shards {
			if err := s.agreedOn(sentinel, shard, topology.Status.Shards[i].Master); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *scenario) agreedOn(sentinel string, shard v1alpha1.TopologyShard, master string) error {
	pods := s.pods(sentinel)
	quorum := fmt.Sprint(len(pods)/2 + 1)
	members := map[string]string{}
	for _, member := range shard.Members {
		members[member.Pod] = member.Address
	}
	replicas := maps.Clone(members)
	delete(replicas, master)
	return s.eachSentinel(sentinel, func(name string, c *redis.SentinelClient) error {
		view, err := c.Master(s.ctx, shard.MasterName).Result()
		if err != nil {
			return err
		}
		if view["ip"] != members[master] || view["quorum"] != quorum || view["flags"] != "master" {
			return fmt.Errorf("master of %s %s quorum %s flags %s, not %s (%s) with quorum %s", shard.MasterName, view["ip"],
				view["quorum"], view["flags"], members[master], master, quorum)
		}
		var others []string
		for other, pod := range pods {
			if other != name {
				others = append(others, pod.Status.PodIP)
			}
		}
		if err := lists("sentinels", c.Sentinels(s.ctx, shard.MasterName), others); err != nil {
			return err
		}
		return lists("replicas", c.Replicas(s.ctx, shard.MasterName), slices.Collect(maps.Values(replicas)))
	})
}

// lists returns an error unless a sentinel lists exactly some addresses.
func lists(what string, answer *redis.MapStringStringSliceCmd, want []string) error {
	list, err := answer.Result()
	if err != nil {
		return err
	}
	var got []string
	for _, entry := range list {
		// kvrocks goes on listing a replica that vanished, so the sentinels know it as down.
		if what == "replicas" && strings.Contains(entry["flags"], "s_down") {
			continue
		}
		got = append(got, entry["ip"])
	}
	sort.Strings(got)
	sort.Strings(want)
	if !slices.Equal(got, want) {
		return fmt.Errorf("it knows the %s %v, not %v", what, got, want)
	}
	return nil
}

// another waits until another pod than before is the master.
func (s *scenario) another(instance, before string) {
	s.Helper()
	s.eventually(instance+" has another master than "+before, time.Minute, func() error {
		cr, err := s.kvrocks(instance)
		if err == nil && (cr.Status.Master == before || cr.Status.Master == "") {
			err = fmt.Errorf("master is %q", cr.Status.Master)
		}
		return err
	})
}

// replaced waits until another pod than before is the master and the instance is Ready again.
func (s *scenario) replaced(instance, before string) string {
	s.Helper()
	s.another(instance, before)
	s.ready(instance, readyWithin)
	return s.master(instance)
}

// journal returns the newest entry of the failovers and handovers of an instance.
func (s *scenario) journal(instance string) v1alpha1.FailoverRecord {
	s.Helper()
	topology, err := s.topology(instance)
	require.NoError(s, err)
	require.NotEmpty(s, topology.Status.Failovers, "%s has no journal", instance)
	return topology.Status.Failovers[len(topology.Status.Failovers)-1]
}

// event waits for an event on an instance whose reason or message contains a text.
func (s *scenario) event(instance, contains string) {
	s.Helper()
	s.eventually("an event on "+instance+" that says "+contains, 30*time.Second, func() error {
		events, err := s.kube.CoreV1().Events(s.namespace).List(s.ctx, listFor(instance))
		if err != nil {
			return err
		}
		var seen []string
		for _, event := range events.Items {
			text := event.Reason + ": " + event.Message
			if strings.Contains(text, contains) {
				return nil
			}
			seen = append(seen, text)
		}
		return fmt.Errorf("seen: %q", seen)
	})
}
