package scenarios

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

const (
	nextImage = "ghcr.io/kvrocks/kvrocks-operator:next"
	nextLabel = "kvrocks.apache.org/logic"
)

// Another hook server with other logic changes what it declares, and no data pod. It runs alone, because it changes the hook server.
func TestNewHookLogicRollsOutWithoutTouchingDataPods(t *testing.T) {
	s := begin(t)
	s.apply(standardCR("orders", 3, ""))
	s.ready("orders", readyWithin)
	before := s.pods("orders")
	metacontroller := s.onlyPod("metacontroller", "app.kubernetes.io/name=metacontroller")

	s.loadNext(nextImage, edit{"hooks/pdb.go", "\treturn budget\n", fmt.Sprintf("\tbudget.Metadata.Labels[%q] = \"next\"\n\treturn budget\n", nextLabel)})
	s.replaceHooks(nextImage)

	s.eventually("the disruption budget carries the new label", 2*time.Minute, func() error {
		budget, err := s.kube.PolicyV1().PodDisruptionBudgets(s.namespace).Get(s.ctx, "orders", metav1.GetOptions{})
		if err == nil && budget.Labels[nextLabel] != "next" {
			err = fmt.Errorf("labels are %v", budget.Labels)
		}
		return err
	})
	s.ready("orders", readyWithin)
	for name, pod := range s.pods("orders") {
		assert.Equal(t, before[name].UID, pod.UID, "%s must not have been replaced", name)
		assert.Equal(t, before[name].Status.ContainerStatuses[0].RestartCount, pod.Status.ContainerStatuses[0].RestartCount, name)
	}
	assert.Equal(t, metacontroller.UID, s.onlyPod("metacontroller", "app.kubernetes.io/name=metacontroller").UID)
}

// edit is a change of a source file: the only place at which a text stands in it, and what is there instead.
type edit struct{ file, text, instead string }

// loadNext compiles the hook server with some changes, as a developer would make them, and brings it into the local
// cluster as an image.
func (s *scenario) loadNext(image string, edits ...edit) {
	s.Helper()
	root, err := filepath.Abs("../..")
	require.NoError(s, err)
	dir, replaced := s.TempDir(), map[string]string{}
	for i, e := range edits {
		source, changed := filepath.Join(root, e.file), filepath.Join(dir, fmt.Sprintf("%d.go", i))
		require.NotContains(s, replaced, source, "one edit of a file")
		text, err := os.ReadFile(source)
		require.NoError(s, err)
		require.Equal(s, 1, strings.Count(string(text), e.text), "%s has changed; adapt this test", e.file)
		require.NoError(s, os.WriteFile(changed, []byte(strings.Replace(string(text), e.text, e.instead, 1)), 0o600))
		replaced[source] = changed
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replaced})
	require.NoError(s, err)
	require.NoError(s, os.WriteFile(filepath.Join(dir, "overlay.json"), overlay, 0o600))
	binary := filepath.Join(dir, "hook-server")
	s.run(root, "go", "build", "-overlay", filepath.Join(dir, "overlay.json"), "-o", binary, "./server/cmd")
	s.load(image, binary)
}

// load makes an image of a hook server and brings it into the local cluster.
func (s *scenario) load(image, binary string) {
	s.Helper()
	program, err := os.ReadFile(binary)
	require.NoError(s, err)
	var content bytes.Buffer
	archive := tar.NewWriter(&content)
	require.NoError(s, archive.WriteHeader(&tar.Header{Name: "hook-server", Mode: 0o755, Size: int64(len(program))}))
	_, err = archive.Write(program)
	require.NoError(s, err)
	require.NoError(s, archive.Close())
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(content.Bytes())), nil })
	require.NoError(s, err)
	layers, err := mutate.AppendLayers(empty.Image, layer)
	require.NoError(s, err)
	whole, err := mutate.ConfigFile(layers, &v1.ConfigFile{
		OS: "linux", Architecture: "amd64", RootFS: must(layers.ConfigFile()).RootFS, Config: v1.Config{User: "65532:65532"},
	})
	require.NoError(s, err)
	tag, err := name.NewTag(image)
	require.NoError(s, err)
	file := binary + ".tar"
	require.NoError(s, tarball.WriteToFile(file, tag, whole))
	s.run("..", "go", "run", "./kubernetes", "load-image", file)
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func (s *scenario) run(dir, program string, args ...string) {
	s.Helper()
	command := exec.CommandContext(s.ctx, program, args...)
	command.Dir = dir
	command.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := command.CombinedOutput()
	require.NoError(s, err, "%s: %s", command, out)
}

// replaceHooks runs another hook server until the end of the test.
func (s *scenario) replaceHooks(image string) {
	s.Helper()
	deployment, err := s.kube.AppsV1().Deployments(systemNamespace).Get(s.ctx, "kvrocks-hooks", metav1.GetOptions{})
	require.NoError(s, err)
	s.Cleanup(func() { s.runHooks(deployment.Spec.Template.Spec.Containers[0].Image) })
	s.runHooks(image)
}

// runHooks rolls an image of the hook server out.
func (s *scenario) runHooks(image string) {
	s.Helper()
	patch := fmt.Sprintf(`{"spec":{"template":{"spec":{"containers":[{"name":"hook-server","image":%q}]}}}}`, image)
	_, err := s.kube.AppsV1().Deployments(systemNamespace).Patch(s.ctx, "kvrocks-hooks", types.StrategicMergePatchType, []byte(patch), metav1.PatchOptions{})
	require.NoError(s, err)
	s.rolledOut("kvrocks-hooks")
}
