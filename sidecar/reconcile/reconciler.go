package reconcile

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/types"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/conn"
	"github.com/kvrocks/kvrocks-operator/sidecar/kube"
	"github.com/kvrocks/kvrocks-operator/sidecar/kvctl"
	"github.com/kvrocks/kvrocks-operator/sidecar/kvrocks"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/action"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/sentinelset"
)

// Pauses between passes.
const (
	// afterActions is the pause after a pass that did something; the next one sees what came of it.
	afterActions = 5 * time.Millisecond
	// afterExpected is the pause after a refusal that passes by itself, such as a node's own old replicas.
	afterExpected = 200 * time.Millisecond
	// whileMissing is the period while a node does not answer: it may come back at any moment.
	whileMissing = time.Second
)

// planner decides; package plan has the real one.
type planner struct {
	standard   func(plan.Input) plan.Plan
	cluster    func(plan.Input) plan.Plan
	sentinel   func(sentinelset.Input) plan.Plan
	sameReport func(a, b v1alpha1.KVRocksTopologyStatus) bool
}

// kubernetesView is what a pass reads of Kubernetes; [kube.Cache] has it.
type kubernetesView interface {
	Topology(key types.NamespacedName) (t *v1alpha1.KVRocksTopology, ok bool)
	AllTopologies() []*v1alpha1.KVRocksTopology
	MonitoredBy(sentinel types.NamespacedName) []*v1alpha1.KVRocksTopology
	PodsOf(instance types.NamespacedName, component string) map[string]*corev1.Pod
	PodFailures(t *v1alpha1.KVRocksTopology, pods map[string]*corev1.Pod, now time.Time) []v1alpha1.PodFailure
	PodAt(address string) string
	ClaimsOf(instance types.NamespacedName) (claims map[string]*corev1.PersistentVolumeClaim, ok bool)
}

// claimWriter makes claims ask for larger volumes; [kube.ClaimWriter] is one.
type claimWriter interface {
	Expand(ctx context.Context, claim *corev1.PersistentVolumeClaim, size resource.Quantity) (*corev1.PersistentVolumeClaim, error)
}

// statusWriter writes the report; [kube.TopologyClient] is one.
type statusWriter interface {
	UpdateStatus(ctx context.Context, t *v1alpha1.KVRocksTopology) error
}

// eventSink emits an event on the KVRocks of a topology; [kube.Recorder] is one.
type eventSink interface {
	Emit(t *v1alpha1.KVRocksTopology, e plan.Event)
}

// Reconciler carries out passes. Reconcile may be called for different keys at the same time.
type Reconciler struct {
	log         *slog.Logger
	options     Options
	planner     planner
	kubernetes  kubernetesView
	network     conn.Network
	secrets     typedcorev1.SecretsGetter
	podWriter   *kube.PodWriter
	claimWriter claimWriter
	status      statusWriter
	events      eventSink
	metrics     *metrics
	running     *running
	sentinels   *conn.SentinelPool
	now         func() time.Time
	// enqueue starts a pass soon.
	enqueue func(types.NamespacedName)

	mu        sync.Mutex
	instances map[types.NamespacedName]*instance
	triggers  map[types.NamespacedName]*trigger
	ofPool    map[types.NamespacedName]*conn.Credentials // of sentinel instances
	upgrades  map[types.NamespacedName]bool              // granted by this process and not over
}

// Result says when the next pass is due.
type Result struct {
	// Acted is true when the pass applied actions.
	Acted bool
	// After is the longest pause until the next pass; 0 when the topology is gone.
	After time.Duration
	// Slower is true when the pass did the same as the one before: the pauses grow, up to After.
	Slower bool
}

// Reconcile carries out one pass.
func (r *Reconciler) Reconcile(ctx context.Context, key types.NamespacedName) (Result, error) {
	t, ok := r.kubernetes.Topology(key)
	if !ok {
		r.drop(key)
		return Result{}, nil
	}
	inst := r.instance(key)
	if inst.uid != t.UID { // deleted and made again
		inst.close(r.now())
		*inst = *newInstance(inst.trigger)
		inst.uid = t.UID
	}
	p := &pass{
		Reconciler: r, key: key, inst: inst,
		topology:  t.DeepCopy(), // the cache keeps its own, whatever is done to this one
		fullProbe: inst.trigger.dirty.Swap(false) || !inst.settled,
	}
	inst.settled = false
	p.expandVolumes(ctx)
	var decided plan.Plan
	missing := false
	switch t.Spec.Type {
	case v1alpha1.TypeStandard:
		p.pods = r.kubernetes.PodsOf(key, v1alpha1.ComponentData)
		in := p.observeStandard(ctx)
		missing = anyMissing(in)
		decided = r.planner.standard(in)
	case v1alpha1.TypeCluster:
		p.pods = r.kubernetes.PodsOf(key, v1alpha1.ComponentData)
		decided, missing = p.planCluster(ctx)
	case v1alpha1.TypeSentinel:
		in := p.observeSentinelInstance(ctx)
		decided = r.planner.sentinel(in)
	default:
		return Result{}, nil // nothing is done for the type
	}
	if err := ctx.Err(); err != nil {
		return Result{}, err // what was observed while stopping means nothing
	}
	return p.carryOut(ctx, decided, missing)
}

// carryOut applies a plan, reports, and says when to look again.
func (p *pass) carryOut(ctx context.Context, decided plan.Plan, missing bool) (Result, error) {
	if decided.Intent {
		if err := p.report(ctx, decided); err != nil {
			return Result{}, err
		}
	}
	if err := (&applier{p}).apply(ctx, decided.Actions); err != nil {
		p.inst.actions = ""
		return Result{}, err
	}
	if !decided.Intent && !decided.ReportMayWait() {
		if err := p.report(ctx, decided); err != nil {
			return Result{}, err
		}
	}
	actions := describeActions(decided.Actions)
	next := Result{Acted: actions != "", After: p.options.Period}
	if decided.Again > 0 {
		next.After = decided.Again
	}
	switch {
	case next.Acted && actions == p.inst.actions:
		next.Slower = true
	case next.Acted:
		next.After = afterActions
	case decided.Again > 0 && !decided.SkipSlowProbes:
	case missing:
		next.After = min(whileMissing, next.After)
	default:
		p.inst.settled = true
		p.inst.trigger.urgent.Store(false)
	}
	p.inst.actions, p.inst.loggedFailure = actions, ""
	return next, nil
}

// describeActions returns the actions in words, by which it is seen whether two passes did the same.
func describeActions(actions []action.Action) string {
	var b strings.Builder
	for _, a := range actions {
		b.WriteString(actionKind(a) + detail(a))
	}
	return b.String()
}

// report writes the status when it says something new, and then emits the events.
func (p *pass) report(ctx context.Context, decided plan.Plan) error {
	decided.Status.Upgrade = p.grantedUpgrade(p.topology)
	p.reportVolumes(&decided)
	if !p.planner.sameReport(p.topology.Status, decided.Status) {
		t := p.topology.DeepCopy()
		t.Status = decided.Status
		if err := p.status.UpdateStatus(ctx, t); err != nil {
			return fmt.Errorf("report: %w", err)
		}
		p.metrics.reported(p.topology.Status, decided.Status)
	}
	for _, e := range decided.Events {
		p.log.Info("event", "instance", p.key.String(), "reason", e.Reason, "message", e.Message)
		p.events.Emit(p.topology, e)
	}
	return nil
}

func anyMissing(in plan.Input) bool {
	for name, pod := range in.Pods {
		if n, ok := in.Nodes[name]; pod.Deleting || !ok || n.Reach != plan.Answered {
			return true
		}
	}
	for _, v := range in.Sentinels.Views {
		if v.Reach != plan.Answered {
			return true
		}
	}
	return false
}

// isConflict reports whether err is that of a write that was overtaken by another one. The next pass starts from the newer state.
func isConflict(err error) bool {
	return apierrors.IsConflict(err) || apierrors.IsNotFound(err) || errors.Is(err, kube.ErrGone) ||
		errors.Is(err, kvctl.ErrChanged) || errors.Is(err, kvrocks.ErrOldLayout)
}

// wake makes the next pass a full probe, and starts it.
func (r *Reconciler) wake(key types.NamespacedName) {
	r.triggerOf(key).dirty.Store(true)
	r.enqueue(key)
}

// wakeUrgently is wake for a master that is down or is being replaced: the next passes wait only briefly for an answer.
func (r *Reconciler) wakeUrgently(key types.NamespacedName) {
	r.triggerOf(key).urgent.Store(true)
	r.wake(key)
}

func (r *Reconciler) triggerOf(key types.NamespacedName) *trigger {
	r.mu.Lock()
	defer r.mu.Unlock()
	b := r.triggers[key]
	if b == nil {
		b = &trigger{}
		r.triggers[key] = b
	}
	return b
}

func (r *Reconciler) instance(key types.NamespacedName) *instance {
	b := r.triggerOf(key)
	r.mu.Lock()
	defer r.mu.Unlock()
	inst := r.instances[key]
	if inst == nil {
		inst = newInstance(b)
		r.instances[key] = inst
	}
	return inst
}

// drop closes what was kept for a topology that is gone.
func (r *Reconciler) drop(key types.NamespacedName) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if inst := r.instances[key]; inst != nil {
		inst.close(r.now())
	}
	delete(r.instances, key)
	delete(r.triggers, key)
	delete(r.ofPool, key)
	delete(r.upgrades, key)
}

// dialNode opens connections of one instance. Losing one starts a pass, if the node had answered since the last loss:
// a server that only ever hangs up must not keep the passes running.
func (r *Reconciler) dialNode(key types.NamespacedName) func(*node, kvrocks.Secret) conn.DataNode {
	return func(n *node, password kvrocks.Secret) conn.DataNode {
		o := r.redisOptions(password)
		o.OnLost = func() {
			if n.lose(r.now()) {
				r.wake(key)
			}
		}
		return r.network.Node(n.addr, o)
	}
}

func (r *Reconciler) redisOptions(password kvrocks.Secret) kvrocks.Options {
	return kvrocks.Options{Password: password, Timeout: r.options.Timeout, OnCommand: r.metrics.command}
}
