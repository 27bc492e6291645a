package hooks

import (
	"fmt"
	"slices"
	"strings"

	"github.com/kvrocks/kvrocks-operator/api/slots"
	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

const (
	// maxSlotLines bounds the slot map, which is for people.
	maxSlotLines = 512
	// maxNamedRanges bounds the ranges in a message.
	maxNamedRanges = 8
)

// clusterStatus returns the status of a cluster. Shards that are to leave count for nothing in it but its message.
func (in statusBuilder) clusterStatus(shards []shard, steps []step, store step, out *children) *v1alpha1.KVRocksStatus {
	wanted := int(*in.spec.Master)
	status, complete := in.dataStatus(shards[:wanted])
	for _, s := range shards[wanted:] {
		status.Shards = append(status.Shards, in.shardView(s))
	}
	masters := int32(0)
	for i := range status.Shards[:wanted] {
		if status.Shards[i].Master != "" {
			masters++
		}
	}
	status.ShardsReady = fraction(masters, int32(wanted))
	status.Slots, status.SlotMap = slotSummary(status.Shards)
	served := len(status.SlotMap) > 0
	if in.topology != nil {
		status.Migrations = in.topology.Status.Migrations
	}

	now := in.pendingChange(firstPending(append(slices.Clone(steps[:wanted]), store)), out)
	if now.reason == "" {
		now = in.clusterNotReady(shards[:wanted], complete)
	}
	if now.reason == "" {
		now = firstPending(steps[wanted:])
	}
	if now.reason == "" {
		now = in.leavingStep(shards[wanted:])
	}
	if now.reason == "" {
		now = in.migrationStep()
	}
	kinds := append(in.dataConditions(), v1alpha1.ConditionSlotsAssigned)
	in.conclude(status, in.reportedConditions(kinds), now, served)
	return status
}

// firstPending returns the first step that waits for something; the zero step when none does.
func firstPending(steps []step) step {
	for _, now := range steps {
		if now.pending {
			return now
		}
	}
	return step{}
}

// clusterNotReady names a pod that is not ready: of the data, of etcd, or of kvrocks-controller.
func (in statusBuilder) clusterNotReady(shards []shard, complete bool) step {
	now := step{reason: reasonPodsNotReady}
	members := in.spec.Cluster.Etcd.Replicas
	switch etcd := in.etcdSet(); {
	case !complete:
		now.message = in.whyNotReady(shards)
	case etcd == nil || etcd.Status.ReadyReplicas < members:
		now.message = in.whyPodsNotReady(v1alpha1.ComponentEtcd)
	case etcd.Status.UpdatedReplicas < members:
		return now.wait(reasonRollingUpdate, "%d of %d members of etcd are up to date", etcd.Status.UpdatedReplicas, members)
	default:
		return in.deploymentStep(controllerName(in.name), v1alpha1.ComponentController, "pods of kvrocks-controller",
			in.spec.Cluster.Controller.Replicas)
	}
	return now
}

// leavingStep returns what keeps the shards that are to leave. The highest comes first.
func (in statusBuilder) leavingStep(leaving []shard) step {
	for _, s := range slices.Backward(leaving) {
		status := in.shardStatus(s.index)
		switch {
		case status == nil || len(status.Slots) == 0:
			return step{}.wait(reasonRemovingShard, "waiting for shard %d to leave the cluster before its pods are removed", s.index)
		case in.spec.Cluster.Drain:
			return step{}.wait(reasonDraining, "moving the slots of shard %d to the shards that stay: %s are left", s.index, ranges(status.Slots))
		default:
			return step{}.wait(reasonShardOwnsSlots, "shard %d is to be removed and owns the slots %s; move them to the shards 0 to %d with spec.migrate, or write cluster: {drain: true}",
				s.index, ranges(status.Slots), *in.spec.Master-1)
		}
	}
	return step{}
}

// ranges names slots in a message.
func ranges(slots []v1alpha1.SlotRange) string {
	var text strings.Builder
	for i, r := range slots {
		switch {
		case i == maxNamedRanges:
			fmt.Fprintf(&text, " and %d more ranges", len(slots)-i)
			return text.String()
		case i > 0:
			text.WriteByte(',')
		}
		text.WriteString(string(r))
	}
	return text.String()
}

// migrationStep returns which slots move, or why some did not. A pause, which a person asked for, is nothing to wait for.
func (in statusBuilder) migrationStep() step {
	if in.topology == nil {
		return step{}
	}
	failed := step{}
	for i := range in.topology.Status.Migrations {
		m := &in.topology.Status.Migrations[i]
		text := fmt.Sprintf("moving the slots %s from shard %d to shard %d", m.Slots, m.From, m.To)
		if m.Message != "" {
			text += ": " + m.Message
		}
		switch m.State {
		case v1alpha1.MigrationRunning:
			return step{}.wait(reasonMigrating, "%s", text)
		case v1alpha1.MigrationPending:
			if in.cr.Annotations[v1alpha1.AnnotationMigration] != v1alpha1.MigrationPaused {
				return step{}.wait(reasonMigrating, "%s", text)
			}
		case v1alpha1.MigrationFailed:
			failed.reason, failed.message = reasonMigrationFailed, text
		case v1alpha1.MigrationDone:
		}
	}
	return failed
}

// slotSummary returns how many slots have an owner, and the owners.
func slotSummary(shards []v1alpha1.ShardStatus) (owned string, owners []string) {
	lines := slotLines(shards)
	n := 0
	for _, line := range lines {
		n += line.Len()
	}
	return fraction(int32(n), slots.Count), slotMap(lines)
}

// slotLine is a range of slots and the shard that owns it.
type slotLine struct {
	slots.Range

	shard  int32
	master string
}

// slotLines returns who owns which slots, in the order of the slots. Ranges that cannot be read are left out.
func slotLines(shards []v1alpha1.ShardStatus) []slotLine {
	var lines []slotLine
	for i := range shards {
		for _, r := range shards[i].Slots {
			if owned, err := slots.ParseRange(string(r)); err == nil {
				lines = append(lines, slotLine{owned, shards[i].Index, shards[i].Master})
			}
		}
	}
	slices.SortFunc(lines, func(a, b slotLine) int { return a.First - b.First })
	return lines
}

func slotMap(lines []slotLine) []string {
	var text []string
	for i, line := range lines {
		if i == maxSlotLines {
			return append(text, fmt.Sprintf("and %d more ranges", len(lines)-i))
		}
		text = append(text, fmt.Sprintf("%s: shard %d, master %s", line.Range, line.shard, line.master))
	}
	return text
}
