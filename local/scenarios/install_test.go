package scenarios

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kvrocks/kvrocks-operator/local/kubernetes/layout"
)

const (
	metacontrollerNamespace = "metacontroller"
	// installedWithin is how long the programs of an installation may take to start.
	installedWithin = 3 * time.Minute
)

// ownCRDs are those of the operator.
func ownCRDs() []string {
	return []string{kvrocksResource.GroupResource().String(), topologyResource.GroupResource().String()}
}

// kubeconfig names the file of the cluster that is played on; programs is the folder of the kubectl of the local one, empty when it
// is another.
func kubeconfig(t testing.TB) (file, programs string) {
	t.Helper()
	if file := os.Getenv("KUBECONFIG"); file != "" {
		return file, ""
	}
	here, err := layout.New()
	require.NoError(t, err)
	return here.Kubeconfig(), filepath.Join(here.Cache, "bin")
}

// tryShell runs a command from the top of the tree, with a kubectl for the cluster that is played on, and returns what it
// prints.
func (s *scenario) tryShell(program string, args ...string) (string, error) {
	s.Helper()
	root, err := filepath.Abs("../..")
	require.NoError(s, err)
	env := os.Environ()
	if file, programs := kubeconfig(s); programs != "" && program != "make" { // which finds the local cluster by itself
		env = append(env, "KUBECONFIG="+file, "PATH="+programs+":"+os.Getenv("PATH"))
		if program == "kubectl" {
			program = filepath.Join(programs, program)
		}
	}
	command := exec.CommandContext(s.ctx, program, args...)
	command.Dir, command.Env = root, env
	out, err := command.CombinedOutput()
	return string(out), err
}

// shell runs a command as tryShell does, and fails the test if it fails.
func (s *scenario) shell(program string, args ...string) {
	s.Helper()
	out, err := s.tryShell(program, args...)
	require.NoError(s, err, "%s %v: %s", program, args, out)
}

// alone fails the test when there are instances: it takes away what each of them needs, and the CRDs, with which all go.
func (s *scenario) alone() {
	s.Helper()
	list, err := s.dyn.Resource(kvrocksResource).List(s.ctx, metav1.ListOptions{})
	require.NoError(s, err)
	var names []string
	for _, item := range list.Items {
		names = append(names, item.GetNamespace()+"/"+item.GetName())
	}
	require.Empty(s, names, "this scenario uninstalls the operator; delete these instances first")
}

// installed puts the operator back at the end of the test, as `make install` had made it, whatever is left of it then.
func (s *scenario) installed(t *testing.T) {
	t.Cleanup(func() {
		s.reinstall()
		missing := false
		// The operator lets go what waits for it, and with the last instance a CRD that is being deleted goes.
		s.eventually("no CRD is being deleted", installedWithin, func() error {
			for _, name := range ownCRDs() {
				switch crd, err := s.crd(name); {
				case err != nil:
					missing = true
				case crd.GetDeletionTimestamp() != nil:
					return fmt.Errorf("%s is", name)
				}
			}
			return nil
		})
		if missing {
			s.reinstall()
		}
	})
}

// reinstall installs the operator once what is being taken away has gone.
func (s *scenario) reinstall() {
	s.Helper()
	s.namespacesEnded(systemNamespace, metacontrollerNamespace)
	s.shell("make", "deploy")
}

// namespacesEnded waits until none of the namespaces is being deleted.
func (s *scenario) namespacesEnded(names ...string) {
	s.Helper()
	s.eventually(fmt.Sprintf("none of %v is being deleted", names), installedWithin, func() error {
		for _, name := range names {
			ns, err := s.kube.CoreV1().Namespaces().Get(s.ctx, name, metav1.GetOptions{})
			if err == nil && ns.DeletionTimestamp != nil {
				return fmt.Errorf("%s is: %+v", name, ns.Status.Conditions)
			}
		}
		return nil
	})
}

func (s *scenario) crd(name string) (*unstructured.Unstructured, error) {
	return s.dyn.Resource(schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"}).
		Get(s.ctx, name, metav1.GetOptions{})
}

// crdsGone waits until some CRDs are gone.
func (s *scenario) crdsGone(names ...string) {
	s.Helper()
	s.eventually(fmt.Sprintf("%v are gone", names), time.Minute, func() error {
		for _, name := range names {
			switch _, err := s.crd(name); {
			case err == nil:
				return fmt.Errorf("%s is still there", name)
			case !apierrors.IsNotFound(err):
				return err
			}
		}
		return nil
	})
}

// podsGone waits until the namespace of the scenario has no pod.
func (s *scenario) podsGone() {
	s.Helper()
	s.eventually("no pod is left", time.Minute, func() error {
		pods, err := s.kube.CoreV1().Pods(s.namespace).List(s.ctx, metav1.ListOptions{})
		if err == nil && len(pods.Items) > 0 {
			err = fmt.Errorf("%d pods, %s among them", len(pods.Items), pods.Items[0].Name)
		}
		return err
	})
}

// documented returns the commands that docs/operations.md shows in the first block after a text.
func (s *scenario) documented(after string) string {
	s.Helper()
	text, err := os.ReadFile("../../docs/operations.md")
	require.NoError(s, err)
	_, rest, found := strings.Cut(string(text), after)
	require.True(s, found, "docs/operations.md says no more %q; adapt this test", after)
	_, rest, found = strings.Cut(rest, "```sh\n")
	require.True(s, found)
	block, _, found := strings.Cut(rest, "```")
	require.True(s, found)
	return block
}
