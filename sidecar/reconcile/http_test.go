package reconcile

import (
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/assert"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/kvrocks"
)

func TestProbesAndMetrics(t *testing.T) {
	registry := prometheus.NewRegistry()
	m := newMetrics(registry)
	m.command("CONFIG SET maxclients", time.Millisecond, nil)
	m.command("INFO", time.Millisecond, &kvrocks.Error{})
	m.action("Promote", nil)
	m.reported(v1alpha1.KVRocksTopologyStatus{
		Migrations: []v1alpha1.MigrationStatus{{Slots: "0-99", To: 1, StartedAt: &metav1.Time{}, Moved: 10, Keys: 5}},
	}, v1alpha1.KVRocksTopologyStatus{
		Failovers: []v1alpha1.FailoverRecord{{At: metav1.NowMicro(), Cause: v1alpha1.CauseDown}},
		Migrations: []v1alpha1.MigrationStatus{
			{Slots: "0-99", To: 1, StartedAt: &metav1.Time{}, Moved: 50, Keys: 25},
			{Slots: "200", To: 1, Moved: 1}, // was there from the beginning
		},
	})
	var ready atomic.Bool
	passes := newRunning()
	h := handler(registry, ready.Load, passes.stuck)
	get := func(path string) (int, string) {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		return w.Code, w.Body.String()
	}
	code, _ := get("/healthz")
	assert.Equal(t, http.StatusOK, code)
	orders := types.NamespacedName{Namespace: "ns", Name: "orders"}
	passes.begin(orders, time.Now().Add(-2*longestPass))
	code, body := get("/healthz")
	assert.Equal(t, http.StatusServiceUnavailable, code, "Kubernetes restarts it")
	assert.Contains(t, body, "ns/orders")
	passes.end(orders)
	code, _ = get("/healthz")
	assert.Equal(t, http.StatusOK, code)
	code, body = get("/readyz")
	assert.Equal(t, http.StatusServiceUnavailable, code)
	assert.Contains(t, body, "caches")
	ready.Store(true)
	code, _ = get("/readyz")
	assert.Equal(t, http.StatusOK, code)
	_, body = get("/metrics")
	for _, line := range []string{
		`kvrocks_sidecar_redis_commands_total{command="CONFIG SET",outcome="ok"} 1`,
		`kvrocks_sidecar_redis_commands_total{command="INFO",outcome="error"} 1`,
		`kvrocks_sidecar_actions_total{kind="Promote",outcome="ok"} 1`,
		`kvrocks_sidecar_failovers_total{cause="MasterDown"} 1`,
	} {
		assert.Contains(t, body, line)
	}
}
