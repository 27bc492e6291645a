package scenarios

import (
	"fmt"
	"strconv"
	"testing"
	"time"

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
