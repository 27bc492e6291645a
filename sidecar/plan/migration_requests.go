package plan

import (
	"fmt"
	"slices"

	slotset "github.com/kvrocks/kvrocks-operator/api/slots"
	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

// wishes are what spec.migrate asks for, as far as it can be had.
type wishes struct {
	// want is where each slot is to be; nobody when nothing is said of it.
	want *owners
	// ranges in the order of the spec.
	ranges []wish
	// rejected are the entries that cannot be, with the reason.
	rejected []v1alpha1.MigrationStatus
}

// wish is one range of slots of spec.migrate and where it is to be.
type wish struct {
	slots slotset.Range
	to    int16
}

func readWishes(migrate []v1alpha1.TopologyMigration, holders []holder) wishes {
	w := wishes{want: noOwners()}
	for i := range migrate {
		m := &migrate[i]
		to := int16(slices.IndexFunc(holders, func(h holder) bool { return h.index == m.Shard }))
		for _, text := range m.Slots {
			reason := ""
			r, err := slotset.ParseRange(string(text))
			switch {
			case err != nil:
				reason = err.Error()
			case to < 0:
				reason = fmt.Sprintf("there is no shard %d; name one of the shards %s in spec.migrate, or raise spec.master", m.Shard, receivers(holders))
			case holders[to].leaving:
				reason = fmt.Sprintf("shard %d is to be removed; name one of the shards %s in spec.migrate", m.Shard, receivers(holders))
			default:
				w.want.runs(r, func(run slotset.Range, other int16) {
					if other != nobody && other != to {
						reason = fmt.Sprintf("the slots %s are sent to shard %d as well; leave them in one entry of spec.migrate",
							run, holders[other].index)
					}
				})
			}
			if reason != "" {
				w.rejected = append(w.rejected, v1alpha1.MigrationStatus{
					Slots: text, From: m.Shard, To: m.Shard, State: v1alpha1.MigrationFailed, Message: reason,
				})
				continue
			}
			w.want.give(r, to)
			w.ranges = append(w.ranges, wish{r, to})
		}
	}
	return w
}

// receivers names the shards that slots can be sent to.
func receivers(holders []holder) string {
	first, last, gaps := int32(-1), int32(-1), false
	for i := range holders {
		if h := &holders[i]; !h.leaving {
			if first < 0 {
				first = h.index
			}
			gaps = gaps || last >= 0 && h.index != last+1
			last = h.index
		}
	}
	if gaps || first == last {
		var all []int32
		for i := range holders {
			if !holders[i].leaving {
				all = append(all, holders[i].index)
			}
		}
		return fmt.Sprint(all)
	}
	return fmt.Sprintf("%d to %d", first, last)
}
