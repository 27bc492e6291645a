package reconcile

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/claims"
	"github.com/kvrocks/kvrocks-operator/sidecar/conn"
	"github.com/kvrocks/kvrocks-operator/sidecar/kube"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan"
)

// pass is one pass over one topology.
type pass struct {
	*Reconciler

	key      types.NamespacedName
	topology *v1alpha1.KVRocksTopology
	inst     *instance
	pods     map[string]*corev1.Pod // data pods as they were when the pass began
	// fullProbe is true when everything is read, also what changes rarely: something happened, or the last pass had something
	// to do.
	fullProbe bool
	// volumes is what is said of the volumes in this pass.
	volumes claims.Report
}

// observeStandard asks all nodes and sentinels of an instance, all at the same time.
func (p *pass) observeStandard(ctx context.Context) plan.Input {
	p.inst.connect(p.topology, p.pods, p.dialNode(p.key), p.now())
	p.refreshCredentials(ctx)
	p.observeNodes(ctx)
	return p.input(ctx)
}

// input returns what is known once the nodes have been asked. The sentinels are asked after them: when a node was promoted by
// them, they then say so, or that they are at it.
func (p *pass) input(ctx context.Context) plan.Input {
	in := plan.Input{
		Topology:  p.topology,
		Pods:      map[string]plan.Pod{},
		Nodes:     map[string]plan.Node{},
		Sentinels: p.observeSentinels(ctx),
	}
	in.Credentials.Err = p.inst.credentials.Err()
	in.PodFailures = p.kubernetes.PodFailures(p.topology, p.pods, p.now())
	for name, pod := range p.pods {
		in.Pods[name] = kube.FactsOf(pod).Pod
	}
	for name, n := range p.inst.nodes {
		in.Nodes[name] = n.seen
		if in.Credentials.Err == "" && n.stale() {
			in.Credentials.Stale = append(in.Credentials.Stale, name)
		}
	}
	slices.Sort(in.Credentials.Stale)
	in.Now = p.now()
	return in
}

// urgentTimeout is how long a pass waits for an answer while a master is being replaced. A node that is changing its
// role is silent for seconds, and the others must not wait for it. A node that is only slow is taken for unresponsive at worst
// until the next pass.
const urgentTimeout = 250 * time.Millisecond

// timeouts are how long a pass waits for an answer.
type timeouts struct {
	// usual is that of a process which answered the last time.
	usual time.Duration
	// longest is the longest wait that makes sense: a call has ended by then, with an answer or an error.
	longest time.Duration
	// onLate is called when an answer comes after the pass went on.
	onLate func()
}

// timeouts returns the present ones: urgentTimeout while a master is down or is being replaced.
func (p *pass) timeouts() timeouts {
	w := timeouts{
		longest: p.options.Timeout + p.options.Timeout/4, // or the answer would be "no answer" instead of what went wrong
		onLate:  func() { p.wake(p.key) },
	}
	w.usual = w.longest
	if p.inst.trigger.urgent.Load() || p.outage() {
		w.usual = min(urgentTimeout, w.longest)
	}
	return w
}

// outage reports whether some master is being replaced.
func (p *pass) outage() bool {
	return slices.ContainsFunc(p.topology.Status.Shards, func(s v1alpha1.TopologyShardStatus) bool { return s.Outage != nil })
}

func (p *pass) refreshCredentials(ctx context.Context) {
	refused := false
	for _, n := range p.inst.nodes {
		refused = refused || n.seen.Reach == plan.Refused
	}
	before := p.inst.credentials.Passwords()
	if before != p.inst.credentials.Refresh(ctx, p.secrets, p.topology, p.now(), p.options.SecretTTL, refused) {
		p.inst.readSettings()
	}
}

// observeNodes asks every node what it is, and then, knowing all the answers, the nodes whose less frequent facts matter now. A
// decision must not rest on an old answer, so unless nothing has changed everything is read, also what changes rarely.
// fullProbe reports whether it was.
func (p *pass) observeNodes(ctx context.Context) (fullProbe bool) {
	pw := p.inst.credentials.Passwords()
	before := map[string]plan.Node{}
	for name, n := range p.inst.nodes {
		before[name] = n.seen
	}
	w := p.timeouts()
	p.eachNode(func(n *node) { n.observe(ctx, pw, w, p.now) })
	all := p.fullProbe || !unchanged(before, p.inst.nodes)
	// Whether every node runs with what is wanted shows only when all settings were read in the same pass.
	settings := p.settingsDue()
	p.eachNode(func(n *node) {
		n.probeDetails(ctx, detailsProbe{
			passwords: pw, spec: &p.topology.Spec, now: p.now(), settings: settings, onLate: w.onLate,
			write: !p.outage(), // a marker would count among the writes that a successor must have
			taken: func(address string) string {
				if pod := p.kubernetes.PodAt(address); pod != p.key.Namespace+"/"+n.pod {
					return pod
				}
				return ""
			},
		})
	})
	return all
}

// settingsDue reports whether the settings of a node that answers were not read for some time.
func (p *pass) settingsDue() bool {
	for _, n := range p.inst.nodes {
		if n.seen.Reach == plan.Answered && p.now().Sub(n.configAt) >= rarely {
			return true
		}
	}
	return false
}

func (p *pass) eachNode(f func(*node)) {
	var wg sync.WaitGroup
	for _, n := range p.inst.nodes {
		wg.Go(func() { f(n) })
	}
	wg.Wait()
}

// unchanged reports whether every node answers, is what it was, and replicates.
func unchanged(before map[string]plan.Node, nodes map[string]*node) bool {
	for name, n := range nodes {
		was, is := before[name], n.seen
		healthy := is.Reach == plan.Answered && (is.Role == v1alpha1.RoleMaster || is.LinkUp)
		if !healthy || was.Role != is.Role || was.RunID != is.RunID || was.MasterHost != is.MasterHost {
			return false
		}
	}
	return true
}

// observeSentinels asks the sentinels that watch the instance.
func (p *pass) observeSentinels(ctx context.Context) plan.Sentinels {
	ref := p.topology.Spec.Sentinel
	if ref == nil {
		return plan.Sentinels{}
	}
	owner := types.NamespacedName{Namespace: p.key.Namespace, Name: ref.Name}
	s := plan.Sentinels{Configured: true}
	if t, ok := p.kubernetes.Topology(owner); ok && t.Spec.Type == v1alpha1.TypeSentinel {
		s.Exists, s.Want = true, t.Spec.Sentinels
	}
	s.Views = p.views(ctx, owner, masterNames(p.topology))
	wanted := p.inst.credentials.Passwords().Wanted
	for pod, view := range s.Views {
		for name, m := range view.Masters {
			m.AuthApplied = p.inst.sentinels[pod].conn.AuthApplied(name, wanted)
			view.Masters[name] = m
		}
	}
	return s
}

// views asks each pod of a sentinel instance about the names, or about all that it monitors when names is nil.
func (p *pass) views(ctx context.Context, owner types.NamespacedName, names []string) map[string]plan.SentinelView {
	pods := p.kubernetes.PodsOf(owner, v1alpha1.ComponentSentinel)
	for name := range p.inst.sentinels {
		if pods[name] == nil {
			delete(p.inst.sentinels, name) // its connection is closed by the event of the pod's deletion
		}
	}
	q := question{names: names, details: p.fullProbe, timeouts: p.timeouts(), now: p.now()}
	refused := slices.ContainsFunc(slices.Collect(maps.Values(p.inst.sentinels)), func(v *sentinelView) bool {
		return v.last.Reach == plan.Refused
	})
	pw := p.sentinelPasswords(ctx, owner, refused)
	var (
		mu    sync.Mutex
		wg    sync.WaitGroup
		views = map[string]plan.SentinelView{}
	)
	for name, pod := range pods {
		facts := kube.FactsOf(pod)
		if facts.Ended {
			continue // its Deployment has another one in its place
		}
		if facts.IP == "" {
			views[name] = plan.SentinelView{Reach: plan.Unreachable, Err: "the pod has no address yet"}
			continue
		}
		v := p.viewOf(pod, facts, pw)
		wg.Go(func() {
			view := v.observe(ctx, q)
			mu.Lock()
			defer mu.Unlock()
			views[name] = view
		})
	}
	wg.Wait()
	return views
}

func (p *pass) viewOf(pod *corev1.Pod, facts kube.PodFacts, pw conn.Passwords) *sentinelView {
	shared := p.sentinels.Get(pod, facts, pw)
	v := p.inst.sentinels[pod.Name]
	if v == nil || v.conn != shared {
		v = &sentinelView{conn: shared}
		v.last.IP = facts.IP
		p.inst.sentinels[pod.Name] = v
	}
	return v
}

// masterNames returns the names under which the instance is registered with sentinel.
func masterNames(t *v1alpha1.KVRocksTopology) []string {
	var names []string
	for _, shard := range t.Spec.Shards {
		names = append(names, shard.MasterName)
	}
	return names
}
