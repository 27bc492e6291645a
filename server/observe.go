package server

import (
	"context"
	"crypto/rand"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/go-chi/chi/v5/middleware"
	"github.com/prometheus/client_golang/prometheus"
)

// call is what the middleware and the handler of one request tell each other.
type call struct {
	id  string
	err error
}

type callKey struct{}

// callOf returns the call of a request; one that is not read when it has none.
func callOf(r *http.Request) *call {
	if c, ok := r.Context().Value(callKey{}).(*call); ok {
		return c
	}
	return &call{}
}

// observe gives each request an id, and logs and counts it when it is done.
func observe(log *slog.Logger, m *metrics, hook string) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			start := time.Now()
			c := &call{id: rand.Text()[:12]}
			w.Header().Set("X-Request-Id", c.id)
			m.inFlight.Inc()
			wrapped := middleware.NewWrapResponseWriter(w, r.ProtoMajor)
			defer func() {
				m.inFlight.Dec()
				status, took := wrapped.Status(), time.Since(start)
				m.requests.WithLabelValues(hook, strconv.Itoa(status)).Inc()
				m.duration.WithLabelValues(hook).Observe(took.Seconds())
				level, attributes := slog.LevelDebug, []slog.Attr{
					slog.String("hook", hook), slog.Int("status", status), slog.Duration("took", took),
					slog.String("requestID", c.id), slog.Int("bytes", wrapped.BytesWritten()),
				}
				if c.err != nil {
					level = slog.LevelWarn
					if status >= http.StatusInternalServerError {
						level = slog.LevelError
					}
					attributes = append(attributes, slog.String("error", c.err.Error()))
				}
				log.LogAttrs(r.Context(), level, "hook called", attributes...)
			}()
			next.ServeHTTP(wrapped, r.WithContext(context.WithValue(r.Context(), callKey{}, c)))
		})
	}
}

// metrics of the hooks.
type metrics struct {
	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
	inFlight prometheus.Gauge
}

func newMetrics(registry prometheus.Registerer) *metrics {
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "kvrocks_hook_requests_total", Help: "Hook calls by hook and status code.",
		}, []string{"hook", "code"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "kvrocks_hook_duration_seconds", Help: "Time from the header of a hook call to the end of its answer.",
			Buckets: prometheus.ExponentialBuckets(0.0001, 4, 8), // 0.1 ms to 1.6 s
		}, []string{"hook"}),
		inFlight: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "kvrocks_hook_in_flight", Help: "Hook calls being answered.",
		}),
	}
	registry.MustRegister(m.requests, m.duration, m.inFlight)
	return m
}
