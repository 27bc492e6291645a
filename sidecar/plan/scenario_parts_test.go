package plan_test

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/condition"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/quorum"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/storage"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// member adds a data pod, its node, and what was last reported of it.
func (b *builder) member(name string, words []string) {
	shard := &b.in.Topology.Spec.Shards[0]
	shard.Members = append(shard.Members, v1alpha1.Member{Pod: name, Address: addressOf(name)})
	pod := plan.Pod{IP: "10.244.0." + name[len("orders-"):], Running: true}
	node := plan.Node{Reach: plan.Answered, Role: v1alpha1.RoleReplica, Sequence: 100, Priority: 100}
	reported := v1alpha1.TopologyNode{Pod: name}
	switch is := words[0]; is {
	case "nopod":
		b.last.Nodes = append(b.last.Nodes, b.reported(reported, words, 100))
		return
	default:
		b.state(is, &node, addressOf)
	}
	for _, word := range words[1:] {
		b.memberWord(word, name, &pod, &node, &reported)
	}
	b.in.Pods[name], b.in.Nodes[name] = pod, node
	b.last.Nodes = append(b.last.Nodes, b.reported(reported, words, node.Sequence))
}

// state is what a member's node is; addressOf knows the members that it may follow.
func (b *builder) state(is string, node *plan.Node, addressOf func(pod string) string) {
	switch is {
	case "master":
		node.Role = v1alpha1.RoleMaster
	case "self":
		node.MasterHost, node.MasterPort, node.LinkUp = "127.0.0.1", scenarioPort, true
	case "dead":
		node.MasterHost, node.MasterPort = "127.0.0.1", 1
	case "down", "hung", "loading", "refused":
		node.Reach = plan.Reach(strings.ToUpper(is[:1]) + is[1:])
		node.Err, node.DownSince = "no answer", scenarioNow
	default:
		host, ok := strings.CutPrefix(is, "->")
		require.True(b.t, ok, "what is %q?", is)
		node.MasterHost, node.MasterPort = addressOf(host), scenarioPort
	}
}

func (b *builder) reported(n v1alpha1.TopologyNode, words []string, sequence int64) v1alpha1.TopologyNode {
	n.Sequence = sequence
	for _, word := range words {
		if word == "insync" || word == "placed" {
			n.Role = v1alpha1.RoleReplica
		}
		key, value, _ := strings.Cut(word, "=")
		switch key {
		case "had":
			n.Sequence = number(b.t, value)
		case "had-volume":
			n.Volume = value
		case "behind":
			at := metav1.NewTime(scenarioNow.Add(-duration(b.t, value)))
			n.BehindSince = &at
		case "used":
			n.UsedPercent = int32(number(b.t, value))
		}
	}
	return n
}

func (b *builder) memberWord(word, name string, pod *plan.Pod, node *plan.Node, reported *v1alpha1.TopologyNode) {
	key, value, _ := strings.Cut(word, "=")
	switch key {
	case "version":
		node.Version, reported.Version = value, value
	case "seq":
		node.Sequence = number(b.t, value)
	case "empty":
		node.Sequence = 0
	case "volume":
		pod.Saved += "volume " + value + "\n"
	case "lists":
		node.Replicas = append(node.Replicas, value)
	case "up":
		node.LinkUp = true
	case "syncing":
		node.Syncing = true
	case "silent-link":
		node.LinkUp, node.LastIO = true, time.Minute
	case "serving":
		pod.Attached, pod.Role = true, v1alpha1.RoleMaster
	case "placed":
		pod.Attached, pod.Role = true, v1alpha1.RoleReplica
		node.LinkUp = true
	case "insync", "had", "had-volume", "behind", "used": // See reported.
	case "disk": // used/capacity in MiB, and what the database takes
		var used, capacity, database int64
		n, _ := fmt.Sscanf(value, "%d/%d:%d", &used, &capacity, &database)
		require.GreaterOrEqual(b.t, n, 2, word)
		node.Disk = storage.Disk{Capacity: capacity << 20, Used: used << 20, Database: database << 20}
	case "refuses-writes":
		node.Refusal = storage.Refusal(value)
	case "before":
		node.SequenceBefore = number(b.t, value)
	case "unlabelled":
		pod.Role = ""
	case "attached":
		pod.Attached = true
	case "ready-for":
		pod.ReadySince = scenarioNow.Add(-duration(b.t, value))
	case "unready":
		pod.Unready = true
	case "label":
		pod.Role = v1alpha1.Role(value)
	case "priority":
		node.Priority = int32(number(b.t, value))
	case "deleting":
		pod.Deleting = true
	case "old": // It was made from another template than the present one.
		pod.UID = "uid-" + name
		for i := range b.in.Topology.Spec.Shards {
			shard := &b.in.Topology.Spec.Shards[i]
			if slices.ContainsFunc(shard.Members, func(m v1alpha1.Member) bool { return m.Pod == name }) {
				if shard.Replace == nil {
					shard.Replace = map[string]types.UID{}
				}
				shard.Replace[name] = types.UID(pod.UID)
			}
		}
	case "new": // Its predecessor was replaced.
		pod.UID = "uid-new"
		b.memberWord("old", name, &plan.Pod{}, node, reported)
	case "stopped":
		pod.Running = false
	case "backing-off":
		pod.Running, pod.BackingOff = false, true
	case "no-address":
		pod.Running, pod.IP = false, ""
	case "outlives":
		node.Outlives = true
	case "heard":
		node.LinkUp, node.LastIO = true, duration(b.t, value)
	case "for":
		d := duration(b.t, value)
		node.DownSince, node.LastMaster = scenarioNow.Add(-d), scenarioNow.Add(-d-time.Second)
	case "stale-password":
		b.in.Credentials.Stale = append(b.in.Credentials.Stale, name)
	case "config":
		if node.Config == nil {
			node.Config = map[string]string{}
		}
		if k, v, ok := strings.Cut(value, ":"); ok {
			node.Config[k] = v
		}
	case "refuses":
		node.Refusals = map[string]string{value: "ERR no"}
	case "frozen":
		node.Refusals, node.RequiresRestart = map[string]string{value: "ERR no"}, map[string]bool{value: true}
	default:
		b.t.Fatalf("unknown word %q of %s", word, reported.Pod)
	}
}

// outage is one on record since the given age, in which no successor was chosen yet.
func (b *builder) outage(master, cause, age string) *v1alpha1.Outage {
	at := metav1.NewMicroTime(scenarioNow.Add(-duration(b.t, age)))
	return &v1alpha1.Outage{Master: master, Cause: v1alpha1.FailoverCause(cause), Since: at, DetectedAt: at, Sequence: 90}
}

// failover is an entry of the journal.
func (b *builder) failover(from, to string) {
	b.in.Topology.Status.Failovers = append(b.in.Topology.Status.Failovers, v1alpha1.FailoverRecord{
		At: metav1.NewMicroTime(scenarioNow.Add(-20 * time.Second)), Cause: v1alpha1.CauseDown,
		From: from, To: to, Sequence: 90,
	})
}

// promoted says how long ago the target of the recorded outage was promoted.
func (b *builder) promoted(age string) {
	at := metav1.NewMicroTime(scenarioNow.Add(-duration(b.t, age)))
	b.last.Outage.PromotedAt = &at
}

// releasing says for how long the sentinels have been told to let go.
func (b *builder) releasing(age string) {
	b.in.Topology.Status.Conditions = []metav1.Condition{{
		Type: v1alpha1.ConditionSentinelAgreed, Status: metav1.ConditionUnknown, Reason: condition.ReasonReleasing,
		LastTransitionTime: metav1.NewTime(scenarioNow.Add(-duration(b.t, age))),
	}}
}

// sentinel adds a sentinel pod.
func (b *builder) sentinel(pod string, words []string) {
	s := &b.in.Sentinels
	s.Configured = true
	s.Want++
	v := plan.SentinelView{IP: "10.244.1." + pod[len("watch-"):], Reach: plan.Answered, Masters: map[string]quorum.MasterView{}}
	s.Views[pod] = v
	switch words[0] {
	case "down":
		v.Reach, v.Err = plan.Unreachable, "connection refused"
		s.Views[pod] = v
		return
	case "nothing":
		return
	}
	m := quorum.MasterView{
		Address: addressOf(strings.TrimPrefix(words[0], "->")), Port: scenarioPort,
		DownAfterMilliseconds: 5000, FailoverTimeoutMilliseconds: 20000, ParallelSyncs: 1, AuthApplied: true,
	}
	for _, word := range words[1:] {
		key, value, _ := strings.Cut(word, "=")
		switch key {
		case "odown":
			m.SubjectivelyDown, m.ObjectivelyDown, m.ODownAt = true, true, scenarioNow.Add(-200*time.Millisecond)
		case "electing":
			m.Failover = true
		case "quorum":
			m.Quorum = int32(number(b.t, value))
		case "ghost-peer":
			m.Peers = append(m.Peers, "10.244.9.9")
		case "ghost-replica":
			m.Replicas = append(m.Replicas, "10.96.9.9")
		case "self-replica":
			m.Replicas = append(m.Replicas, m.Address)
		case "spinning":
			v.Spinning = true
		case "tilt":
			v.Tilt = true
		case "stale-auth":
			m.AuthApplied = false
		case "alone":
			b.alone = append(b.alone, pod)
		default:
			b.t.Fatalf("unknown word %q of %s", word, pod)
		}
	}
	v.Masters["orders"] = m
	s.Views[pod] = v
}
