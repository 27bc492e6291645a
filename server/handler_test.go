package server

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func post(t testing.TB, h http.Handler, path, body string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestEveryGoldenRequestIsAnsweredAsItsFileSays(t *testing.T) {
	files, err := filepath.Glob("../hooks/testdata/*/*/request.json")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	h := NewHandler(Options{Log: quiet()})
	for _, file := range files {
		t.Run(strings.TrimPrefix(filepath.Dir(file), "../hooks/testdata/"), func(t *testing.T) {
			body, err := os.ReadFile(file)
			require.NoError(t, err)
			golden, err := os.ReadFile(filepath.Join(filepath.Dir(file), "response.golden.json"))
			require.NoError(t, err)
			var request struct{ Finalizing bool }
			require.NoError(t, json.Unmarshal(body, &request))
			path := "/sync"
			if request.Finalizing {
				path = "/finalize"
			}
			w := post(t, h, path, string(body))
			assert.Equal(t, http.StatusOK, w.Code)
			assert.Equal(t, "application/json", w.Header().Get("Content-Type"))
			assert.JSONEq(t, string(golden), w.Body.String())
		})
	}
}

func TestRequestsThatAreRefused(t *testing.T) {
	const parent = `{"parent":{"metadata":{"name":"a","namespace":"b"},"spec":{"type":"`
	for name, c := range map[string]struct {
		method, path, body, contentType string
		status                          int
		message                         string
	}{
		"empty":            {"POST", "/sync", "", "application/json", 400, "the request is not what the hook protocol says"},
		"not JSON":         {"POST", "/sync", "hello", "application/json", 400, "the request is not what the hook protocol says"},
		"cut off":          {"POST", "/sync", parent, "application/json", 400, "the request is not what the hook protocol says"},
		"two values":       {"POST", "/sync", "{}{}", "application/json", 400, "the request is not what the hook protocol says"},
		"an array":         {"POST", "/sync", "[]", "application/json", 400, "cannot unmarshal array"},
		"a wrong field":    {"POST", "/sync", `{"parent":7}`, "application/json", 400, "parent"},
		"no parent":        {"POST", "/sync", "{}", "application/json", 400, "the request has no parent"},
		"null":             {"POST", "/sync", "null", "application/json", 400, "the request has no parent"},
		"no parent at all": {"POST", "/customize", "{}", "application/json", 400, "the request has no parent"},
		"no type":          {"POST", "/sync", parent + `"}}}`, "application/json", 422, "write sentinel, standard or cluster"},
		"an unknown type":  {"POST", "/finalize", parent + `galaxy"}}}`, "application/json", 422, `spec.type is "galaxy"`},
		"another format":   {"POST", "/sync", "parent: {}", "application/yaml", 415, "send application/json"},
		"too large":        {"POST", "/sync", `"` + strings.Repeat("x", 2000) + `"`, "application/json", 413, "at most 1000"},
		"another method":   {"GET", "/sync", "", "", 405, "hooks take POST"},
		"deleting a probe": {"DELETE", "/healthz", "", "", 405, "DELETE is not allowed here"},
		"another path":     {"POST", "/mutate", "{}", "application/json", 404, "there is no /mutate"},
		"deeply nested":    {"POST", "/sync", strings.Repeat("[", 900), "application/json", 400, "the request is not what"},
	} {
		t.Run(name, func(t *testing.T) {
			h := NewHandler(Options{Log: quiet(), MaxBody: 1000})
			r := httptest.NewRequestWithContext(t.Context(), c.method, c.path, strings.NewReader(c.body))
			if c.contentType != "" {
				r.Header.Set("Content-Type", c.contentType)
			}
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			assert.Equal(t, c.status, w.Code)
			var answer struct{ Error string }
			require.NoError(t, json.Unmarshal(w.Body.Bytes(), &answer), w.Body.String())
			assert.Contains(t, answer.Error, c.message)
		})
	}
}

func TestABodyOfUnknownLengthIsBoundedAsWell(t *testing.T) {
	h := NewHandler(Options{Log: quiet(), MaxBody: 1000})
	body := io.MultiReader(strings.NewReader(`{"x":"`), strings.NewReader(strings.Repeat("x", 5000)))
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/sync", body)
	r.ContentLength = -1
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	assert.Equal(t, http.StatusRequestEntityTooLarge, w.Code)
}

func TestAPanicBecomesA500WithTheRequestID(t *testing.T) {
	var logs bytes.Buffer
	log := slog.New(slog.NewJSONHandler(&logs, nil))
	h := observe(log, newMetrics(prometheus.NewRegistry()), "sync")(recoverer(log)(
		http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("secret details") })))
	w := post(t, h, "/sync", "{}")
	assert.Equal(t, http.StatusInternalServerError, w.Code)
	id := w.Header().Get("X-Request-Id")
	assert.NotEmpty(t, id)
	assert.Contains(t, w.Body.String(), id)
	assert.NotContains(t, w.Body.String(), "secret details")
	assert.Contains(t, logs.String(), "secret details")
	assert.Contains(t, logs.String(), id)
}

func TestTheTokenMustBeRight(t *testing.T) {
	token := "right"
	h := NewHandler(Options{Log: quiet(), Token: func() string { return token }})
	const body = `{"parent":{"metadata":{"name":"a","namespace":"b"}}}`
	assert.Equal(t, http.StatusUnauthorized, post(t, h, "/customize", body).Code)
	assert.Equal(t, http.StatusUnauthorized, post(t, h, "/customize", body, "Authorization", "Bearer wrong").Code)
	assert.Equal(t, http.StatusUnauthorized, post(t, h, "/customize", body, "Authorization", "Bearer ").Code)
	assert.Equal(t, http.StatusOK, post(t, h, "/customize", body, "Authorization", "Bearer right").Code)
	token = "rotated"
	assert.Equal(t, http.StatusUnauthorized, post(t, h, "/customize", body, "Authorization", "Bearer right").Code)
}

func TestReadinessFailsBeforeTheServerStops(t *testing.T) {
	ready := new(atomic.Bool)
	h := NewHandler(Options{Log: quiet(), Ready: ready})
	assert.Equal(t, http.StatusServiceUnavailable, get(t, h, "/readyz").Code)
	assert.Equal(t, http.StatusOK, get(t, h, "/healthz").Code)
	ready.Store(true)
	assert.Equal(t, http.StatusOK, get(t, h, "/readyz").Code)
}

func TestMetricsCountCallsByHookAndCode(t *testing.T) {
	h := NewHandler(Options{Log: quiet()})
	post(t, h, "/customize", `{"parent":{"metadata":{"name":"a","namespace":"b"}}}`)
	post(t, h, "/sync", "nonsense")
	metrics := get(t, h, "/metrics").Body.String()
	assert.Contains(t, metrics, `kvrocks_hook_requests_total{code="200",hook="customize"} 1`)
	assert.Contains(t, metrics, `kvrocks_hook_requests_total{code="400",hook="sync"} 1`)
	assert.Contains(t, metrics, `kvrocks_hook_duration_seconds_count{hook="sync"} 1`)
	assert.Contains(t, metrics, "kvrocks_hook_in_flight 0")
}

func TestNothingIsLoggedAtInfoWhenAllIsWell(t *testing.T) {
	var logs bytes.Buffer
	h := NewHandler(Options{Log: slog.New(slog.NewJSONHandler(&logs, nil))})
	post(t, h, "/customize", `{"parent":{"metadata":{"name":"a","namespace":"b"}}}`)
	assert.Empty(t, logs.String())
	post(t, h, "/customize", "nonsense")
	assert.Contains(t, logs.String(), `"status":400`)
}

func get(t testing.TB, h http.Handler, path string) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
	return w
}
