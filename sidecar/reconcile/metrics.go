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
	requests    *prometheus.CounterVec
	movedSlots  prometheus.Counter
	movedKeys   prometheus.Counter
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
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "kvrocks_sidecar_controller_requests_total",
			Help: "Requests to kvrocks-controller, by what was asked and outcome.",
		}, []string{"request", "outcome"}),
		movedSlots: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "kvrocks_sidecar_moved_slots_total",
			Help: "Slots that were moved to another shard.",
		}),
		movedKeys: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "kvrocks_sidecar_moved_keys_total",
			Help: "Keys that moved with their slots, as far as they were counted.",
		}),
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
	registry.MustRegister(m.passes, m.actions, m.commands, m.requests, m.movedSlots, m.movedKeys, m.failovers, m.interrupted, m.leading)
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

func (m *metrics) request(op string, _ time.Duration, err error) {
	m.requests.WithLabelValues(op, outcome(err)).Inc()
}

// reported counts what is new in a report: failovers and moved slots.
func (m *metrics) reported(before, after v1alpha1.KVRocksTopologyStatus) {
	var last time.Time
	if n := len(before.Failovers); n > 0 {
		last = before.Failovers[n-1].At.Time
	}
	for _, f := range after.Failovers {
		if f.At.After(last) {
			m.failovers.WithLabelValues(string(f.Cause)).Inc()
			m.interrupted.Observe(float64(f.DetectMs+f.PromoteMs) / 1000)
		}
	}
	for _, now := range after.Migrations {
		was := v1alpha1.MigrationStatus{}
		for _, m := range before.Migrations {
			if m.Slots == now.Slots && m.To == now.To {
				was = m
			}
		}
		// Slots that were there from the beginning were not moved: nothing has started.
		if now.StartedAt != nil {
			m.movedSlots.Add(float64(max(0, now.Moved-was.Moved)))
			m.movedKeys.Add(float64(max(0, now.Keys-was.Keys)))
		}
	}
}
