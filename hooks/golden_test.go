package hooks

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/metacontroller"
)

var (
	update   = flag.Bool("update", false, "write the answers of golden cases again, and the requests of new ones")
	requests = flag.Bool("requests", false, "write the requests of golden cases again, where another one is sent now")
)

// goldenCase is a moment in the life of an instance. The request of that moment and the answer to it are files, so that a
// person can read them and post the request to a running server. The request is an input: it stays as it is when answers change.
type goldenCase struct {
	example string           // in examples/
	reach   func(w *world)   // brings the world to the moment
	hook    func(*world) any // default: sync
}

func goldenCases() map[string]goldenCase {
	image := func(cr *v1alpha1.KVRocks) { cr.Spec.Image = newImage }
	return map[string]goldenCase{
		"sentinel/created": {example: "sentinel-minimal.yaml"},
		"sentinel/settled": {example: "sentinel-minimal.yaml", reach: (*world).settle},
		"sentinel/full":    {example: "sentinel-full.yaml", reach: (*world).settle},
		"sentinel/scaled-up": {example: "sentinel-minimal.yaml", reach: func(w *world) {
			w.settle()
			w.change(func(cr *v1alpha1.KVRocks) { cr.Spec.Replicas = 5 })
			w.sync()
		}},
		"sentinel/password-changed": {example: "sentinel-full.yaml", reach: func(w *world) {
			w.settle()
			w.change(func(cr *v1alpha1.KVRocks) { cr.Spec.Password = "look-again" })
		}},
		"sentinel/pod-template": {example: "sentinel-minimal.yaml", reach: func(w *world) {
			w.change(func(cr *v1alpha1.KVRocks) {
				cr.Spec.PodTemplate = extension(w.t, `
spec:
  serviceAccountName: watcher
  runtimeClassName: gvisor
  hostAliases: [{ip: 192.0.2.7, hostnames: [audit.example.org]}]
  containers:
  - {name: sentinel, envFrom: [{configMapRef: {name: proxies}}], readinessProbe: {periodSeconds: 5}}
  initContainers:
  - {name: agent, image: example.org/agent:1, restartPolicy: Always, volumeMounts: [{name: tokens, mountPath: /tokens, readOnly: true}]}
  volumes:
  - name: tokens
    projected: {sources: [{serviceAccountToken: {path: token}}, {downwardAPI: {items: [{path: name, fieldRef: {fieldPath: metadata.name}}]}}]}
`)
			})
			w.settle()
		}},
		"sentinel/deleting": {example: "sentinel-minimal.yaml", reach: (*world).settle, hook: finalizing},

		"standard/created":         {example: "standard-minimal.yaml"},
		"standard/addresses-known": {example: "standard-minimal.yaml", reach: func(w *world) { w.sync() }},
		"standard/starting": {example: "standard-minimal.yaml", reach: func(w *world) {
			w.sync()
			w.sync()
		}},
		"standard/settled": {example: "standard-minimal.yaml", reach: (*world).settle},
		"standard/full":    {example: "standard-full.yaml", reach: (*world).settle},
		"standard/scaling-down": {example: "standard-minimal.yaml", reach: func(w *world) {
			w.settle()
			w.change(func(cr *v1alpha1.KVRocks) { cr.Spec.Replicas = 1 })
		}},
		"standard/new-image": {example: "standard-minimal.yaml", reach: func(w *world) {
			w.settle()
			w.change(image)
		}},
		"standard/updating": {example: "standard-minimal.yaml", reach: func(w *world) {
			w.settle()
			w.change(image)
			w.sync()
			w.controller()
			w.sync()
		}},
		"standard/invalid": {example: "standard-minimal.yaml", reach: func(w *world) {
			w.settle()
			w.change(func(cr *v1alpha1.KVRocks) {
				cr.Spec.KVRocksConfig = v1alpha1.KVRocksConfig{"requirepass": "secret"}
			})
		}},
		"standard/protected":    {example: "standard-protected.yaml", reach: (*world).settle},
		"standard/services":     {example: "standard-loadbalancer.yaml", reach: (*world).settle},
		"standard/pod-template": {example: "standard-exporter.yaml", reach: (*world).settle},
		"standard/deleting":     {example: "standard-minimal.yaml", reach: (*world).settle, hook: finalizing},

		"cluster/created":         {example: "cluster-minimal.yaml"},
		"cluster/addresses-known": {example: "cluster-minimal.yaml", reach: func(w *world) { w.sync() }},
		"cluster/settled":         {example: "cluster-minimal.yaml", reach: (*world).settle},
		"cluster/full":            {example: "cluster-full.yaml", reach: (*world).settle},
		"cluster/expand": {example: "cluster-minimal.yaml", reach: func(w *world) {
			w.settle()
			w.setShards(5)
			w.sync()
			w.sync()
		}},
		"cluster/shrink-held": {example: "cluster-minimal.yaml", reach: func(w *world) {
			w.settle()
			w.setShards(5)
			w.settle()
			w.slots[3], w.slots[4] = "100-199,300", "7"
			w.sidecar()
			w.setShards(3)
			w.sync()
			w.sidecar()
		}},
		"cluster/shrink-removable": {example: "cluster-minimal.yaml", reach: func(w *world) {
			w.settle()
			w.setShards(5)
			w.settle()
			w.setShards(3)
			w.sync()
			w.sidecar()
		}},
		"cluster/migrating": {example: "cluster-full.yaml", reach: func(w *world) {
			w.settle()
			w.topology().Status.Migrations = []v1alpha1.MigrationStatus{{
				Slots: "1-2", From: 0, To: 1, State: v1alpha1.MigrationRunning, Current: "1-2", Attempts: 1,
				StartedAt: &metav1.Time{Time: w.clock},
			}}
		}},
		"cluster/updating": {example: "cluster-minimal.yaml", reach: func(w *world) {
			w.settle()
			w.change(image)
			w.sync()
			w.controller()
			w.sync()
		}},
		"cluster/password-changed": {example: "cluster-minimal.yaml", reach: func(w *world) {
			w.change(func(cr *v1alpha1.KVRocks) { cr.Spec.Password = "one" })
			w.settle()
			w.change(func(cr *v1alpha1.KVRocks) { cr.Spec.Password = "two" })
		}},
		"cluster/primaries": {example: "cluster-minimal.yaml", reach: func(w *world) {
			w.settle()
			w.change(func(cr *v1alpha1.KVRocks) { cr.Spec.Primaries = []string{"shards-2-1", "shards-0-2"} })
			w.sync()
		}},
		"cluster/pod-template": {example: "cluster-openshift.yaml", reach: (*world).settle},
		"cluster/deleting":     {example: "cluster-minimal.yaml", reach: (*world).settle, hook: finalizing},
		"cluster/ending": {example: "cluster-minimal.yaml", reach: func(w *world) {
			w.settle()
			w.apply(&finalizing(w).(*metacontroller.FinalizeResponse).SyncResponse)
			w.sidecar()
			w.apply(&finalizing(w).(*metacontroller.FinalizeResponse).SyncResponse)
		}, hook: finalizing},
	}
}

func finalizing(w *world) any {
	w.t.Helper()
	request := w.request()
	request.Finalizing = true
	response, err := Finalize(request)
	require.NoError(w.t, err)
	return response
}

func syncing(w *world) any {
	w.t.Helper()
	response, err := Sync(w.request())
	require.NoError(w.t, err)
	return response
}

// request is what Metacontroller sends at the moment of the case.
func (c *goldenCase) request(t *testing.T) *metacontroller.SyncRequest {
	t.Helper()
	w := newWorld(t, example(t, c.example))
	if c.reach != nil {
		c.reach(w)
	}
	request := w.request()
	request.Finalizing = c.hook != nil
	return request
}

func requestFile(name string) string {
	return filepath.Join("testdata", filepath.FromSlash(name), "request.json")
}

// TestRequestsOfGoldenCasesAreSent fails when a request in testdata is none that Metacontroller would send now. Children in it are
// answers of before, so that most changes of what we answer change requests too; whether this one should is for its author to say.
func TestRequestsOfGoldenCasesAreSent(t *testing.T) {
	for name, c := range goldenCases() {
		t.Run(name, func(t *testing.T) {
			file, sent := requestFile(name), pretty(t, c.request(t))
			raw, err := os.ReadFile(file)
			if *requests || *update && os.IsNotExist(err) {
				require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
				require.NoError(t, os.WriteFile(file, sent, 0o600))
				return
			}
			require.NoError(t, err, "run go test ./hooks -run Golden -update")
			if !bytes.Equal(raw, sent) {
				t.Errorf("%s is not what is sent at that moment any more: run go test ./hooks -run Golden -requests -update, and review the diff", file)
			}
		})
	}
}

func TestGolden(t *testing.T) {
	for name, c := range goldenCases() {
		t.Run(name, func(t *testing.T) {
			raw, err := os.ReadFile(requestFile(name))
			require.NoError(t, err, "run go test ./hooks -run Golden -update")
			request := new(metacontroller.SyncRequest)
			require.NoError(t, json.Unmarshal(raw, request))
			w := &world{t: t, cr: request.Parent, seen: request.Children, pods: request.Related.Pods}
			call := c.hook
			if call == nil {
				call = syncing
			}
			answer := pretty(t, call(w))
			file := filepath.Join(filepath.Dir(requestFile(name)), "response.golden.json")
			if *update {
				require.NoError(t, os.WriteFile(file, answer, 0o600))
			}
			golden, err := os.ReadFile(file)
			require.NoError(t, err, "run go test ./hooks -run Golden -update")
			assert.Equal(t, string(golden), string(answer), "compare with git diff after go test ./hooks -run Golden -update")
		})
	}
}

func TestEveryExampleIsAGoldenCase(t *testing.T) {
	files, err := filepath.Glob("../examples/*.yaml")
	require.NoError(t, err)
	covered := map[string]bool{}
	for _, c := range goldenCases() {
		covered[c.example] = true
	}
	for _, file := range files {
		assert.True(t, covered[filepath.Base(file)], "%s is in no golden case", file)
	}
}

func TestEqualFactsGiveEqualBytesAndTheRequestStaysAsItWas(t *testing.T) {
	files, err := filepath.Glob("testdata/*/*/request.json")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run(strings.TrimPrefix(filepath.Dir(file), "testdata/"), func(t *testing.T) {
			raw, err := os.ReadFile(file)
			require.NoError(t, err)
			request := new(metacontroller.SyncRequest)
			require.NoError(t, json.Unmarshal(raw, request))
			before := pretty(t, request)
			answer := func(request *metacontroller.SyncRequest) []byte {
				call := func() (any, error) { return Sync(request) }
				if request.Finalizing {
					call = func() (any, error) { return Finalize(request) }
				}
				response, err := call()
				require.NoError(t, err)
				raw, err := json.Marshal(response)
				require.NoError(t, err)
				return raw
			}
			first := answer(request)
			assert.Equal(t, string(before), string(pretty(t, request)), "the request was changed")
			for range 20 { // maps are iterated in another order each time
				require.True(t, bytes.Equal(first, answer(request)))
			}
		})
	}
}

// pretty is indented JSON, for people to read and compare.
func pretty(t testing.TB, value any) []byte {
	t.Helper()
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	require.NoError(t, encoder.Encode(value))
	return out.Bytes()
}
