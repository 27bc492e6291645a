package scenarios

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

// An installation that was for the whole cluster is narrowed to one namespace by the overlay of
// examples/scoped. It runs alone, because instances elsewhere are looked after no more.
func TestAnInstallationForSomeNamespacesOnly(t *testing.T) {
	s, outside := begin(t), begin(t)
	s.alone()
	outside.apply(standardCR("left", 1, ""))
	outside.ready("left", readyWithin)
	before := outside.pods("left")

	s.installed(t)
	t.Cleanup(func() {
		s.shell("kubectl", "delete", "--ignore-not-found", "clusterrole", "kvrocks-metacontroller-children")
		s.shell("bash", "-c", "kubectl -n kvrocks-system get configmap -o name | grep ^configmap/kvrocks-scope- | xargs -r kubectl -n kvrocks-system delete")
	})
	s.shell("kubectl", "apply", "--server-side", "--force-conflicts", "-k", s.overlay())
	s.shell("kubectl", "delete", "clusterrolebinding", "kvrocks-sidecar") // as docs/operations.md says
	s.rolledOut("kvrocks-hooks")
	s.rolledOut("kvrocks-sidecar")

	s.apply(standardCR("orders", 2, ""))
	outside.apply(standardCR("stranger", 1, "") + "---" + standardCR("other", 1, ""))
	outside.nudge("left")
	for _, name := range []string{"left", "stranger", "other"} {
		said := outside.condition(name, v1alpha1.ConditionReady, metav1.ConditionFalse, 2*time.Minute, "NotManaged")
		assert.Contains(t, said.Message, "manages the namespaces "+s.namespace+" only")
	}
	s.ready("orders", readyWithin)

	t.Run("within the namespace everything works", func(t *testing.T) {
		s := s.part(t)
		c := s.through("orders-master", password)
		require.NoError(t, c.Set(s.ctx, "k", "v", 0).Err())
		began := time.Now()
		s.roll("orders", "once") // labels, gates, a handover, deleted pods
		assert.Len(t, s.moves("orders", began), 1)
		assert.Equal(t, "v", c.Get(s.ctx, "k").Val())
	})
	t.Run("elsewhere nothing is made, and what runs goes on running", func(t *testing.T) {
		s := outside.part(t)
		assert.Equal(t, uids(before), uids(s.pods("left")))
		require.NoError(t, s.direct(anyOf(before), password).Ping(s.ctx).Err())
		for _, name := range []string{"stranger", "other"} {
			_, err := s.kube.AppsV1().StatefulSets(s.namespace).Get(s.ctx, name, metav1.GetOptions{})
			assert.True(t, apierrors.IsNotFound(err), "%s: %v", name, err)
		}
	})
	t.Run("elsewhere an instance can be deleted", func(t *testing.T) {
		s := outside.part(t)
		for _, name := range []string{"left", "other"} {
			s.remove(name)
			s.removed(name)
		}
		s.podsGone()
	})
	t.Run("when the installation is widened again the others become Ready", func(t *testing.T) {
		s := outside.part(t)
		s.reinstall()
		s.nudge("stranger")
		s.ready("stranger", readyWithin)
	})
}

// nudge has an instance looked at now; the hooks ask for that each minute.
func (s *scenario) nudge(name string) {
	s.Helper()
	s.patch(name, `{"metadata":{"annotations":{"example.com/nudged":"yes"}}}`)
}

// overlay is examples/scoped for the namespace of the scenario instead of "shop", with the Metacontroller of the local
// cluster where that is played on.
func (s *scenario) overlay() string {
	s.Helper()
	const example = "../../examples/scoped"
	root, err := filepath.Abs("../..")
	require.NoError(s, err)
	dir, err := filepath.EvalSymlinks(s.TempDir())
	require.NoError(s, err)
	top, err := filepath.Rel(dir, root)
	require.NoError(s, err)
	require.NoError(s, os.Mkdir(filepath.Join(dir, "shop"), 0o755))
	for file, replacements := range map[string][]string{
		"kustomization.yaml":      {"namespaces=shop", "namespaces=" + s.namespace, "../../", top + "/"},
		"shop/kustomization.yaml": {"namespace: shop", "namespace: " + s.namespace, "../../../", "../" + top + "/"},
	} {
		raw, err := os.ReadFile(filepath.Join(example, file))
		require.NoError(s, err)
		text := strings.NewReplacer(replacements...).Replace(string(raw))
		require.Contains(s, text, s.namespace, "%s of the example has changed; adapt this test", file)
		if _, programs := kubeconfig(s); programs != "" {
			text = strings.Replace(text, "- "+top+"/metacontroller/install\n", "- "+top+"/local/standin/metacontroller/install\n", 1)
		}
		require.NoError(s, os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600))
	}
	return dir
}
