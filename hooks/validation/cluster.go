package validation

import (
	"errors"
	"strconv"
	"strings"

	"github.com/kvrocks/kvrocks-operator/api/slots"
	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

func (c checker) checkShardCount() string {
	switch shards := c.spec.Master; {
	case shards == nil || *shards < 3 || *shards%2 == 0:
		return "a cluster needs spec.master (the number of shards): odd and at least 3; write master: 3"
	case *shards*c.spec.Replicas > 1000:
		return "a cluster can have at most 1000 pods (spec.master times spec.replicas); write fewer shards or replicas"
	}
	return ""
}

func (c checker) checkCluster() string {
	switch {
	case c.spec.Type != v1alpha1.TypeCluster && c.spec.Cluster != nil:
		return "spec.cluster holds settings of type: cluster; leave it out"
	case c.spec.Type != v1alpha1.TypeCluster:
		return ""
	case c.spec.Cluster.Etcd.Replicas != 1 && c.spec.Cluster.Etcd.Replicas != 3:
		return "spec.cluster.etcd.replicas must be 1 or 3"
	case c.spec.Cluster.Controller.Replicas < 1 || c.spec.Cluster.Controller.Replicas > 9:
		return "spec.cluster.controller.replicas must be from 1 to 9"
	case c.spec.Cluster.Migration.KeysPerSecond < 0:
		return "spec.cluster.migration.keysPerSecond must not be negative; write 0 for no limit"
	case *c.spec.Cluster.Migration.DeadlineSeconds < 0:
		return "spec.cluster.migration.deadlineSeconds must not be negative; write 0 for no deadline"
	}
	return c.checkEtcdStorage()
}

func (c checker) checkMigrate() string {
	if len(c.spec.Migrate) > 0 && c.spec.Type != v1alpha1.TypeCluster {
		return "spec.migrate moves slots between the shards of a cluster; leave it out unless type is cluster"
	}
	seen := map[int32]bool{}
	for _, move := range c.spec.Migrate {
		switch {
		case move.Shard < 0 || c.spec.Master == nil || move.Shard >= *c.spec.Master:
			return "spec.migrate names a shard that does not exist; shards are numbered from 0 to spec.master - 1"
		case seen[move.Shard]:
			return "spec.migrate lists the same shard twice; put all its slots into one entry"
		}
		seen[move.Shard] = true
		for _, text := range move.Slots {
			if problem := checkSlots(string(text)); problem != "" {
				return problem
			}
		}
	}
	return c.checkSlotsOnce()
}

// checkSlots returns what is wrong with a range of slots as a person writes it: one slot is written as one number.
func checkSlots(text string) string {
	r, err := slots.ParseRange(text)
	switch {
	case err != nil:
		return errors.Unwrap(err).Error()
	case r.First == r.Last && strings.Contains(text, "-"):
		return slots.ErrBackward.Error()
	}
	return ""
}

// checkSlotsOnce refuses a slot that is sent to two shards.
func (c checker) checkSlotsOnce() string {
	owner := map[int]int32{}
	for _, move := range c.spec.Migrate {
		for _, text := range move.Slots {
			r, _ := slots.ParseRange(string(text))
			for s := r.First; s <= r.Last; s++ {
				if shard, taken := owner[s]; taken && shard != move.Shard {
					return "spec.migrate sends slot " + strconv.Itoa(s) + " to two shards; keep one of them"
				}
				owner[s] = move.Shard
			}
		}
	}
	return ""
}
