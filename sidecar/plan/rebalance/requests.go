package rebalance

import (
	"fmt"
	"slices"

	"github.com/kvrocks/kvrocks-operator/api/slots"
	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

// slotRequests are what spec.migrate asks for, as far as it can be met.
type slotRequests struct {
	// want is where each slot is to be; noOwner when nothing is said of it.
	want *owners
	// ranges in the order of the spec.
	ranges []slotRequest
	// rejected are the entries that cannot be, with the reason.
	rejected []v1alpha1.MigrationStatus
}

// slotRequest is one range of slots of spec.migrate and the index of the shard where it is to be.
type slotRequest struct {
	slots slots.Range
	to    int16
}

// readSlotRequests returns the requests that can be met, and entries with the reason for those that cannot.
func readSlotRequests(migrate []v1alpha1.TopologyMigration, shards []Shard) slotRequests {
	requests := slotRequests{want: unowned()}
	for i := range migrate {
		m := &migrate[i]
		to := int16(slices.IndexFunc(shards, func(h Shard) bool { return h.Index == m.Shard }))
		for _, text := range m.Slots {
			reason := ""
			r, err := slots.ParseRange(string(text))
			switch {
			case err != nil:
				reason = err.Error()
			case to < 0:
				reason = fmt.Sprintf("there is no shard %d; name one of the shards %s in spec.migrate, or raise spec.master", m.Shard, receivers(shards))
			case shards[to].Leaving:
				reason = fmt.Sprintf("shard %d is to be removed; name one of the shards %s in spec.migrate", m.Shard, receivers(shards))
			default:
				requests.want.runs(r, func(run slots.Range, other int16) {
					if other != noOwner && other != to {
						reason = fmt.Sprintf("the slots %s are sent to shard %d as well; leave them in one entry of spec.migrate",
							run, shards[other].Index)
					}
				})
			}
			if reason != "" {
				requests.rejected = append(requests.rejected, v1alpha1.MigrationStatus{
					Slots: text, From: m.Shard, To: m.Shard, State: v1alpha1.MigrationFailed, Message: reason,
				})
				continue
			}
			requests.want.assign(r, to)
			requests.ranges = append(requests.ranges, slotRequest{r, to})
		}
	}
	return requests
}

// receivers names the shards that slots can be sent to.
func receivers(shards []Shard) string {
	first, last, gaps := int32(-1), int32(-1), false
	for i := range shards {
		if h := &shards[i]; !h.Leaving {
			if first < 0 {
				first = h.Index
			}
			gaps = gaps || last >= 0 && h.Index != last+1
			last = h.Index
		}
	}
	if gaps || first == last {
		var all []int32
		for i := range shards {
			if !shards[i].Leaving {
				all = append(all, shards[i].Index)
			}
		}
		return fmt.Sprint(all)
	}
	return fmt.Sprintf("%d to %d", first, last)
}
