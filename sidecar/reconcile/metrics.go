package reconcile

import (
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

// metrics of the sidecar. Labels are bounded: kinds of actions, names of commands, causes.
type metrics struct {
	passes      *prometheus.HistogramVec
	actions     *prometheus.CounterVec
	commands    *prometheus.CounterVec
	failovers   *prometheus.CounterVec
	interrupted prometheus.Histogram
	leading     prometheus.Gauge
}

func newMetrics(registry prometheus.Registerer) *metrics {
	m := &metrics{
		passes: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "kvrocks_sidecar_pass_seconds",
			Help:    "Duration of a pass over one instance, by outcome: settled, acted, conflict, error.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 15},
		}, []string{"outcome"}),
		actions: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "kvrocks_sidecar_actions_total",
			Help: "Actions on the data plane and on pods, by kind and outcome.",
		}, []string{"kind", "outcome"}),
		commands: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "kvrocks_sidecar_redis_commands_total",
			Help: "Commands sent to data nodes and sentinels, by name and outcome.",
		}, []string{"command", "outcome"}),
		failovers: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "kvrocks_sidecar_failovers_total",
			Help: "Masters that were replaced, by cause.",
		}, []string{"cause"}),
		interrupted: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "kvrocks_sidecar_failover_seconds",
			Help:    "Time from the last answer of the old master to the new one taking writes.",
			Buckets: []float64{.1, .25, .5, 1, 2.5, 5, 10, 20, 40, 80},
		}),
		leading: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "kvrocks_sidecar_leader",
			Help: "1 while this replica leads.",
		}),
	}
	registry.MustRegister(m.passes, m.actions, m.commands, m.failovers, m.interrupted, m.leading)
	return m
}

func outcome(err error) string {
	if err != nil {
		return "error"
	}
	return "ok"
}

func (m *metrics) action(kind string, err error) { m.actions.WithLabelValues(kind, outcome(err)).Inc() }

// command counts one command. Settings are not part of the name: there are too many.
func (m *metrics) command(op string, _ time.Duration, err error) {
	if strings.HasPrefix(op, "CONFIG ") {
		words := strings.SplitN(op, " ", 3)
		op = words[0] + " " + words[1]
	}
	m.commands.WithLabelValues(op, outcome(err)).Inc()
}

func (m *metrics) pass(took time.Duration, acted bool, err error) {
	label := "settled"
	switch {
	case isConflict(err):
		label = "conflict"
	case err != nil:
		label = "error"
	case acted:
		label = "acted"
	}
	m.passes.WithLabelValues(label).Observe(took.Seconds())
}

// reported counts the failovers that are new in a report.
func (m *metrics) reported(before, after []v1alpha1.FailoverRecord) {
	var last time.Time
	if len(before) > 0 {
		last = before[len(before)-1].At.Time
	}
	for _, f := range after {
		if f.At.After(last) {
			m.failovers.WithLabelValues(string(f.Cause)).Inc()
			m.interrupted.Observe(float64(f.DetectMs+f.PromoteMs) / 1000)
		}
	}
}
