package contract

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/yaml"

	"github.com/kvrocks/kvrocks-operator/server"
)

// TestOperatorsChildrenAreQuiet runs the operator's own hooks on its examples:
// once everything is made, a sync must write nothing. A child that the API
// server keeps in another form than the hook declares would be PUT each time.
func TestOperatorsChildrenAreQuiet(t *testing.T) {
	strategies := []string{"dynamic-apply"}
	if os.Getenv("METACONTROLLER_BIN") != "" {
		strategies = append(strategies, "server-side-apply") // the stand-in refuses it
	}
	_, err := envtest.InstallCRDs(shared.environment.Config, envtest.CRDInstallOptions{Paths: []string{repository + "manifests/crds"}})
	require.NoError(t, err)

	for _, strategy := range strategies {
		t.Run(strategy, func(t *testing.T) {
			var syncs atomic.Int64
			handler := server.NewHandler(server.Options{})
			hookServer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				handler.ServeHTTP(w, r)
				if r.URL.Path == "/sync" {
					syncs.Add(1)
				}
			}))
			t.Cleanup(hookServer.Close)

			namespace := "quiet-" + strategy
			require.NoError(t, shared.client.Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}}))
			parents := createExamples(t, namespace)
			createOperatorsController(t, namespace, hookServer.URL)
			p, err := startProgram(t.TempDir(), shared.environment.KubeConfig,
				"--target-label-selector="+restrictedLabel+"="+namespace, "--apply-strategy="+strategy)
			require.NoError(t, err)
			t.Cleanup(func() { assert.NoError(t, p.stop()) })

			// round calls the hook of every parent and returns how much the program wrote because of it.
			rounds := 0
			round := func() float64 {
				rounds++
				before, calls := p.writes(t), syncs.Load()
				for _, parent := range parents {
					nudge(t, parent, strconv.Itoa(rounds))
				}
				require.Eventually(t, func() bool { return syncs.Load() >= calls+int64(len(parents)) }, patience, tick)
				return p.writes(t) - before
			}
			for _, parent := range parents {
				require.Eventually(t, func() bool {
					return shared.client.Get(t.Context(), client.ObjectKeyFromObject(parent), parent) == nil &&
						dig(parent.Object, "status", "observedGeneration") != nil
				}, patience, tick, "no status of %s", parent.GetName())
			}
			require.Eventually(t, func() bool { return round() == 0 }, patience, tick, "it never becomes quiet")
			for range 5 {
				assert.Zero(t, round(), "a sync wrote something")
			}
			for kind, least := range map[string]int{"StatefulSet": 15, "Deployment": 6} {
				list := &unstructured.UnstructuredList{}
				list.SetAPIVersion("apps/v1")
				list.SetKind(kind + "List")
				require.NoError(t, shared.client.List(t.Context(), list, client.InNamespace(namespace)))
				assert.GreaterOrEqual(t, len(list.Items), least, kind)
			}
		})
	}
}

// createExamples makes the objects of the operator's examples, and returns the
// KVRocks.
func createExamples(t *testing.T, namespace string) []*unstructured.Unstructured {
	t.Helper()
	files, err := filepath.Glob(repository + "examples/*.yaml")
	require.NoError(t, err)
	legacy, err := filepath.Glob(repository + "examples/legacy/*.yaml")
	require.NoError(t, err)
	require.NotEmpty(t, legacy)

	var parents []*unstructured.Unstructured
	for _, file := range append(files, legacy...) {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		for document := range strings.SplitSeq(string(data), "\n---\n") {
			o := &unstructured.Unstructured{}
			require.NoError(t, yaml.Unmarshal([]byte(document), &o.Object), file)
			o.SetNamespace(namespace)
			require.NoError(t, shared.client.Create(t.Context(), o), file)
			if o.GetKind() == "KVRocks" {
				parents = append(parents, o)
			}
		}
	}
	return parents
}

// createOperatorsController makes the operator's CompositeController under
// another name, for a program that is started for the label.
func createOperatorsController(t *testing.T, name, url string) {
	t.Helper()
	controller := &unstructured.Unstructured{}
	readYAML(t, repository+"metacontroller/compositecontroller.yaml", &controller.Object)
	controller.SetName(name)
	controller.SetLabels(map[string]string{restrictedLabel: name})
	for _, hook := range []string{"sync", "finalize", "customize"} {
		require.NoError(t, unstructured.SetNestedField(controller.Object, url+"/"+hook, "spec", "hooks", hook, "webhook", "url"))
	}
	require.NoError(t, shared.client.Create(t.Context(), controller))
	t.Cleanup(func() { _ = shared.client.Delete(context.WithoutCancel(t.Context()), controller) })
}

// writes is how many writing requests the program made so far.
func (p *program) writes(t *testing.T) float64 {
	t.Helper()
	response, err := http.Get(p.metrics) //nolint:noctx // our own program
	require.NoError(t, err)
	text, err := io.ReadAll(response.Body)
	_ = response.Body.Close()
	require.NoError(t, err)
	sum := 0.0
	written := regexp.MustCompile(`(?m)^rest_client_requests_total\{.*method="(?:POST|PUT|PATCH|DELETE)".*\} (\S+)$`)
	for _, match := range written.FindAllStringSubmatch(string(text), -1) {
		value, err := strconv.ParseFloat(match[1], 64)
		require.NoError(t, err)
		sum += value
	}
	return sum
}
