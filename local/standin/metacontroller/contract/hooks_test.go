package contract

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// object is any JSON object.
type object = map[string]any

// answer is what a hook answers. A zero code means 200.
type answer struct {
	code   int
	header map[string]string
	body   any
	wait   time.Duration // before answering
}

// call is one call of a hook.
type call struct {
	at      time.Time
	header  http.Header
	request object
}

// hooks is a hook server whose answers a test programs.
type hooks struct {
	url string

	mu      sync.Mutex
	answers map[string]func(request object) answer // by path: sync, finalize, customize
	calls   map[string][]call
}

// newHooks starts a hook server. A path that has no answer yet says 500.
func newHooks(t *testing.T) *hooks {
	t.Helper()
	h := &hooks{answers: map[string]func(object) answer{}, calls: map[string][]call{}}
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	h.url = server.URL
	return h
}

func (h *hooks) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	data, err := io.ReadAll(r.Body)
	var request object
	if err == nil {
		err = json.Unmarshal(data, &request)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	path := strings.TrimPrefix(r.URL.Path, "/")
	h.mu.Lock()
	h.calls[path] = append(h.calls[path], call{at: time.Now(), header: r.Header, request: request})
	respond := h.answers[path]
	h.mu.Unlock()
	if respond == nil {
		http.Error(w, "no answer programmed", http.StatusInternalServerError)
		return
	}
	a := respond(request)
	select {
	case <-time.After(a.wait):
	case <-r.Context().Done():
		return
	}
	for name, value := range a.header {
		w.Header().Set(name, value)
	}
	if a.code != 0 {
		w.WriteHeader(a.code)
	}
	if text, ok := a.body.(string); ok {
		_, _ = io.WriteString(w, text)
		return
	}
	_ = json.NewEncoder(w).Encode(a.body)
}

// on programs a path with a function of the request.
func (h *hooks) on(path string, respond func(request object) answer) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.answers[path] = respond
}

// say programs a path with a constant answer 200.
func (h *hooks) say(path string, body any) {
	h.on(path, func(object) answer { return answer{body: body} })
}

// sayFromNudge programs a path with one answer until the parent carries the
// nudge, and with another from then on. A hook may be called at any time: an
// answer that lets the parent go must not come before the parent was nudged.
func (h *hooks) sayFromNudge(path, nudge string, until, from any) {
	h.on(path, func(request object) answer {
		if dig(request, "parent", "metadata", "labels", "nudge") == nudge {
			return answer{body: from}
		}
		return answer{body: until}
	})
}

func (h *hooks) called(path string) []call {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]call(nil), h.calls[path]...)
}

// awaitCall waits for a call of the path, after the first skip ones, whose
// request satisfies the condition, and returns it.
func (h *hooks) awaitCall(t *testing.T, path string, skip int, condition func(request object) bool) call {
	t.Helper()
	var found *call
	require.Eventually(t, func() bool {
		calls := h.called(path)
		for i := skip; i < len(calls); i++ {
			if condition(calls[i].request) {
				found = &calls[i]
				return true
			}
		}
		return false
	}, patience, tick, "no such call of %s", path)
	return *found
}

func anyRequest(object) bool { return true }

// dig returns the value at the path of a JSON object, or nil.
func dig(from any, path ...string) any {
	for _, field := range path {
		m, ok := from.(map[string]any)
		if !ok {
			return nil
		}
		from = m[field]
	}
	return from
}

// eventually waits until the checks pass.
func eventually(t *testing.T, checks func(c *assert.CollectT)) {
	t.Helper()
	require.EventuallyWithT(t, checks, patience, tick)
}

const (
	patience = time.Minute // a machine that builds something beside the tests is slow
	tick     = 50 * time.Millisecond
)
