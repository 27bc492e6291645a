package scenarios

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

const (
	// clusterReadyWithin is how long a fresh cluster may take: its etcd, its controller and the pods of all its shards
	// start on two cores, next to those of other scenarios.
	clusterReadyWithin = 4 * time.Minute
	// migratedWithin is how long a few thousand slots may take.
	migratedWithin = 3 * time.Minute
	// noise is how long writes to a healthy shard may wait on a machine that is busy with pods coming and going.
	noise = time.Second
)

// clusterCR asks for a cluster with volumes and a password; sentinel may be empty.
func clusterCR(name string, shards, replicas, etcd int, sentinel string) string {
	return fmt.Sprintf(`
apiVersion: kvrocks.apache.org/v1alpha1
kind: KVRocks
metadata:
  name: %s%s
spec:
  type: cluster
  master: %d
  replicas: %d
  password: %s
  storage: {size: 1Gi, reclaim: Delete}
  failover: {downAfterMilliseconds: %d, failoverTimeoutMilliseconds: 10000}
  cluster: {etcd: {replicas: %d}}
`, name, monitoredBy(sentinel), shards, replicas, password, downAfter.Milliseconds(), etcd)
}

// sharded brings up a cluster of three shards, with three sentinels to monitor it unless sentinel is empty.
func (s *scenario) sharded(name string, replicas, etcd int, sentinel string) {
	s.Helper()
	if sentinel != "" {
		s.apply(sentinelCR(sentinel, 3))
	}
	s.apply(clusterCR(name, 3, replicas, etcd, sentinel))
	if sentinel != "" {
		s.ready(sentinel, readyWithin)
	}
	s.settled(name, sentinel)
	s.watchSlots(name)
}

// component are the pods of one part of an instance, by name, without those being deleted.
func (s *scenario) component(instance, component string) map[string]corev1.Pod {
	s.Helper()
	pods := s.pods(instance)
	maps.DeleteFunc(pods, func(_ string, pod corev1.Pod) bool { return pod.Labels[v1alpha1.LabelComponent] != component })
	return pods
}

func (s *scenario) dataPods(instance string) map[string]corev1.Pod {
	s.Helper()
	return s.component(instance, v1alpha1.ComponentData)
}

// shards is the report on the shards of a cluster.
func (s *scenario) shards(name string) []v1alpha1.ShardStatus {
	s.Helper()
	cr, err := s.kvrocks(name)
	require.NoError(s, err)
	return cr.Status.Shards
}

// shardMaster is the pod that is master of a shard by the status.
func (s *scenario) shardMaster(name string, shard int) string {
	s.Helper()
	shards := s.shards(name)
	require.Greater(s, len(shards), shard, "%s has no report on shard %d", name, shard)
	require.NotEmpty(s, shards[shard].Master, "shard %d of %s has no master", shard, name)
	return shards[shard].Master
}

// anotherOf waits until another pod than before is the master of a shard.
func (s *scenario) anotherOf(name string, shard int, before string) string {
	s.Helper()
	after := ""
	s.eventually(fmt.Sprintf("shard %d of %s has another master than %s", shard, name, before), time.Minute, func() error {
		if shards := s.shards(name); len(shards) > shard {
			after = shards[shard].Master
		}
		if after == before || after == "" {
			return fmt.Errorf("master is %q", after)
		}
		return nil
	})
	return after
}

// settled waits until a cluster is Ready and whole, with the sentinels, if any, agreed.
func (s *scenario) settled(name, sentinel string) slotMap {
	s.Helper()
	s.ready(name, clusterReadyWithin)
	record := s.whole(name)
	if sentinel != "" {
		s.agreed(sentinel, name)
	}
	return record
}

// podCount waits until an instance has so many pods of a component.
func (s *scenario) podCount(instance, component string, want int) {
	s.Helper()
	s.eventually(fmt.Sprintf("%s has %d pods of the component %s", instance, want, component), clusterReadyWithin, func() error {
		if pods := s.component(instance, component); len(pods) != want {
			return fmt.Errorf("%v", slices.Sorted(maps.Keys(pods)))
		}
		return nil
	})
}

// everyPod waits until each data pod of an instance has something, as the pods of a new template have.
func (s *scenario) everyPod(instance, what string, has func(*corev1.Pod) bool) {
	s.Helper()
	s.eventually(fmt.Sprintf("every pod of %s has %s", instance, what), 4*readyWithin, func() error {
		for name, pod := range s.dataPods(instance) {
			if !has(&pod) {
				return fmt.Errorf("%s has not", name)
			}
		}
		return nil
	})
}

// replacedPods waits until each of some pods has a successor of its name.
func (s *scenario) replacedPods(instance string, old map[string]corev1.Pod) {
	s.Helper()
	s.eventually(fmt.Sprintf("new pods for %v", slices.Sorted(maps.Keys(old))), 2*readyWithin, func() error {
		now := s.pods(instance)
		for name, pod := range old {
			if n, ok := now[name]; !ok || n.UID == pod.UID {
				return fmt.Errorf("%s has not been replaced", name)
			}
		}
		return nil
	})
}

// onShard checks that all slots of a range belong to the master of a shard, by the record.
func (s *scenario) onShard(name string, slots slotRange, shard int) {
	s.Helper()
	record := s.whole(name)
	want := s.addressOf(name, s.shardMaster(name, shard))
	for slot := slots.first; slot <= slots.last; slot++ {
		require.Equal(s, want, record.owner[slot], "slot %d must be on shard %d of %s", slot, shard, name)
	}
}

// uids tells pods from their successors of the same names.
func uids(pods map[string]corev1.Pod) map[string]types.UID {
	ids := map[string]types.UID{}
	for name, pod := range pods {
		ids[name] = pod.UID
	}
	return ids
}

func anyOf(pods map[string]corev1.Pod) string {
	for name := range pods {
		return name
	}
	return ""
}
