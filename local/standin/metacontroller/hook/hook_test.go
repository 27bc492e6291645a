package hook_test

import (
	"context"
	"encoding/pem"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kvrocks/kvrocks-operator/local/standin/metacontroller/api"
	"github.com/kvrocks/kvrocks-operator/local/standin/metacontroller/hook"
)

// keys is a KeyReader that knows one value under every name.
type keys string

func (k keys) SecretKey(context.Context, api.KeyRef) ([]byte, error) { return []byte(k), nil }
func (k keys) ConfigMapKey(_ context.Context, ref api.KeyRef) ([]byte, error) {
	if ref.Key != "ca.crt" {
		return nil, errors.New("asked for " + ref.Key)
	}
	return []byte(k), nil
}

type response struct {
	A int `json:"a"`
}

func call(t *testing.T, server *httptest.Server, version api.HookVersion, webhook api.Webhook, secret string) (response, error) {
	t.Helper()
	url := server.URL + "/sync"
	webhook.URL = &url
	h, err := hook.New(t.Context(), &api.Hook{Version: version, Webhook: &webhook}, keys(secret))
	require.NoError(t, err)
	var r response
	err = h.Call(t.Context(), map[string]int{"q": 1}, &r)
	return r, err
}

func answering(t *testing.T, code int, body string, header ...string) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sent, _ := io.ReadAll(r.Body)
		assert.Equal(t, `{"q":1}`, string(sent))
		assert.Equal(t, http.MethodPost, r.Method)
		for i := 0; i < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(code)
		_, _ = io.WriteString(w, body)
	}))
	t.Cleanup(server.Close)
	return server
}

func TestStrictnessFollowsVersionAndMode(t *testing.T) {
	for name, c := range map[string]struct {
		version api.HookVersion
		mode    string
		body    string
		fails   bool
	}{
		"v2 unknown":         {api.V2, "", `{"a":1,"b":2}`, true},
		"v2 duplicate":       {api.V2, "", `{"a":1,"a":1}`, true},
		"v2 exact":           {api.V2, "", `{"a":1}`, false},
		"v2 wrong case":      {api.V2, "", `{"A":1}`, true},
		"v2 loose":           {api.V2, "loose", `{"a":1,"b":2}`, false},
		"v1 unknown":         {api.V1, "", `{"a":1,"b":2}`, false},
		"v1 strict":          {api.V1, "strict", `{"a":1,"b":2}`, true},
		"no version is v1":   {"", "", `{"a":1,"b":2}`, false},
		"loose is not blind": {api.V1, "", `{"a":"x"}`, true},
		"truncated":          {api.V1, "", `{"a":1`, true},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := call(t, answering(t, 200, c.body), c.version, api.Webhook{ResponseUnmarshallMode: c.mode}, "")
			if c.fails {
				assert.Error(t, err)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, 1, r.A)
		})
	}
}

func TestOnly200IsAnAnswer(t *testing.T) {
	for _, code := range []int{201, 204, 304, 400, 404, 412, 500, 503} {
		_, err := call(t, answering(t, code, ""), api.V2, api.Webhook{}, "")
		assert.ErrorContains(t, err, "unsupported status code", "%d", code)
	}
}

func TestTooManyRequests(t *testing.T) {
	for header, want := range map[string]time.Duration{"7": 7 * time.Second, "": 0, "soon": 0} {
		_, err := call(t, answering(t, 429, "", "Retry-After", header), api.V2, api.Webhook{}, "")
		var busy *hook.TooManyRequestsError
		require.ErrorAs(t, err, &busy)
		assert.Equal(t, want, busy.After)
	}
	at := time.Now().Add(time.Hour).UTC().Format(http.TimeFormat)
	_, err := call(t, answering(t, 429, "", "Retry-After", at), api.V2, api.Webhook{}, "")
	var busy *hook.TooManyRequestsError
	require.ErrorAs(t, err, &busy)
	assert.InDelta(t, time.Hour.Seconds(), busy.After.Seconds(), 5)
}

func TestTimeout(t *testing.T) {
	hold := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-hold }))
	t.Cleanup(server.Close)
	t.Cleanup(func() { close(hold) })
	_, err := call(t, server, api.V2, api.Webhook{Timeout: &metav1.Duration{Duration: 50 * time.Millisecond}}, "")
	assert.ErrorContains(t, err, "Client.Timeout")
}

func TestAuthorizationIsTrimmed(t *testing.T) {
	var got string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r.Header.Get("Authorization")
		_, _ = io.WriteString(w, `{}`)
	}))
	t.Cleanup(server.Close)
	_, err := call(t, server, api.V2, api.Webhook{Authorization: &api.Authorization{}}, " s3cret\n")
	require.NoError(t, err)
	assert.Equal(t, "Bearer s3cret", got)
}

func TestCABundle(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"a":1}`)
	}))
	t.Cleanup(server.Close)
	certificate := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))

	_, err := call(t, server, api.V2, api.Webhook{}, "")
	require.ErrorContains(t, err, "certificate")
	for name, bundle := range map[string]*api.CABundle{
		"inline": {Inline: &certificate}, "secret": {SecretRef: &api.KeyRef{}}, "configmap": {ConfigMapRef: &api.KeyRef{}},
	} {
		_, err := call(t, server, api.V2, api.Webhook{CABundle: bundle}, certificate)
		assert.NoError(t, err, name)
	}
}

func TestNewRefusesWhatItCannotReach(t *testing.T) {
	path, rubbish := "/sync", "rubbish"
	for name, webhook := range map[string]api.Webhook{
		"nothing":            {},
		"service, no path":   {Service: &api.ServiceReference{Name: "a", Namespace: "b"}},
		"service, no name":   {Service: &api.ServiceReference{Namespace: "b"}, Path: &path},
		"basic by scheme":    {URL: &path, Authorization: &api.Authorization{Type: "basic"}},
		"no certificate":     {URL: &path, CABundle: &api.CABundle{Inline: &rubbish}},
		"two sources of CAs": {URL: &path, CABundle: &api.CABundle{Inline: &rubbish, SecretRef: &api.KeyRef{}}},
		"no source of CAs":   {URL: &path, CABundle: &api.CABundle{}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := hook.New(t.Context(), &api.Hook{Webhook: &webhook}, keys(""))
			assert.Error(t, err)
		})
	}
	h, err := hook.New(t.Context(), nil, keys(""))
	require.NoError(t, err)
	assert.Nil(t, h, "a hook that is not declared")
}
