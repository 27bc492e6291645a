package plan

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/layout"
)

// staleIO is how long a replica may not have heard of its master before its link, though "up", counts as down. Masters
// that have nothing to say send a ping every second or so; the link stays "up" for more than a minute without.
const staleIO = 15 * time.Second

// member is a pod of the shard with all that is known of it.
type member struct {
	name    string
	address string
	ordinal int32
	// exists is true when the pod does.
	exists bool
	pod    Pod
	// was is the pod as observed; pod is as it will be after the actions planned so far.
	was  Pod
	node Node
	// handoff is true when the pod must not be master.
	handoff bool
	// outdated is true when the pod is to be replaced by one of the present template.
	outdated bool
	// leaving is true when the pod is beyond the wanted number of replicas.
	leaving bool
	port    int32
	// entry is the node in the record of the cluster; nil when it has none.
	entry *layout.Node
	// saved is what the volume remembers, where a cluster is made again; nil when that is nothing.
	saved *layout.Saved
	// keptFenced is true in a pass that leaves the node fenced and without a place, because its pod is replaced before it needs one.
	keptFenced bool
	// layoutGiven is true once the record has been given to the node in this pass.
	layoutGiven bool
}

// members are those of a shard.
type members []*member

func newMembers(in *Input, shard *v1alpha1.TopologyShard) members {
	all, array := make(members, len(shard.Members)), make([]member, len(shard.Members)) // one allocation for all
	for i, m := range shard.Members {
		pod, exists := in.Pods[m.Pod]
		node, known := in.Nodes[m.Pod]
		switch {
		case node.Outlives:
			// Like a pod that is being deleted with grace. Nothing can be written to it any more.
			exists, pod = false, Pod{Deleting: true, Running: true, Attached: true, Role: v1alpha1.RoleMaster}
		case !exists || !known:
			node.Reach = Unreachable
		}
		ordinal := ordinalOf(m.Pod, i)
		all[i] = &array[i]
		array[i] = member{
			name:     m.Pod,
			address:  m.Address,
			ordinal:  ordinal,
			exists:   exists,
			pod:      pod,
			was:      pod,
			node:     node,
			handoff:  slices.Contains(shard.Handoff, m.Pod),
			outdated: exists && pod.UID != "" && string(shard.Replace[m.Pod]) == pod.UID,
			leaving:  ordinal >= shard.Replicas,
			port:     in.Topology.Spec.Port,
		}
	}
	return all
}

// ordinalOf returns the ordinal in the name of a StatefulSet's pod; for a name without one its index in the list.
func ordinalOf(pod string, place int) int32 {
	n, err := strconv.ParseInt(pod[strings.LastIndexByte(pod, '-')+1:], 10, 32)
	if err != nil {
		return int32(place)
	}
	return int32(n)
}

// Answered reports whether the node answers in full.
func (m *member) Answered() bool { return m.node.Reach == Answered }

// silent reports whether nothing came back: the node is unresponsive or unreachable, or there is no pod. A node that loads or
// refuses a password is alive.
func (m *member) silent() bool { return m.node.Reach == Unreachable || m.node.Reach == Unresponsive }

// gone reports whether Kubernetes itself says that the process does not run.
func (m *member) gone() bool { return !m.exists || !m.pod.Running || m.pod.Deleting && m.silent() }

func (m *member) isMaster() bool { return m.Answered() && m.node.Role == v1alpha1.RoleMaster }

// stopped reports whether the node is a replica of the dead address.
func (m *member) stopped() bool {
	return m.Answered() && m.node.Role != v1alpha1.RoleMaster &&
		m.node.MasterHost == layout.DeadHost && m.node.MasterPort == layout.DeadPort
}

// followsItself reports whether the node is a replica of itself, as every node is after a start until it is given a place.
func (m *member) followsItself() bool {
	if !m.Answered() || m.node.Role == v1alpha1.RoleMaster || m.stopped() {
		return false
	}
	switch m.node.MasterHost {
	case "", "localhost", "::1", m.address, m.pod.IP:
		return true
	}
	return strings.HasPrefix(m.node.MasterHost, "127.")
}

// follows reports whether the node is a replica of the given member.
func (m *member) follows(master *member) bool {
	return m.Answered() && m.node.Role != v1alpha1.RoleMaster &&
		m.node.MasterHost == master.address && m.node.MasterPort == m.port
}

// linked reports whether the node replicates from the given member right now.
func (m *member) linked(master *member) bool {
	return m.follows(master) && m.node.LinkUp && !m.node.Syncing && m.node.LastIO < staleIO
}

// downFor returns how long the node has been failing, as far as this process knows.
func (m *member) downFor(now time.Time) time.Duration {
	if m.Answered() || m.node.DownSince.IsZero() {
		return 0
	}
	return now.Sub(m.node.DownSince)
}
