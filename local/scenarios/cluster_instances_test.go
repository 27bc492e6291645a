package scenarios

import (
	"fmt"
	"time"

	"github.com/stretchr/testify/require"

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

// onShard checks that all slots of a range belong to the master of a shard, by the record.
func (s *scenario) onShard(name string, slots slotRange, shard int) {
	s.Helper()
	record := s.whole(name)
	want := s.addressOf(name, s.shardMaster(name, shard))
	for slot := slots.first; slot <= slots.last; slot++ {
		require.Equal(s, want, record.owner[slot], "slot %d must be on shard %d of %s", slot, shard, name)
	}
}
