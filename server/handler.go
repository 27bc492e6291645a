package server

import (
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/kvrocks/kvrocks-operator/hooks"
)

// DefaultMaxBody bounds a request. The largest real one is an instance of many shards with all its pods: about 10 kB a pod.
const DefaultMaxBody = 16 << 20

// DefaultTimeout bounds one call, from its first byte to the last of the answer. Metacontroller waits for 5 s.
const DefaultTimeout = 5 * time.Second

// Options of [NewHandler]. The zero value serves.
type Options struct {
	// Log takes a line per call at debug and per failure above. Default: slog's default.
	Log *slog.Logger
	// MaxBody is the largest request accepted, in bytes. Default: [DefaultMaxBody].
	MaxBody int64
	// Token returns the bearer token that hook calls must carry. Nil, or an empty token, lets everyone call.
	Token func() string
	// Namespaces whose instances are managed; none means all.
	Namespaces []string
	// OperatorNamespace is that of the sidecar; "" when it is not known.
	OperatorNamespace string
	// Ready is what /readyz answers; nil is always ready. It turns false before the server stops, so that callers go
	// elsewhere first.
	Ready *atomic.Bool
	// Registry takes the metrics and serves /metrics. Default: a new one.
	Registry *prometheus.Registry
}

// NewHandler returns the router: POST /sync, /finalize and /customize; GET /healthz, /readyz and /metrics.
func NewHandler(o Options) http.Handler {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.MaxBody <= 0 {
		o.MaxBody = DefaultMaxBody
	}
	if o.Registry == nil {
		o.Registry = prometheus.NewRegistry()
	}
	m := newMetrics(o.Registry)

	r := chi.NewRouter()
	r.NotFound(func(w http.ResponseWriter, r *http.Request) {
		refuse(w, http.StatusNotFound, "there is no "+r.URL.Path)
	})
	r.MethodNotAllowed(func(w http.ResponseWriter, r *http.Request) {
		refuse(w, http.StatusMethodNotAllowed, r.Method+" is not allowed here; hooks take POST, the rest GET")
	})
	r.Get("/healthz", func(w http.ResponseWriter, _ *http.Request) { text(w, http.StatusOK, "ok") })
	r.Get("/readyz", func(w http.ResponseWriter, _ *http.Request) {
		if o.Ready != nil && !o.Ready.Load() {
			text(w, http.StatusServiceUnavailable, "stopping")
			return
		}
		text(w, http.StatusOK, "ok")
	})
	r.Method(http.MethodGet, "/metrics", promhttp.HandlerFor(o.Registry, promhttp.HandlerOpts{}))

	serve := func(path, name string, call http.HandlerFunc) {
		r.With(observe(o.Log, m, name), recoverer(o.Log), authenticate(o.Token), limit(o.MaxBody)).Post(path, call)
	}
	scope := hooks.Scope{Namespaces: o.Namespaces, Operator: o.OperatorNamespace}
	serve("/sync", "sync", hook(scope.Sync))
	serve("/finalize", "finalize", hook(scope.Finalize))
	serve("/customize", "customize", hook(hooks.Customize))
	return r
}
