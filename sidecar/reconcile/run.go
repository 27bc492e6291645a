package reconcile

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"

	"github.com/kvrocks/kvrocks-operator/sidecar/conn"
	"github.com/kvrocks/kvrocks-operator/sidecar/kube"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/report"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/sentinelset"
)

const userAgent = "kvrocks-sidecar"

// Run runs the sidecar: it returns when ctx has ended and everything is put away, or with an error when it cannot go on.
func Run(ctx context.Context, config *rest.Config, o Options, log *slog.Logger) error {
	config = rest.CopyConfig(config)
	config.QPS, config.Burst, config.UserAgent = o.QPS, o.Burst, userAgent
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return fmt.Errorf("make a Kubernetes client: %w", err)
	}
	topologies, err := kube.NewTopologyClient(config)
	if err != nil {
		return err
	}
	instances, err := metadata.NewForConfig(config)
	if err != nil {
		return fmt.Errorf("make a client for metadata: %w", err)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)

	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	s := &sidecar{options: o, log: log, client: client, topologies: topologies, metadata: instances, metrics: newMetrics(registry), running: newRunning()}
	s.gauges(registry)
	go func() {
		if err := serve(ctx, o.Address, handler(registry, s.ready.Load, s.running.stuck)); err != nil {
			cancel(err)
		}
	}()
	err = s.run(ctx)
	if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, context.Canceled) {
		return cause
	}
	return err
}

// sidecar holds what lives as long as the process.
type sidecar struct {
	options    Options
	log        *slog.Logger
	client     kubernetes.Interface
	topologies *kube.TopologyClient
	metadata   metadata.Interface // of the instances
	metrics    *metrics
	running    *running
	ready      atomic.Bool
	// leading is the work of the present leadership; nil while another replica leads.
	leading atomic.Pointer[leadership]
}

// leadership is the work of one time of leading.
type leadership struct {
	reconciler *Reconciler
	queue      queue
}

func (s *sidecar) run(ctx context.Context) error {
	pods := kube.NewPodWriter(s.client.CoreV1(), time.Now)
	claims := kube.NewClaimWriter(s.client.CoreV1())
	c, err := kube.NewCache(s.options.Namespaces, s.client, s.topologies, pods, claims)
	if err != nil {
		return err
	}
	err = c.Start(ctx, s.wake, s.podGone)
	switch {
	case ctx.Err() != nil:
		return nil
	case err != nil:
		return err
	}
	s.ready.Store(true)
	s.log.Info("watching", "namespaces", s.options.Namespaces)
	events := kube.NewRecorder(ctx, s.client, userAgent)
	defer events.Close()
	return kube.Lead(ctx, s.client, s.options.Lease, func(ctx context.Context) {
		s.lead(ctx, c, writers{pods, claims}, events)
	})
}

// writers are those of the process, whose writes show in the cache at once.
type writers struct {
	pods   *kube.PodWriter
	claims *kube.ClaimWriter
}

// lead works until ctx ends.
func (s *sidecar) lead(ctx context.Context, c *kube.Cache, w writers, events eventSink) {
	s.log.Info("leading", "identity", s.options.Lease.Identity)
	s.metrics.leading.Set(1)
	defer s.metrics.leading.Set(0)
	q := newQueue()
	r := &Reconciler{
		log: s.log, options: s.options, planner: thePlanner(), kubernetes: c, network: conn.RedisNetwork(),
		secrets: s.client.CoreV1(), podWriter: w.pods, claimWriter: w.claims, status: s.topologies, events: events,
		metrics: s.metrics, running: s.running, now: time.Now, enqueue: q.Add,
	}
	r.begin(ctx)
	defer r.close()
	s.leading.Store(&leadership{reconciler: r, queue: q})
	defer s.leading.Store(nil)
	for _, t := range c.AllTopologies() {
		q.Add(kube.KeyOf(t))
	}
	go kube.RemoveLegacyFinalizers(ctx, s.metadata, s.options.Namespaces, s.options.Period, s.log)
	r.work(ctx, q)
	s.log.Info("no longer leading")
}

func thePlanner() planner {
	return planner{standard: plan.Standard, cluster: plan.Cluster, sentinel: sentinelset.Plan, sameReport: report.Same}
}

// begin makes what the Reconciler keeps; its subscriptions end with ctx.
func (r *Reconciler) begin(ctx context.Context) {
	r.instances = map[types.NamespacedName]*instance{}
	r.upgrades = map[types.NamespacedName]bool{}
	r.triggers = map[types.NamespacedName]*trigger{}
	r.ofPool = map[types.NamespacedName]*conn.Credentials{}
	r.sentinels = conn.NewSentinelPool(ctx, conn.SentinelPoolConfig{
		Network:      r.network,
		Options:      r.redisOptions,
		Wake:         r.wake,
		WakeUrgently: r.wakeUrgently,
		WakeAll: func(sentinel types.NamespacedName) {
			r.wake(sentinel)
			for _, t := range r.kubernetes.MonitoredBy(sentinel) {
				r.wake(kube.KeyOf(t))
			}
		},
	})
}

// close ends every connection. No pass runs any more.
func (r *Reconciler) close() {
	r.sentinels.Close()
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, inst := range r.instances {
		inst.close(r.now())
	}
}

func (s *sidecar) wake(key types.NamespacedName) {
	if l := s.leading.Load(); l != nil {
		l.reconciler.wake(key)
	}
}

func (s *sidecar) podGone(pod types.NamespacedName, uid types.UID) {
	if l := s.leading.Load(); l != nil {
		l.reconciler.sentinels.Forget(pod, uid)
	}
}

// gauges of the present leadership; 0 while another replica leads.
func (s *sidecar) gauges(registry prometheus.Registerer) {
	gauge := func(name, help string, value func(*leadership) int) {
		registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, func() float64 {
			if l := s.leading.Load(); l != nil {
				return float64(value(l))
			}
			return 0
		}))
	}
	gauge("kvrocks_sidecar_queue_depth", "Instances that wait for a pass.", func(l *leadership) int { return l.queue.Len() })
	gauge("kvrocks_sidecar_instances", "Instances that are looked after.", func(l *leadership) int {
		l.reconciler.mu.Lock()
		defer l.reconciler.mu.Unlock()
		return len(l.reconciler.instances)
	})
}
