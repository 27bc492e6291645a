package contract

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// fixture is one test's namespace, hook server and CompositeController. The
// controller selects parents by a label, so tests do not see each other's.
type fixture struct {
	*hooks
	t          *testing.T
	name       string // of the namespace, of the controller, and value of the label
	finalizer  string
	controller *unstructured.Unstructured
}

// controllerOption changes the spec of a CompositeController before it is made.
type controllerOption func(f *fixture, spec object)

// newFixture makes the namespace, and a controller with a sync hook v2 and the
// child kind ConfigMap, updated in place.
func newFixture(t *testing.T, options ...controllerOption) *fixture {
	t.Helper()
	t.Parallel()
	name := strings.ToLower(strings.NewReplacer("/", "-", "_", "-").Replace(t.Name()))
	name = strings.Trim(name[max(0, len(name)-45):], "-") // the end is what differs
	f := &fixture{hooks: newHooks(t), t: t, name: name, finalizer: "metacontroller.io/compositecontroller-" + name}
	f.create(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}})

	spec := object{
		"parentResource": object{
			"apiVersion": "contract.example.com/v1", "resource": "things",
			"labelSelector": object{"matchLabels": object{"test": name}},
		},
		"generateSelector": true,
		"childResources":   []any{child("v1", "configmaps", "InPlace")},
		"hooks":            object{"sync": f.hook("sync", "v2")},
	}
	for _, option := range options {
		option(f, spec)
	}
	controller := &unstructured.Unstructured{Object: object{
		"apiVersion": "metacontroller.k8s.io/v1alpha1", "kind": "CompositeController",
		"metadata": object{"name": name}, "spec": spec,
	}}
	f.create(controller)
	f.controller = controller
	t.Cleanup(func() {
		_ = shared.client.Delete(context.WithoutCancel(t.Context()), controller)
	})
	return f
}

func (f *fixture) hook(path, version string) object {
	return object{"version": version, "webhook": object{"url": f.url + "/" + path}}
}

func child(apiVersion, resource, method string) object {
	rule := object{"apiVersion": apiVersion, "resource": resource}
	if method != "" {
		rule["updateStrategy"] = object{"method": method}
	}
	return rule
}

func withChildren(rules ...any) controllerOption {
	return func(_ *fixture, spec object) { spec["childResources"] = rules }
}

func withHook(name, version string) controllerOption {
	return func(f *fixture, spec object) { spec["hooks"].(object)[name] = f.hook(name, version) }
}

// withWebhook sets a field of the sync webhook.
func withWebhook(field string, value any) controllerOption {
	return func(_ *fixture, spec object) {
		spec["hooks"].(object)["sync"].(object)["webhook"].(object)[field] = value
	}
}

// parent makes the parent "p".
func (f *fixture) parent() *unstructured.Unstructured {
	f.t.Helper()
	return f.parentOf("Thing")
}

// parentOf makes a parent of the kind.
func (f *fixture) parentOf(kind string) *unstructured.Unstructured {
	f.t.Helper()
	p := &unstructured.Unstructured{Object: object{
		"apiVersion": "contract.example.com/v1", "kind": kind,
		"metadata": object{"name": "p", "namespace": f.name, "labels": object{"test": f.name}},
		"spec":     object{"size": int64(1)},
	}}
	f.create(p)
	return p
}

func (f *fixture) create(o client.Object) {
	f.t.Helper()
	require.NoError(f.t, shared.client.Create(f.t.Context(), o))
}

// change changes a live object, and again on a conflict.
func (f *fixture) change(o client.Object, change func()) {
	f.t.Helper()
	require.Eventually(f.t, func() bool {
		if err := f.read(o); err != nil {
			return false
		}
		change()
		err := shared.client.Update(f.t.Context(), o)
		if err != nil && !apierrors.IsConflict(err) {
			f.t.Logf("update %s: %v", o.GetName(), err)
		}
		return err == nil
	}, patience, tick)
}

// read reads the live object again.
func (f *fixture) read(o client.Object) error {
	return shared.client.Get(f.t.Context(), client.ObjectKeyFromObject(o), o)
}

// configMap is the empty shell of a ConfigMap, to be read.
func (f *fixture) configMap(name string) *corev1.ConfigMap {
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: f.name}}
}

// awaitConfigMap waits until the ConfigMap is there with the data.
func (f *fixture) awaitConfigMap(name string, data map[string]string) *corev1.ConfigMap {
	f.t.Helper()
	m := f.configMap(name)
	require.Eventually(f.t, func() bool {
		*m = *f.configMap(name)
		if f.read(m) != nil || len(m.Data) != len(data) {
			return false
		}
		for key, value := range data {
			if m.Data[key] != value {
				return false
			}
		}
		return true
	}, patience, tick, "ConfigMap %s never held %v", name, data)
	return m
}

// awaitGone waits until the object is gone.
func (f *fixture) awaitGone(o client.Object) {
	f.t.Helper()
	require.Eventually(f.t, func() bool { return apierrors.IsNotFound(f.read(o)) }, patience, tick, "%s stays", o.GetName())
}

// awaitStatus waits until the parent's whole status is want.
func (f *fixture) awaitStatus(parent *unstructured.Unstructured, want object) {
	f.t.Helper()
	eventually(f.t, func(c *assert.CollectT) {
		require.NoError(c, f.read(parent))
		assert.Equal(c, any(want), parent.Object["status"])
	})
}

// events returns the warnings about an object, as "<reason>: <message>".
func (f *fixture) events(about client.Object) []string {
	f.t.Helper()
	var list corev1.EventList
	require.NoError(f.t, shared.client.List(f.t.Context(), &list))
	var warnings []string
	for _, event := range list.Items {
		if event.InvolvedObject.UID == about.GetUID() && event.Type == corev1.EventTypeWarning {
			warnings = append(warnings, event.Reason+": "+event.Message)
		}
	}
	return warnings
}

// resync makes the hook be called again, by a label on the parent that means
// nothing, and returns the first call that sees it.
func (f *fixture) resync(parent *unstructured.Unstructured, value string) call {
	f.t.Helper()
	before := len(f.called("sync"))
	f.change(parent, func() {
		labels := parent.GetLabels()
		labels["nudge"] = value
		parent.SetLabels(labels)
	})
	return f.awaitCall(f.t, "sync", before, func(request object) bool {
		return dig(request, "parent", "metadata", "labels", "nudge") == value
	})
}

// configMapChild is a ConfigMap as a hook answers it.
func configMapChild(name string, data object) object {
	return object{"apiVersion": "v1", "kind": "ConfigMap", "metadata": object{"name": name}, "data": data}
}

func children(list ...any) object {
	if list == nil {
		list = []any{}
	}
	return object{"status": object{}, "children": list}
}

// nudge labels the parent, so that its hook is called.
func nudge(t *testing.T, parent *unstructured.Unstructured, value string) {
	t.Helper()
	require.Eventually(t, func() bool {
		live := parent.DeepCopy()
		if shared.client.Get(t.Context(), client.ObjectKeyFromObject(parent), live) != nil {
			return false
		}
		live.SetLabels(map[string]string{"nudge": value})
		return shared.client.Update(t.Context(), live) == nil
	}, patience, tick)
}
