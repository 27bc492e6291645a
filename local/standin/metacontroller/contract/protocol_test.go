package contract

import (
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestRequestHoldsAFullSnapshot(t *testing.T) {
	f := newFixture(t, withChildren(child("v1", "configmaps", "InPlace"), child("apps/v1", "statefulsets", "InPlace")))
	f.say("sync", children(configMapChild("a", object{"k": "1"})))
	parent := f.parent()

	first := f.awaitCall(t, "sync", 0, anyRequest)
	assert.Equal(t, "application/json", first.header.Get("Content-Type"))
	var fields []string
	for field := range first.request {
		fields = append(fields, field)
	}
	assert.ElementsMatch(t, []string{"controller", "parent", "children", "related", "finalizing"}, fields)
	assert.Equal(t, f.name, dig(first.request, "controller", "metadata", "name"))
	assert.Equal(t, string(parent.GetUID()), dig(first.request, "parent", "metadata", "uid"))
	assert.Equal(t, object{"ConfigMap.v1": object{}, "StatefulSet.apps/v1": object{}}, first.request["children"])
	assert.Equal(t, object{}, first.request["related"])
	assert.Equal(t, false, first.request["finalizing"])

	second := f.awaitCall(t, "sync", 1, func(request object) bool {
		return dig(request, "children", "ConfigMap.v1", f.name+"/a") != nil
	})
	observed := dig(second.request, "children", "ConfigMap.v1", f.name+"/a")
	assert.Equal(t, "1", dig(observed, "data", "k"))
	assert.Equal(t, "ConfigMap", dig(observed, "kind"))
	assert.NotEmpty(t, dig(observed, "metadata", "resourceVersion"))
}

func TestV1KeysAreNames(t *testing.T) {
	f := newFixture(t, withHook("sync", "v1"))
	f.say("sync", children(configMapChild("a", nil)))
	f.parent()
	f.awaitCall(t, "sync", 0, func(request object) bool { return dig(request, "children", "ConfigMap.v1", "a") != nil })
}

func TestUnknownAndDuplicatedFieldsOfAResponse(t *testing.T) {
	valid := `"children": [{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"}}]`
	for name, c := range map[string]struct {
		options  []controllerOption
		body     string
		accepted bool
	}{
		"V2RefusesUnknown":    {nil, `{"status": {"a":"b"}, "surprise": 1, ` + valid + `}`, false},
		"V2RefusesDuplicate":  {nil, `{"status": {"a":"b"}, "status": {}, ` + valid + `}`, false},
		"V2RefusesNestedTwin": {nil, `{"status": {"a":"b","a":"c"}, ` + valid + `}`, false},
		"V2MayBeLoose": {
			[]controllerOption{withWebhook("responseUnMarshallMode", "loose")},
			`{"status": {"a":"b"}, "surprise": 1, ` + valid + `}`, true,
		},
		"V1AcceptsUnknown": {[]controllerOption{withHook("sync", "v1")}, `{"status": {"a":"b"}, "surprise": 1, ` + valid + `}`, true},
		"V2TakesUnknownFieldsOfAChild": {nil, `{"status": {"a":"b"},
			"children": [{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"data":{}}]}`, true},
		"NoJSON": {nil, `{"status": {"a":"b"}, ` + valid, false},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, c.options...)
			f.say("sync", c.body)
			parent := f.parent()
			if c.accepted {
				f.awaitConfigMap("a", nil)
				f.awaitStatus(parent, object{"a": "b", "observedGeneration": int64(1)})
				return
			}
			f.awaitCall(t, "sync", 1, anyRequest) // it is tried again
			eventually(t, func(c *assert.CollectT) { assert.NotEmpty(c, f.events(parent)) })
			assertNothingApplied(t, f)
			require.NoError(t, f.read(parent))
			assert.Nil(t, parent.Object["status"])
		})
	}
}

// assertNothingApplied checks that the ConfigMap "a" is not there.
func assertNothingApplied(t *testing.T, f *fixture) {
	t.Helper()
	assert.True(t, apierrors.IsNotFound(f.read(f.configMap("a"))))
}

func TestFailingHookChangesNothingAndIsTriedAgain(t *testing.T) {
	for name, fail := range map[string]answer{
		"Status500": {code: 500, body: children(configMapChild("a", object{"k": "2"}))},
		"Status204": {code: 204, body: ""},
		"Status201": {code: 201, body: children(configMapChild("a", object{"k": "2"}))},
		"Timeout":   {wait: time.Minute, body: children(configMapChild("a", object{"k": "2"}))},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, withWebhook("timeout", "1s"))
			good := object{"status": object{"v": int64(1)}, "children": []any{configMapChild("a", object{"k": "1"})}}
			f.say("sync", good)
			parent := f.parent()
			m := f.awaitConfigMap("a", map[string]string{"k": "1"})
			f.awaitStatus(parent, object{"v": int64(1), "observedGeneration": int64(1)})

			f.on("sync", func(object) answer { return fail })
			f.resync(parent, "1")
			f.awaitCall(t, "sync", len(f.called("sync")), anyRequest)
			eventually(t, func(c *assert.CollectT) {
				assert.True(c, slices.ContainsFunc(f.events(parent), func(e string) bool {
					return strings.HasPrefix(e, "SyncError: Sync error: ")
				}), "%v", f.events(parent))
			})
			before := m.ResourceVersion
			require.NoError(t, f.read(m))
			assert.Equal(t, before, m.ResourceVersion)
			require.NoError(t, f.read(parent))
			assert.Equal(t, int64(1), dig(parent.Object, "status", "v"))

			good["status"] = object{"v": int64(2)}
			f.say("sync", good)
			f.awaitStatus(parent, object{"v": int64(2), "observedGeneration": int64(1)})
		})
	}
}

func TestRetriesBackOff(t *testing.T) {
	f := newFixture(t)
	f.on("sync", func(object) answer { return answer{code: 503} })
	f.parent()
	f.awaitCall(t, "sync", 8, anyRequest)
	calls := f.called("sync")
	// 5 ms, doubled each time: 320 and 640 ms after the seventh and the eighth failure.
	assert.GreaterOrEqual(t, calls[8].at.Sub(calls[6].at), 900*time.Millisecond)
}

func TestRetryAfterIsHonoured(t *testing.T) {
	f := newFixture(t)
	f.on("sync", func(object) answer { return answer{code: 429, header: map[string]string{"Retry-After": "3"}} })
	parent := f.parent()
	f.awaitCall(t, "sync", 0, anyRequest)
	f.say("sync", children(configMapChild("a", nil)))
	f.awaitConfigMap("a", nil)
	calls := f.called("sync")
	assert.GreaterOrEqual(t, calls[1].at.Sub(calls[0].at), 2900*time.Millisecond)
	assert.Empty(t, f.events(parent))
}

func TestResyncAfterSecondsCallsAgain(t *testing.T) {
	f := newFixture(t)
	f.say("sync", object{"status": object{}, "children": []any{}, "resyncAfterSeconds": 1.5})
	f.parent()
	// The first answer makes a status, which is a reason for one more call and its own delay.
	f.awaitCall(t, "sync", 5, anyRequest)
	calls := f.called("sync")
	assert.GreaterOrEqual(t, calls[5].at.Sub(calls[0].at), 4*time.Second, "it must not be a hot loop")
}

func TestBearerTokenAndPrivateCA(t *testing.T) {
	secure := &hooks{answers: map[string]func(object) answer{}, calls: map[string][]call{}}
	server := httptest.NewTLSServer(secure)
	t.Cleanup(server.Close)
	pem := certificatePEM(server.Certificate())
	secure.say("sync", children(configMapChild("a", nil)))

	f := newFixture(t, func(f *fixture, spec object) {
		f.create(&corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Name: "token", Namespace: f.name},
			StringData: map[string]string{"key": "s3cret\n"},
		})
		spec["hooks"].(object)["sync"] = object{"version": "v2", "webhook": object{
			"url":      server.URL + "/sync",
			"caBundle": object{"inline": pem},
			"authorization": object{
				"type": "Bearer", "secretRef": object{"name": "token", "namespace": f.name, "key": "key"},
			},
		}}
	})
	f.parent()
	f.awaitConfigMap("a", nil)
	assert.Equal(t, "Bearer s3cret", secure.called("sync")[0].header.Get("Authorization"))
}
