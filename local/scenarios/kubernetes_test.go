package scenarios

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/yaml"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

const (
	systemNamespace = "kvrocks-system"
	fieldManager    = "scenarios"
)

var (
	kvrocksResource  = schema.GroupVersionResource{Group: v1alpha1.Group, Version: v1alpha1.Version, Resource: "kvrocks"}
	topologyResource = schema.GroupVersionResource{Group: v1alpha1.Group, Version: v1alpha1.Version, Resource: "kvrockstopologies"}
)

// cluster is the Kubernetes that a scenario plays on.
type cluster struct {
	config *rest.Config
	kube   kubernetes.Interface
	dyn    dynamic.Interface
}

func connect(t testing.TB) cluster {
	t.Helper()
	path, _ := kubeconfig(t)
	config, err := clientcmd.BuildConfigFromFlags("", path)
	require.NoError(t, err, "a cluster is needed: run `make local-up install`, or set KUBECONFIG")
	config.QPS, config.Burst = 200, 400
	kube, err := kubernetes.NewForConfig(config)
	require.NoError(t, err)
	dyn, err := dynamic.NewForConfig(config)
	require.NoError(t, err)
	return cluster{config: config, kube: kube, dyn: dyn}
}

// scenario is one story in a namespace of its own.
type scenario struct {
	cluster
	testing.TB
	ctx       context.Context
	namespace string
	// password of the instances.
	password string
}

// part is the same scenario as seen by a subtest: what fails there ends that part.
func (s *scenario) part(t testing.TB) *scenario {
	part := *s
	part.TB = t
	return &part
}

// begin makes a namespace for the test and removes it, with what is in it, at the end. When the test failed, it first
// prints what a person would look at.
func begin(t testing.TB) *scenario {
	t.Helper()
	s := &scenario{cluster: connect(t), TB: t, ctx: context.Background(), password: password}
	ns, err := s.kube.CoreV1().Namespaces().Create(s.ctx, &corev1.Namespace{
		ObjectMeta: metav1.ObjectMeta{GenerateName: "scenario-", Annotations: map[string]string{"scenario": t.Name()}},
	}, metav1.CreateOptions{})
	require.NoError(t, err, "create a namespace")
	s.namespace = ns.Name
	t.Cleanup(func() {
		if t.Failed() {
			s.dump()
		}
		s.end()
	})
	s.watchMasters()
	return s
}

// end deletes the instances, data first, so that the sentinels are still there to be told, and then the namespace.
func (s *scenario) end() {
	crs := s.dyn.Resource(kvrocksResource).Namespace(s.namespace)
	for _, sentinels := range []bool{false, true} {
		list, err := crs.List(s.ctx, metav1.ListOptions{})
		if err != nil {
			s.Errorf("list instances: %v", err)
			return
		}
		for _, item := range list.Items {
			if kind, _, _ := unstructured.NestedString(item.Object, "spec", "type"); (kind == "sentinel") == sentinels {
				if err := crs.Delete(s.ctx, item.GetName(), metav1.DeleteOptions{}); err != nil && !apierrors.IsNotFound(err) {
					s.Errorf("delete %s: %v", item.GetName(), err)
				}
			}
		}
		s.eventually("the instances are gone, with their pods", clusterReadyWithin, func() error {
			list, err := crs.List(s.ctx, metav1.ListOptions{})
			if err != nil {
				return err
			}
			for _, item := range list.Items {
				if kind, _, _ := unstructured.NestedString(item.Object, "spec", "type"); sentinels || kind != "sentinel" {
					return fmt.Errorf("%s is still there", item.GetName())
				}
			}
			return nil
		})
	}
	if err := s.kube.CoreV1().Namespaces().Delete(s.ctx, s.namespace, metav1.DeleteOptions{}); err != nil && !apierrors.IsNotFound(err) {
		s.Errorf("delete namespace: %v", err)
	}
}

// eventually waits until check returns nil and fails the test with its last error otherwise.
func (s *scenario) eventually(what string, within time.Duration, check func() error) {
	s.Helper()
	var last error
	deadline := time.Now().Add(within)
	for {
		if last = check(); last == nil {
			return
		}
		if time.Now().After(deadline) {
			s.Errorf("not within %s: %s: %v", within, what, last)
			s.FailNow()
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func expectContains(text, part string) error {
	if !strings.Contains(text, part) {
		return fmt.Errorf("%q is not in %q", part, text)
	}
	return nil
}

// apply server-side-applies every document of a YAML text into the namespace of the scenario.
func (s *scenario) apply(text string) {
	s.Helper()
	require.NoError(s, s.tryApply(text))
}

func (s *scenario) tryApply(text string) error {
	for doc := range strings.SplitSeq(text, "\n---\n") {
		var object unstructured.Unstructured
		if err := yaml.Unmarshal([]byte(doc), &object.Object); err != nil {
			return err
		}
		if len(object.Object) == 0 {
			continue
		}
		resource, err := resourceOf(object.GroupVersionKind())
		if err != nil {
			return err
		}
		object.SetNamespace(s.namespace)
		if _, err := s.dyn.Resource(resource).Namespace(s.namespace).Apply(s.ctx, object.GetName(), &object,
			metav1.ApplyOptions{FieldManager: fieldManager, Force: true}); err != nil {
			return err
		}
	}
	return nil
}

func resourceOf(kind schema.GroupVersionKind) (schema.GroupVersionResource, error) {
	switch kind.Kind {
	case "KVRocks":
		return kvrocksResource, nil
	case "Secret":
		return schema.GroupVersionResource{Version: "v1", Resource: "secrets"}, nil
	case "ResourceQuota":
		return schema.GroupVersionResource{Version: "v1", Resource: "resourcequotas"}, nil
	}
	return schema.GroupVersionResource{}, fmt.Errorf("no scenario applies a %s yet", kind.Kind)
}

// patch merge-patches an instance.
func (s *scenario) patch(name, json string) {
	s.Helper()
	require.NoError(s, s.tryPatch(name, json), "patch %s", name)
}

// tryPatch merge-patches an instance, which may be refused.
func (s *scenario) tryPatch(name, json string) error {
	_, err := s.dyn.Resource(kvrocksResource).Namespace(s.namespace).Patch(s.ctx, name, types.MergePatchType, []byte(json), metav1.PatchOptions{})
	return err
}

func (s *scenario) kvrocks(name string) (*v1alpha1.KVRocks, error) {
	return get[v1alpha1.KVRocks](s, kvrocksResource, name)
}

func (s *scenario) topology(name string) (*v1alpha1.KVRocksTopology, error) {
	return get[v1alpha1.KVRocksTopology](s, topologyResource, name)
}

func get[T any](s *scenario, resource schema.GroupVersionResource, name string) (*T, error) {
	object, err := s.dyn.Resource(resource).Namespace(s.namespace).Get(s.ctx, name, metav1.GetOptions{})
	if err != nil {
		return nil, err
	}
	var typed T
	return &typed, runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, &typed)
}

// ready waits until an instance is Ready for its present generation.
func (s *scenario) ready(name string, within time.Duration) {
	s.Helper()
	s.eventually(name+" is Ready", within, func() error {
		cr, err := s.kvrocks(name)
		if err != nil {
			return err
		}
		condition := meta.FindStatusCondition(cr.Status.Conditions, v1alpha1.ConditionReady)
		switch {
		case cr.Status.ObservedGeneration != cr.Generation:
			return fmt.Errorf("generation %d was observed, not %d", cr.Status.ObservedGeneration, cr.Generation)
		case condition == nil:
			return errors.New("no Ready condition")
		case condition.Status != metav1.ConditionTrue:
			return fmt.Errorf("Ready is %s: %s: %s", condition.Status, condition.Reason, condition.Message)
		case condition.ObservedGeneration != cr.Generation:
			return fmt.Errorf("Ready is of generation %d, not %d", condition.ObservedGeneration, cr.Generation)
		}
		return nil
	})
}

// remove asks for the deletion of an instance; removed waits until it is gone.
func (s *scenario) remove(name string) {
	s.Helper()
	require.NoError(s, s.dyn.Resource(kvrocksResource).Namespace(s.namespace).Delete(s.ctx, name, metav1.DeleteOptions{}))
}

func (s *scenario) removed(name string) {
	s.Helper()
	s.eventually(name+" is gone", readyWithin, func() error {
		_, err := s.kvrocks(name)
		switch {
		case err == nil:
			return errors.New("it is still there")
		case apierrors.IsNotFound(err):
			return nil
		}
		return err
	})
}

// condition waits until a condition of an instance has a status and one of the reasons.
func (s *scenario) condition(name, kind string, status metav1.ConditionStatus, within time.Duration, reasons ...string) metav1.Condition {
	s.Helper()
	var found metav1.Condition
	s.eventually(fmt.Sprintf("%s has %s=%s %v", name, kind, status, reasons), within, func() error {
		var err error
		if found, err = s.conditionNow(name, kind); err != nil {
			return err
		}
		if found.Status != status || len(reasons) > 0 && !slices.Contains(reasons, found.Reason) {
			return fmt.Errorf("%s is %s: %s: %s", kind, found.Status, found.Reason, found.Message)
		}
		return nil
	})
	return found
}

// conditionNow is a condition of an instance as it is now.
func (s *scenario) conditionNow(name, kind string) (metav1.Condition, error) {
	cr, err := s.kvrocks(name)
	if err != nil {
		return metav1.Condition{}, err
	}
	if found := meta.FindStatusCondition(cr.Status.Conditions, kind); found != nil {
		return *found, nil
	}
	return metav1.Condition{}, fmt.Errorf("no condition %s", kind)
}

// master is the pod that is master of a standard instance by its status.
func (s *scenario) master(instance string) string {
	s.Helper()
	cr, err := s.kvrocks(instance)
	require.NoError(s, err)
	require.NotEmpty(s, cr.Status.Master, "%s has no master", instance)
	return cr.Status.Master
}
