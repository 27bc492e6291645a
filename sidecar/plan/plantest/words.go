// Package plantest is what the tests of package plan and its simulated lives share: actions in words, and what volumes remember.
package plantest

import (
	"fmt"
	"strings"

	"github.com/kvrocks/kvrocks-operator/api/slots"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/action"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/layout"
)

// Words is an action in words. Pods of a cluster, and their nodes, are named by shard and ordinal, as 0-1.
func Words(a action.Action) string {
	switch a := a.(type) {
	case action.Detach:
		return "detach " + Short(a.Pod)
	case action.Attach:
		return "attach " + Short(a.Pod)
	case action.Label:
		return strings.TrimSpace(fmt.Sprintf("label %s %s", Short(a.Pod), a.Role))
	case action.DeletePod:
		return "replace " + Short(a.Pod)
	case action.Promote:
		return "promote " + a.Pod
	case action.DropClients:
		return "drop " + Short(a.Pod)
	case action.Follow:
		if a.Port == 1 {
			return "stop " + a.Pod
		}
		return fmt.Sprintf("follow %s ->%s", a.Pod, nameOf(a.Host))
	case action.WriteMarker:
		return "mark " + Short(a.Pod)
	case action.ApplyPassword:
		return "password " + Short(a.Pod)
	case action.Configure:
		return fmt.Sprintf("set %s %v", Short(a.Pod), a.Settings)
	}
	if text := sentinelWords(a); text != "" {
		return text
	}
	return clusterWords(a)
}

// sentinelWords is an action on a sentinel. The master of a standard instance need not be named.
func sentinelWords(a action.Action) string {
	name := func(masterName string) string { return strings.TrimSuffix(" "+masterName, " orders") }
	switch a := a.(type) {
	case action.Monitor:
		verb, address := "monitor", a.Address
		if a.Replace {
			verb = "remonitor"
		}
		if a.MasterName == "orders" {
			address = nameOf(address)
		}
		return fmt.Sprintf("%s %s%s ->%s quorum=%d", verb, a.Sentinel, name(a.MasterName), address, a.Quorum)
	case action.Tune:
		return fmt.Sprintf("tune %s%s quorum=%d", a.Sentinel, name(a.MasterName), a.Quorum)
	case action.RenewLinks:
		return fmt.Sprintf("renew %s %v", a.Sentinel, a.Pods)
	case action.Unmonitor:
		return fmt.Sprintf("unmonitor %s%s", a.Sentinel, name(a.MasterName))
	}
	return ""
}

func nameOf(address string) string {
	if n, ok := strings.CutPrefix(address, "10.96.0."); ok {
		return "orders-" + n
	}
	return address
}

// Short is the name of a pod or the id of its node: of a cluster, shard and ordinal.
func Short(name string) string {
	if pod, ok := strings.CutPrefix(name, "orders-"); ok && strings.Contains(pod, "-") {
		return pod
	}
	return strings.TrimPrefix(name, "id")
}

// clusterWords is an action on kvrocks-controller, or on nodes of a cluster.
func clusterWords(a action.Action) string {
	switch a := a.(type) {
	case action.Push:
		return pushWords(a)
	case action.FailOver:
		text := fmt.Sprintf("failover %s -> %s", Short(a.MasterID), Short(a.PreferredID))
		if a.Install != "" {
			text += " at once"
		}
		return text
	case action.CreateCluster:
		return fmt.Sprint("create ", a.Shards)
	case action.ImportCluster:
		return "import " + Short(a.Pod)
	case action.DeleteCluster:
		return "delete"
	case action.AddShard:
		return fmt.Sprint("add shard ", a.Addresses)
	case action.RemoveShard:
		return "remove shard of " + Short(a.MasterID)
	case action.AddNode:
		return fmt.Sprintf("add %s to %s", a.Address, Short(a.MasterID))
	case action.RemoveNode:
		return "remove " + Short(a.ID)
	case action.MoveSlots:
		text := fmt.Sprintf("move %s %s->%s", a.Slots, Short(a.Pod), Short(a.ToID))
		if strings.HasPrefix(a.ToID, "f") {
			text = fmt.Sprintf("move %s %s->nowhere", a.Slots, Short(a.Pod))
		}
		if a.KeysPerSecond > 0 {
			text += fmt.Sprintf(" speed=%d", a.KeysPerSecond)
		}
		return text
	case action.CountKeys:
		return fmt.Sprintf("count %s on %s", a.Slots, Short(a.Pod))
	case action.RecordSlots:
		return fmt.Sprintf("record %s ->%s", a.Slots, Short(a.ToMasterID))
	}
	return fmt.Sprintf("%T", a)
}

func pushWords(a action.Push) string {
	var text strings.Builder
	fmt.Fprintf(&text, "push %s v=%d", Short(a.Pod), a.Layout.Version)
	for i := range a.Layout.Shards {
		s := &a.Layout.Shards[i]
		if s.Slots.Empty() && len(s.Nodes) == 1 && s.Nodes[0].ID == a.ID {
			text.WriteString(" stop")
		}
		for _, n := range s.Nodes {
			if n.Address == layout.DeadHost {
				text.WriteString(" stranded")
			}
		}
	}
	if a.Force {
		text.WriteString(" force")
	}
	return text.String()
}

// Recalled is what hooks/scripts/recall.sh tells.
func Recalled(version, id, master, slots, shards any) string {
	return fmt.Sprintf("version %v\nid %v\nmaster %v\nslots %v\nshards %v\n", version, id, master, slots, shards)
}

// EvenSlots are the slots of shard i of n shards between which they are spread evenly.
func EvenSlots(i, n int) slots.Set {
	return slots.Of(slots.Range{First: i * slots.Count / n, Last: (i+1)*slots.Count/n - 1})
}
