package scenarios

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
)

// fill writes so many keys with values of some bytes into each slot of a range and returns them.
func (s *scenario) fill(name string, slots slotRange, perSlot, bytes int) []string {
	s.Helper()
	keys := keysIn(slots, perSlot)
	s.setAll(s.clusterClient(name), keys, func(key string) string { return valueOf(key, bytes) })
	return keys
}

// setAll writes keys, many at a time, each with the value that belongs to it.
func (s *scenario) setAll(c redis.Cmdable, keys []string, value func(key string) string) {
	s.Helper()
	for batch := range slices.Chunk(keys, 500) {
		s.eventually("keys are written", 30*time.Second, func() error {
			_, err := c.Pipelined(s.ctx, func(pipe redis.Pipeliner) error {
				for _, key := range batch {
					pipe.Set(s.ctx, key, value(key), 0)
				}
				return nil
			})
			return err
		})
	}
}

// readBack returns the values of keys; that of a missing one is empty.
func (s *scenario) readBack(c *redis.ClusterClient, keys []string) []string {
	s.Helper()
	values := make([]string, len(keys))
	s.eventually("keys are read back", 30*time.Second, func() error {
		commands, err := c.Pipelined(s.ctx, func(pipe redis.Pipeliner) error {
			for _, key := range keys {
				pipe.Get(s.ctx, key)
			}
			return nil
		})
		if err != nil && !errors.Is(err, redis.Nil) {
			c.ReloadState(s.ctx)
			return err
		}
		for i, command := range commands {
			get, ok := command.(*redis.StringCmd)
			if !ok || get.Err() != nil && !errors.Is(get.Err(), redis.Nil) {
				return command.Err()
			}
			values[i] = get.Val()
		}
		return nil
	})
	return values
}

// holds asserts that a cluster has the keys that fill wrote.
func (s *scenario) holds(name string, keys []string, bytes int) {
	s.Helper()
	for i, value := range s.readBack(s.clusterClient(name), keys) {
		require.Equal(s, valueOf(keys[i], bytes), value, "what was there before must be there still")
	}
}

// valueOf is a value of so many bytes that belongs to a key.
func valueOf(key string, bytes int) string { return strings.Repeat(key+" ", bytes/len(key)+1)[:bytes] }

// keysIn makes so many keys for each slot of a range.
func keysIn(slots slotRange, perSlot int) []string {
	var keys []string
	count := map[int]int{}
	for n := 0; len(keys) < perSlot*(slots.last-slots.first+1); n++ {
		key := fmt.Sprintf("f:%d", n)
		if slot := slotOf(key); slots.has(slot) && count[slot] < perSlot {
			count[slot]++
			keys = append(keys, key)
		}
	}
	return keys
}
