package simulation

import (
	"time"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/lag"
)

// memory is what the sidecar's process remembers of nodes.
type memory struct {
	lastMaster, downSince map[string]time.Time
	// masters are those that answered as master when their pod was last seen.
	masters map[string]bool
	trails  map[string]*lag.History
	// followed are, by node, the proved masters that they followed after the pass before.
	followed map[string]string
}

func (m *memory) forget() {
	m.lastMaster, m.downSince, m.masters = map[string]time.Time{}, map[string]time.Time{}, map[string]bool{}
	m.trails, m.followed = map[string]*lag.History{}, map[string]string{}
}

// input is what the sidecar observes of pods and their nodes; observe is what it sees of one node now. The process of a pod that is
// gone is known as long as the connection stands that the sidecar had with it as a master.
func (l *life) input(observe func(pod string) plan.Node) plan.Input {
	in := plan.Input{
		Now: l.now, Topology: l.topology.DeepCopy(), Pods: map[string]plan.Pod{}, Nodes: map[string]plan.Node{},
	}
	for _, name := range l.names {
		p := l.pods[name]
		if !p.exists {
			delete(l.lastMaster, name)
			delete(l.downSince, name)
			continue
		}
		n := observe(name)
		if p.forced && !l.masters[name] {
			continue
		}
		l.remember(name, &n)
		if n.Outlives = p.forced; !p.forced {
			l.masters[name] = n.Reach == plan.Answered && n.Role == v1alpha1.RoleMaster
			in.Pods[name] = p.observe(l.now)
		}
		in.Nodes[name] = n
	}
	return in
}

// remember completes what is observed of a node by what was before.
func (l *life) remember(name string, n *plan.Node) {
	switch {
	case n.Reach == plan.Answered:
		delete(l.downSince, name)
		// In a standard instance every answer counts, also a replica's.
		if n.Role == v1alpha1.RoleMaster || l.topology.Spec.Type == v1alpha1.TypeStandard && !l.pods[name].forced {
			l.lastMaster[name] = l.now
		}
	case l.downSince[name].IsZero():
		l.downSince[name] = l.now
	}
	n.LastMaster, n.DownSince = l.lastMaster[name], l.downSince[name]
	l.measure(name, n)
}

// measure keeps the trail of a master.
func (l *life) measure(name string, n *plan.Node) {
	if n.Reach != plan.Answered {
		return
	}
	if n.Role != v1alpha1.RoleMaster {
		delete(l.trails, name)
		return
	}
	if l.trails[name] == nil {
		l.trails[name] = &lag.History{}
	}
	l.trails[name].Note(l.now, n.Sequence, l.maxLag())
	n.SequenceBefore = l.trails[name].Before(l.now, l.maxLag())
}

// maxLag is how long a replica may lack a write.
func (l *life) maxLag() time.Duration {
	return time.Duration(l.topology.Spec.Failover.MaxLagSeconds) * time.Second
}
