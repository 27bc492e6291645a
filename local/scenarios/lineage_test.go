package scenarios

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestConsumedQueueStaysConsumed: a member that was away while the keys were deleted still holds them. When all restart at
// once, it must not become master, although the others are empty.
func TestConsumedQueueStaysConsumed(t *testing.T) {
	t.Parallel()
	s := begin(t)
	s.apply(standardCR("queue", 3, ""))
	s.ready("queue", readyWithin)
	master := s.master("queue")
	c := s.direct(master, password)
	for i := range 200 {
		require.NoError(s, c.Set(s.ctx, "job:"+strconv.Itoa(i), i, 0).Err())
	}
	straggler := others(s, "queue", master)[0]
	s.eventually("the replica has every key", time.Minute, func() error {
		return s.direct(straggler, password).Get(s.ctx, "job:199").Err()
	})
	release := s.keepAway(straggler)
	require.NoError(s, c.FlushAll(s.ctx).Err())
	var rest []string
	for _, pod := range others(s, "queue", straggler) {
		rest = append(rest, pod)
		s.eventually(pod+" is empty", time.Minute, func() error { return s.holdsNothing(pod) })
	}
	before := s.pods("queue")
	s.forceDelete(rest...)
	release()
	s.eventually("every pod is back and has its place", 2*time.Minute, func() error {
		now := s.pods("queue")
		for _, pod := range append(rest, straggler) {
			if p, ok := now[pod]; !ok || pod != straggler && p.UID == before[pod].UID || !isAttached(&p) {
				return fmt.Errorf("%s is not there yet", pod)
			}
		}
		return nil
	})
	s.ready("queue", readyWithin)
	assert.NotEqual(t, straggler, s.master("queue"))
	for _, pod := range append(rest, straggler) {
		assert.NoError(t, s.holdsNothing(pod))
	}
}

func (s *scenario) holdsNothing(pod string) error {
	keys, err := s.direct(pod, password).Keys(s.ctx, "job:*").Result()
	if err == nil && len(keys) > 0 {
		err = fmt.Errorf("%d keys", len(keys))
	}
	return err
}

// TestMasterThatDiesDuringTheFullSyncOfItsOnlyReplica: the replica has deleted its data for a full sync that cannot end. It
// must not become master, not even when its process has restarted and is empty.
func TestMasterThatDiesDuringTheFullSyncOfItsOnlyReplica(t *testing.T) {
	t.Parallel()
	s := begin(t)
	s.apply(standardCR("orders", 2, "") + `  kvrocksConfig: {slave-empty-db-before-fullsync: "yes", fullsync-recv-file-delay: "15"}
`)
	s.ready("orders", readyWithin)
	master := s.master("orders")
	c := s.direct(master, password)
	for i := range 200 {
		require.NoError(s, c.Set(s.ctx, "k:"+strconv.Itoa(i), i, 0).Err())
	}
	replica := others(s, "orders", master)[0]
	r := s.direct(replica, password)
	// A history of its own makes it need a full sync.
	require.NoError(s, r.Do(s.ctx, "SLAVEOF", "NO", "ONE").Err())
	require.NoError(s, r.Set(s.ctx, "own", 1, 0).Err())
	s.eventually("the replica is in a full sync", time.Minute, func() error {
		switch err := r.Ping(s.ctx).Err(); {
		case err == nil:
			return errors.New("it answers")
		case !strings.HasPrefix(err.Error(), "LOADING"):
			return fmt.Errorf("it answers: %w", err)
		}
		return nil
	})
	release := s.keepAway(master)
	for until := time.Now().Add(40 * time.Second); time.Now().Before(until); time.Sleep(time.Second) {
		require.Equal(t, master, s.master("orders"), "nothing else has the data")
		if info, err := s.roleOf(replica); err == nil {
			require.NotContains(t, info, "role:master")
		}
	}
	release()
	s.ready("orders", readyWithin)
	assert.Equal(t, master, s.master("orders"))
	for _, pod := range []string{master, replica} {
		value, err := s.direct(pod, password).Get(s.ctx, "k:199").Result()
		require.NoError(t, err)
		assert.Equal(t, "199", value)
	}
	assert.ErrorIs(t, s.direct(replica, password).Get(s.ctx, "own").Err(), redis.Nil)
}

// roleOf is what the node says of its replication.
func (s *scenario) roleOf(pod string) (string, error) {
	return s.direct(pod, password).Info(s.ctx, "replication").Result()
}
