package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	"k8s.io/client-go/tools/record"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"

	"github.com/kvrocks/kvrocks-operator/local/standin/metacontroller/composite"
	"github.com/kvrocks/kvrocks-operator/local/standin/metacontroller/manager"
)

// program is the wired program.
type program struct {
	options
	log     *slog.Logger
	client  *kubernetes.Clientset
	events  record.EventBroadcaster
	metrics *prometheus.Registry
	manager *manager.Manager
}

func newProgram(o options, stderr io.Writer) (*program, error) {
	p := &program{
		options: o,
		log:     slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: o.logLevel})),
		metrics: prometheus.NewRegistry(),
	}
	// The name and the labels are the real program's, so that one query counts the writes of both.
	requests := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "rest_client_requests_total",
		Help: "Number of HTTP requests, partitioned by status code, method, and host.",
	}, []string{"code", "method", "host"})
	p.metrics.MustRegister(requests, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))

	config, err := restConfig(o.kubeconfig)
	if err != nil {
		return nil, err
	}
	config.QPS, config.Burst = float32(o.qps), o.burst
	config.Wrap(func(next http.RoundTripper) http.RoundTripper { return counting{next, requests} })

	if p.client, err = kubernetes.NewForConfig(config); err != nil {
		return nil, fmt.Errorf("make client: %w", err)
	}
	objects, err := dynamic.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("make client: %w", err)
	}
	// It asks the API server again for a resource that it does not know.
	httpClient, err := rest.HTTPClientFor(config)
	if err != nil {
		return nil, fmt.Errorf("make client: %w", err)
	}
	mapper, err := apiutil.NewDynamicRESTMapper(config, httpClient)
	if err != nil {
		return nil, fmt.Errorf("make discovery client: %w", err)
	}
	p.events = record.NewBroadcasterWithCorrelatorOptions(record.CorrelatorOptions{
		QPS: float32(o.eventsQPS), BurstSize: o.eventsBurst,
	})
	p.manager = manager.New(composite.Config{
		Client:   objects,
		Mapper:   mapper,
		Keys:     keyReader{p.client},
		Recorder: p.events.NewRecorder(runtime.NewScheme(), corev1.EventSource{Component: "metacontroller"}),
		Log:      p.log,
		Workers:  o.workers,
		Resync:   o.resync,
	}, o.targets)
	return p, nil
}

func restConfig(kubeconfig string) (*rest.Config, error) {
	rules := clientcmd.NewDefaultClientConfigLoadingRules() // reads $KUBECONFIG
	rules.ExplicitPath = kubeconfig
	config, err := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, nil).ClientConfig()
	if err != nil {
		return nil, fmt.Errorf("find the API server: %w", err)
	}
	return config, nil
}

// run serves and works until ctx is done.
func (p *program) run(ctx context.Context) error {
	p.events.StartRecordingToSink(&typedcorev1.EventSinkImpl{Interface: p.client.CoreV1().Events(metav1.NamespaceAll)})
	defer p.events.Shutdown()

	ok := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok") })
	health := http.NewServeMux()
	health.Handle("/healthz", ok)
	health.Handle("/readyz", ok)
	metrics := http.NewServeMux()
	metrics.Handle("/metrics", promhttp.HandlerFor(p.metrics, promhttp.HandlerOpts{}))

	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	serve(ctx, cancel, p.healthAddress, health)
	serve(ctx, cancel, p.metricsAddress, metrics)

	var err error
	if p.election {
		err = p.lead(ctx)
	} else {
		err = p.manager.Run(ctx)
	}
	return errors.Join(err, context.Cause(ctx))
}

// serve serves until ctx is done; it cancels ctx if it cannot.
func serve(ctx context.Context, cancel context.CancelCauseFunc, address string, handler http.Handler) {
	if address == "0" || address == "" {
		return
	}
	server := &http.Server{Addr: address, Handler: handler, ReadHeaderTimeout: 5 * time.Second}
	context.AfterFunc(ctx, func() { _ = server.Close() })
	go func() {
		if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
			cancel(fmt.Errorf("serve %s: %w", address, err))
		}
	}()
}

// lead works while it holds the lease, and returns once it lost it.
func (p *program) lead(ctx context.Context) error {
	hostname, err := os.Hostname()
	if err != nil {
		return fmt.Errorf("leader election: %w", err)
	}
	namespace := p.electionSpace
	if namespace == "" {
		// The file of every Pod's service account.
		data, err := os.ReadFile("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
		if err != nil {
			return fmt.Errorf("leader election needs -leader-election-namespace outside a Pod: %w", err)
		}
		namespace = strings.TrimSpace(string(data))
	}
	started, worked := make(chan struct{}), make(chan error, 1)
	leaderelection.RunOrDie(ctx, leaderelection.LeaderElectionConfig{
		Lock: &resourcelock.LeaseLock{
			LeaseMeta:  metav1.ObjectMeta{Namespace: namespace, Name: p.electionID},
			Client:     p.client.CoordinationV1(),
			LockConfig: resourcelock.ResourceLockConfig{Identity: fmt.Sprintf("%s_%d", hostname, os.Getpid())},
		},
		// The defaults of controller-runtime, which the real program uses.
		LeaseDuration: 15 * time.Second,
		RenewDeadline: 10 * time.Second,
		RetryPeriod:   2 * time.Second,
		Callbacks: leaderelection.LeaderCallbacks{
			OnStartedLeading: func(ctx context.Context) {
				close(started)
				worked <- p.manager.Run(ctx)
			},
			OnStoppedLeading: func() {},
		},
	})
	// RunOrDie does not wait for the work it started.
	select {
	case <-started:
		err = <-worked
	default:
	}
	if ctx.Err() == nil {
		err = errors.Join(err, errors.New("lost the lease"))
	}
	return err
}

// counting counts the answers of the API server. A watch counts once.
type counting struct {
	next  http.RoundTripper
	count *prometheus.CounterVec
}

func (c counting) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := c.next.RoundTrip(request)
	code := "<error>"
	if err == nil {
		code = strconv.Itoa(response.StatusCode)
	}
	c.count.WithLabelValues(code, request.Method, request.URL.Host).Inc()
	return response, err
}
