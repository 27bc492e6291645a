package contract

import (
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

func TestFinalizeHookHoldsTheParent(t *testing.T) {
	f := newFixture(t, withHook("finalize", "v2"))
	f.say("sync", children(configMapChild("a", object{"k": "1"}), configMapChild("b", nil)))
	f.say("finalize", children(configMapChild("a", object{"k": "2"})))
	parent := f.parent()
	a, b := f.awaitConfigMap("a", map[string]string{"k": "1"}), f.awaitConfigMap("b", nil)
	require.NoError(t, f.read(parent))
	assert.Equal(t, []string{f.finalizer}, parent.GetFinalizers())

	require.NoError(t, shared.client.Delete(t.Context(), parent))
	request := f.awaitCall(t, "finalize", 0, anyRequest).request
	assert.Equal(t, true, request["finalizing"])
	assert.NotNil(t, dig(request, "parent", "metadata", "deletionTimestamp"))
	assert.NotNil(t, dig(request, "children", "ConfigMap.v1", f.name+"/a"))

	// Until it is finalized its children are managed.
	f.awaitConfigMap("a", map[string]string{"k": "2"})
	f.awaitGone(b)
	require.NoError(t, f.read(parent))
	// The answer that finalizes it changes no child any more: the garbage collector takes them, which does not run here.
	f.sayFromNudge("finalize", "2",
		object{"status": object{"phase": "going"}, "children": []any{configMapChild("a", object{"k": "2"})}},
		object{"children": []any{configMapChild("a", object{"k": "3"})}, "finalized": true})
	f.change(parent, func() { parent.SetLabels(map[string]string{"test": f.name, "nudge": "1"}) })
	eventually(t, func(c *assert.CollectT) {
		require.NoError(c, f.read(parent))
		assert.Equal(c, "going", dig(parent.Object, "status", "phase"))
	})

	f.change(parent, func() { parent.SetLabels(map[string]string{"test": f.name, "nudge": "2"}) })
	f.awaitGone(parent)
	require.NoError(t, f.read(a))
	assert.Equal(t, "2", a.Data["k"])
}

func TestParentWithoutFinalizeHookGoesAtOnce(t *testing.T) {
	f := newFixture(t)
	f.say("sync", children(configMapChild("a", nil)))
	parent := f.parent()
	f.awaitConfigMap("a", nil)
	require.NoError(t, f.read(parent))
	assert.Empty(t, parent.GetFinalizers())
	require.NoError(t, shared.client.Delete(t.Context(), parent))
	f.awaitGone(parent)
}

func TestFinalizerGoesWithTheFinalizeHook(t *testing.T) {
	f := newFixture(t, withHook("finalize", "v2"))
	f.say("sync", children())
	parent := f.parent()
	eventually(t, func(c *assert.CollectT) {
		require.NoError(c, f.read(parent))
		assert.Equal(c, []string{f.finalizer}, parent.GetFinalizers())
	})
	f.change(f.controller, func() {
		unstructured.RemoveNestedField(f.controller.Object, "spec", "hooks", "finalize")
	})
	eventually(t, func(c *assert.CollectT) {
		require.NoError(c, f.read(parent))
		assert.Empty(c, parent.GetFinalizers())
	})
}

func TestRelatedObjectsAreSentAndWatched(t *testing.T) {
	f := newFixture(t, withHook("customize", "v2"))
	secret := func(name, color string) *corev1.Secret {
		return &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: f.name, Labels: map[string]string{"color": color}}}
	}
	red, blue, named := secret("red", "red"), secret("blue", "blue"), f.configMap("named")
	f.create(red)
	f.create(blue)
	f.create(named)
	f.create(f.configMap("unnamed"))
	f.say("customize", object{"relatedResources": []any{
		object{"apiVersion": "v1", "resource": "secrets", "namespace": f.name, "labelSelector": object{"matchLabels": object{"color": "red"}}},
		object{"apiVersion": "v1", "resource": "configmaps", "namespace": f.name, "names": []any{"named", "absent"}},
		object{"apiVersion": "v1", "resource": "services", "namespace": f.name},
	}})
	f.say("sync", children())
	parent := f.parent()

	request := f.awaitCall(t, "sync", 0, anyRequest).request
	customize := f.awaitCall(t, "customize", 0, anyRequest).request
	assert.Equal(t, f.name, dig(customize, "controller", "metadata", "name"))
	assert.Equal(t, "p", dig(customize, "parent", "metadata", "name"))
	assert.ElementsMatch(t, []string{f.name + "/red"}, keys(dig(request, "related", "Secret.v1")))
	assert.ElementsMatch(t, []string{f.name + "/named"}, keys(dig(request, "related", "ConfigMap.v1")))
	assert.Equal(t, object{}, dig(request, "related", "Service.v1"))

	// Made, changed, relabelled, deleted: each time the hook is called with the new state.
	await := func(condition func(related any) bool) {
		t.Helper()
		f.awaitCall(t, "sync", 0, func(request object) bool { return condition(request["related"]) })
	}
	f.create(secret("red2", "red"))
	await(func(related any) bool { return dig(related, "Secret.v1", f.name+"/red2") != nil })
	f.change(named, func() { named.Data = map[string]string{"k": "1"} })
	await(func(related any) bool { return dig(related, "ConfigMap.v1", f.name+"/named", "data", "k") == "1" })
	f.change(blue, func() { blue.Labels["color"] = "red" })
	await(func(related any) bool { return dig(related, "Secret.v1", f.name+"/blue") != nil })
	require.NoError(t, shared.client.Delete(t.Context(), red))
	await(func(related any) bool {
		return dig(related, "Secret.v1", f.name+"/blue") != nil && dig(related, "Secret.v1", f.name+"/red") == nil
	})
	// Parents that the controller does not select are asked about too; only ours counts.
	ours := func(request object) bool { return dig(request, "parent", "metadata", "uid") == string(parent.GetUID()) }
	asked := 0
	for _, call := range f.called("customize") {
		if ours(call.request) {
			asked++
		}
	}
	assert.Equal(t, 1, asked, "one answer serves a generation of the parent")
	f.change(parent, func() { parent.Object["spec"] = object{"size": int64(2)} })
	f.awaitCall(t, "customize", 0, func(request object) bool {
		return ours(request) && dig(request, "parent", "metadata", "generation") == 2.0
	})
}

func TestRelatedObjectsOfOtherNamespaces(t *testing.T) {
	f := newFixture(t, withHook("customize", "v2"))
	other := f.name + "-other"
	f.create(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: other}})
	m := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "m", Namespace: other, Labels: map[string]string{"for": f.name}}}
	f.create(m)
	f.say("customize", object{"relatedResources": []any{
		object{"apiVersion": "v1", "resource": "configmaps", "labelSelector": object{"matchLabels": object{"for": f.name}}},
	}})
	f.say("sync", children())
	f.parent()
	request := f.awaitCall(t, "sync", 0, anyRequest).request
	assert.Equal(t, []string{other + "/m"}, keys(dig(request, "related", "ConfigMap.v1")))
}

func TestFailingCustomizeHookAppliesNothing(t *testing.T) {
	f := newFixture(t, withHook("customize", "v2"))
	f.say("customize", object{"relatedResources": []any{
		object{"apiVersion": "v1", "resource": "secrets", "names": []any{"a"}, "labelSelector": object{}},
	}})
	f.say("sync", children(configMapChild("a", nil)))
	parent := f.parent()
	eventually(t, func(c *assert.CollectT) { assert.NotEmpty(c, f.events(parent)) })
	assert.Empty(t, f.called("sync"))
	assertNothingApplied(t, f)
}

func keys(m any) []string {
	var names []string
	for name := range m.(object) {
		names = append(names, name)
	}
	return names
}

func TestChangedControllerTakesEffectAndDeletedOneStops(t *testing.T) {
	f := newFixture(t)
	f.say("sync", children(configMapChild("a", object{"k": "1"})))
	parent := f.parent()
	m := f.awaitConfigMap("a", map[string]string{"k": "1"})

	f.say("other", children(configMapChild("a", object{"k": "2"})))
	f.change(f.controller, func() {
		require.NoError(t, unstructured.SetNestedField(f.controller.Object, f.url+"/other", "spec", "hooks", "sync", "webhook", "url"))
	})
	f.awaitConfigMap("a", map[string]string{"k": "2"})

	require.NoError(t, shared.client.Delete(t.Context(), f.controller))
	// The loop is gone when an event says so; then a change calls no hook.
	eventually(t, func(c *assert.CollectT) {
		var list corev1.EventList
		require.NoError(c, shared.client.List(t.Context(), &list))
		stopped := 0
		for _, event := range list.Items {
			if event.InvolvedObject.Name == f.name && event.Reason == "Stopped" {
				stopped += int(max(event.Count, 1))
			}
		}
		assert.GreaterOrEqual(c, stopped, 2, "stopped for the change and for the deletion")
	})
	before := len(f.called("other"))
	f.change(m, func() { m.Data["k"] = "theirs" })
	f.change(parent, func() { parent.Object["spec"] = object{"size": int64(2)} })
	// Another controller's whole life is enough time for a call that must not come.
	g := newSibling(t, f)
	g.awaitCall(t, "sync", 0, anyRequest)
	assert.Len(t, f.called("other"), before)
}

// newSibling starts another controller for the same parents.
func newSibling(t *testing.T, f *fixture) *hooks {
	t.Helper()
	h := newHooks(t)
	h.say("sync", children())
	sibling := &unstructured.Unstructured{Object: object{
		"apiVersion": "metacontroller.k8s.io/v1alpha1", "kind": "CompositeController",
		"metadata": object{"name": f.name + "-sibling"}, "spec": f.controller.DeepCopy().Object["spec"],
	}}
	require.NoError(t, unstructured.SetNestedField(sibling.Object, h.url+"/sync", "spec", "hooks", "sync", "webhook", "url"))
	f.create(sibling)
	return h
}

func TestControllerWaitsForItsCRD(t *testing.T) {
	f := newFixture(t, func(_ *fixture, spec object) {
		spec["parentResource"].(object)["resource"] = "laters"
	})
	f.say("sync", children(configMapChild("a", nil)))
	crd := &unstructured.Unstructured{Object: object{
		"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
		"metadata": object{"name": "laters.contract.example.com"},
		"spec": object{
			"group": "contract.example.com", "scope": "Namespaced",
			"names": object{"kind": "Later", "listKind": "LaterList", "plural": "laters", "singular": "later"},
			"versions": []any{object{
				"name": "v1", "served": true, "storage": true, "subresources": object{"status": object{}},
				"schema": object{"openAPIV3Schema": object{"type": "object", "x-kubernetes-preserve-unknown-fields": true}},
			}},
		},
	}}
	f.create(crd)
	parent := &unstructured.Unstructured{Object: object{
		"apiVersion": "contract.example.com/v1", "kind": "Later",
		"metadata": object{"name": "p", "namespace": f.name, "labels": object{"test": f.name}},
	}}
	require.Eventually(t, func() bool { return shared.client.Create(t.Context(), parent) == nil }, patience, tick)
	f.awaitConfigMap("a", nil)
}

func TestParentKindWithoutStatusSubresourceIsIgnored(t *testing.T) {
	f := newFixture(t, func(_ *fixture, spec object) {
		spec["parentResource"].(object)["resource"] = "bares"
	})
	f.say("sync", children(configMapChild("a", nil)))
	f.parentOf("Bare")
	eventually(t, func(c *assert.CollectT) {
		warnings := f.events(f.controller)
		if assert.NotEmpty(c, warnings) {
			assert.Contains(c, warnings[0], "subresource 'Status'")
		}
	})
	assert.Empty(t, f.called("sync"))
}

func TestParentsAreSelectedByLabel(t *testing.T) {
	f := newFixture(t)
	f.say("sync", children(configMapChild("a", nil)))
	other := &unstructured.Unstructured{Object: object{
		"apiVersion": "contract.example.com/v1", "kind": "Thing",
		"metadata": object{"name": "other", "namespace": f.name},
	}}
	f.create(other)
	f.parent()
	f.awaitConfigMap("a", nil)
	for _, call := range f.called("sync") {
		assert.Equal(t, "p", dig(call.request, "parent", "metadata", "name"))
	}
}

func TestHealthAndMetricsAreServed(t *testing.T) {
	for _, path := range []string{"/healthz", "/readyz"} {
		response, err := http.Get(shared.program.health + path) //nolint:noctx // the default client is fine for a probe of our own program
		require.NoError(t, err)
		_ = response.Body.Close()
		assert.Equal(t, http.StatusOK, response.StatusCode, path)
	}
	response, err := http.Get(shared.program.metrics) //nolint:noctx // see above
	require.NoError(t, err)
	text, err := io.ReadAll(response.Body)
	_ = response.Body.Close()
	require.NoError(t, err)
	assert.Contains(t, string(text), "rest_client_requests_total{")
}
