// Package plantest is what the tests of package plan and its simulated lives share: actions in words, and what volumes remember.
package plantest

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/kvrocks/kvrocks-operator/api/slots"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/action"
)

// Words is an action on a standard instance in words, with members instead of their addresses.
func Words(a action.Action) string {
	switch a := a.(type) {
	case action.Detach:
		return "detach " + a.Pod
	case action.Attach:
		return "attach " + a.Pod
	case action.Label:
		return strings.TrimSpace(fmt.Sprintf("label %s %s", a.Pod, a.Role))
	case action.DeletePod:
		return "replace " + a.Pod
	case action.Promote:
		return "promote " + a.Pod
	case action.DropClients:
		return "drop " + a.Pod
	case action.Follow:
		if a.Port == 1 {
			return "stop " + a.Pod
		}
		return fmt.Sprintf("follow %s ->%s", a.Pod, nameOf(a.Host))
	case action.WriteMarker:
		return "mark " + a.Pod
	case action.ApplyPassword:
		return "password " + a.Pod
	case action.Configure:
		return fmt.Sprintf("set %s %v", a.Pod, a.Settings)
	case action.Monitor:
		verb := "monitor"
		if a.Replace {
			verb = "remonitor"
		}
		return fmt.Sprintf("%s %s ->%s quorum=%d", verb, a.Sentinel, nameOf(a.Address), a.Quorum)
	case action.Tune:
		return fmt.Sprintf("tune %s quorum=%d", a.Sentinel, a.Quorum)
	case action.RenewLinks:
		return fmt.Sprintf("renew %s %v", a.Sentinel, a.Pods)
	case action.Unmonitor:
		return "unmonitor " + a.Sentinel
	}
	return fmt.Sprintf("%T", a)
}

func nameOf(address string) string {
	if n, ok := strings.CutPrefix(address, "10.96.0."); ok {
		return "orders-" + n
	}
	return address
}

// ClusterWords is an action on a cluster in words.
func ClusterWords(a action.Action) string {
	short := func(s string) string { return strings.ReplaceAll(strings.ReplaceAll(s, "orders-", ""), "id", "") }
	switch a := a.(type) {
	case action.Push:
		return pushWords(a, short(a.Pod))
	case action.FailOver:
		text := fmt.Sprintf("failover %s -> %s", short(a.MasterID), short(a.PreferredID))
		if a.Install != "" {
			text += " at once"
		}
		return text
	case action.CreateCluster:
		return fmt.Sprint("create ", a.Shards)
	case action.ImportCluster:
		return "import " + short(a.Pod)
	case action.DeleteCluster:
		return "delete"
	case action.AddShard:
		return fmt.Sprint("add shard ", a.Addresses)
	case action.RemoveShard:
		return "remove shard of " + short(a.MasterID)
	case action.AddNode:
		return fmt.Sprintf("add %s to %s", a.Address, short(a.MasterID))
	case action.RemoveNode:
		return "remove " + short(a.ID)
	case action.Monitor:
		verb := "monitor"
		if a.Replace {
			verb = "remonitor"
		}
		return fmt.Sprintf("%s %s %s ->%s", verb, a.Sentinel, a.MasterName, a.Address)
	case action.Unmonitor:
		return fmt.Sprintf("unmonitor %s %s", a.Sentinel, a.MasterName)
	}
	return short(Words(a))
}

func pushWords(a action.Push, pod string) string {
	var text strings.Builder
	fmt.Fprintf(&text, "push %s v=%d", pod, a.Layout.Version)
	for i := range a.Layout.Shards {
		s := &a.Layout.Shards[i]
		if s.Slots.Empty() && len(s.Nodes) == 1 && s.Nodes[0].ID == a.ID {
			text.WriteString(" stop")
		}
		for _, n := range s.Nodes {
			if n.Address == "127.0.0.1" {
				text.WriteString(" stranded")
			}
		}
	}
	if a.Force {
		text.WriteString(" force")
	}
	return text.String()
}

// MoveWords is an action in words, with shards instead of nodes.
func MoveWords(a action.Action) string {
	shard := func(pod string) string { return strings.TrimSuffix(strings.TrimPrefix(pod, "orders-"), "-0") }
	switch a := a.(type) {
	case action.MoveSlots:
		to := a.ToID
		if strings.HasPrefix(a.ToID, "f") {
			to = "nowhere"
		} else {
			to = ShardOfID(to)
		}
		text := fmt.Sprintf("move %s %s->%s", a.Slots, shard(a.Pod), to)
		if a.KeysPerSecond > 0 {
			text += fmt.Sprintf(" speed=%d", a.KeysPerSecond)
		}
		return text
	case action.CountKeys:
		return fmt.Sprintf("count %s on %s", a.Slots, shard(a.Pod))
	case action.RecordSlots:
		return fmt.Sprintf("record %s ->%s", a.Slots, ShardOfID(a.ToMasterID))
	case action.Push:
		text := "push " + shard(a.Pod)
		if a.Force {
			text += " force"
		}
		nowhere := 0 // shards of a node that does not exist
		for _, s := range a.Layout.Shards {
			if s.Nodes[0].Port == 1 {
				nowhere++
			}
		}
		return text + strings.Repeat(" with nowhere", nowhere)
	}
	return ClusterWords(a)
}

// ShardOfID is the number of the shard whose only node has the id.
func ShardOfID(id string) string {
	n, err := strconv.Atoi(id)
	if err != nil {
		return id
	}
	return strconv.Itoa(n - 1)
}

// Recalled is what hooks/scripts/recall.sh tells.
func Recalled(version, id, master, slots, shards any) string {
	return fmt.Sprintf("version %v\nid %v\nmaster %v\nslots %v\nshards %v\n", version, id, master, slots, shards)
}

// EvenSlots are the slots of shard i of n shards between which they are spread evenly.
func EvenSlots(i, n int) slots.Set {
	return slots.Of(slots.Range{First: i * slots.Count / n, Last: (i+1)*slots.Count/n - 1})
}
