package scenarios

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const olderFinalizer = "kvrocks/finalizer"

// Whatever is taken away first, in the end nothing hangs. It runs alone, because it takes away
// what all others need.
func TestUninstallingInAnyOrderHangsNothing(t *testing.T) {
	s := begin(t)
	s.alone()
	s.installed(t)
	// Each has the finalizer of the older operator, which runs no more.
	started := func(s *scenario, name string) {
		s.apply(strings.Replace(standardCR(name, 1, ""), "metadata:\n", "metadata:\n  finalizers: ["+olderFinalizer+"]\n", 1))
		s.ready(name, readyWithin)
	}

	t.Run("a namespace with an instance, and the CRDs first", func(t *testing.T) {
		s, other := s.part(t), begin(t)
		started(s, "orders")
		started(other, "users")
		other.removeNamespace()
		other.namespaceGone()
		s.shell("kubectl", append([]string{"delete", "--timeout=2m", "crd"}, ownCRDs()...)...)
		s.podsGone()
		s.reinstall()
	})
	t.Run("the operator first, which is then installed again", func(t *testing.T) {
		s, other := s.part(t), begin(t)
		started(s, "orders")
		started(other, "users")
		s.shell("kubectl", "delete", "-k", "manifests", "--wait=false")
		other.removeNamespace()
		s.namespacesEnded(systemNamespace)
		s.hangs("orders")
		other.hangs("users")
		s.reinstall()
		s.removed("orders")
		s.crdsGone(kvrocksResource.GroupResource().String()) // the CRD of the topologies had ended at once, and was installed again
		s.podsGone()
		other.namespaceGone()
		s.reinstall()
		started(s, "orders")
	})
	t.Run("in the right order", func(t *testing.T) {
		s := s.part(t)
		out, err := s.tryShell("make", "uninstall")
		require.Error(t, err, out)
		assert.Contains(t, out, "delete these instances first")
		assert.Contains(t, strings.Fields(out), "orders")
		s.ready("orders", time.Second)
		s.remove("orders")
		s.removed("orders")
		for range 2 { // what is gone already is no error
			s.shell("make", "uninstall")
			assert.Empty(t, s.leftOver())
		}
		s.reinstall()
	})
	t.Run("the operator first, and it is not to come back", func(t *testing.T) {
		s := s.part(t)
		started(s, "orders")
		s.collected()
		s.shell("kubectl", "delete", "-k", "manifests", "--wait=false")
		s.namespacesEnded(systemNamespace)
		s.hangs("orders")
		s.shell("bash", "-c", s.documented("take the finalizers off"))
		s.removed("orders")
		s.crdsGone(ownCRDs()...)
		s.podsGone()
		s.shell("make", "uninstall")
		assert.Empty(t, s.leftOver())
	})
}

// collected waits until the garbage collector of Kubernetes, which looks for new kinds twice a minute, knows the CRD.
func (s *scenario) collected() {
	s.Helper()
	s.eventually("the CRD is old enough", time.Minute, func() error {
		crd, err := s.crd(kvrocksResource.GroupResource().String())
		if err == nil && time.Since(crd.GetCreationTimestamp().Time) < 35*time.Second {
			err = errors.New("it is not")
		}
		return err
	})
}

func (s *scenario) removeNamespace() {
	s.Helper()
	require.NoError(s, s.kube.CoreV1().Namespaces().Delete(s.ctx, s.namespace, metav1.DeleteOptions{}))
}

func (s *scenario) namespaceGone() {
	s.Helper()
	s.eventually(s.namespace+" is gone", time.Minute, func() error {
		ns, err := s.kube.CoreV1().Namespaces().Get(s.ctx, s.namespace, metav1.GetOptions{})
		switch {
		case err == nil:
			return fmt.Errorf("it is still there: %+v", ns.Status)
		case apierrors.IsNotFound(err):
			return nil
		}
		return err
	})
}

// hangs checks that an instance is being deleted and waits for Metacontroller.
func (s *scenario) hangs(name string) {
	s.Helper()
	s.eventually(name+" is being deleted", time.Minute, func() error {
		cr, err := s.kvrocks(name)
		if err == nil && cr.DeletionTimestamp == nil {
			err = errors.New("it is not")
		}
		return err
	})
	time.Sleep(5 * time.Second) // what is not held is gone by then
	cr, err := s.kvrocks(name)
	require.NoError(s, err)
	require.ElementsMatch(s, []string{olderFinalizer, "metacontroller.io/compositecontroller-kvrocks"}, cr.Finalizers)
}

// leftOver are the objects of an installation that belong to no namespace and are still there.
func (s *scenario) leftOver() []string {
	s.Helper()
	var left []string
	for _, kind := range []string{"namespaces", "customresourcedefinitions", "clusterroles", "clusterrolebindings"} {
		out, err := s.tryShell("kubectl", "get", kind, "-o", "name")
		require.NoError(s, err, out)
		for name := range strings.FieldsSeq(out) {
			ours := strings.Contains(name, "kvrocks") || strings.Contains(name, "metacontroller")
			if ours && !strings.Contains(name, "kvrocks-local:") { // which is of the local cluster itself
				left = append(left, name)
			}
		}
	}
	return left
}
