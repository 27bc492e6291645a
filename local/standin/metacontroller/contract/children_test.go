package contract

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

const (
	lastApplied = "metacontroller.k8s.io/last-applied-configuration"
	uidLabel    = "controller-uid"
)

func TestChildIsCreatedWithOwnerLabelAndLastApplied(t *testing.T) {
	f := newFixture(t)
	f.say("sync", children(configMapChild("a", object{"k": "1"})))
	parent := f.parent()

	m := f.awaitConfigMap("a", map[string]string{"k": "1"})
	yes := true
	assert.Equal(t, []metav1.OwnerReference{{
		APIVersion: "contract.example.com/v1", Kind: "Thing", Name: "p", UID: parent.GetUID(),
		Controller: &yes, BlockOwnerDeletion: &yes,
	}}, m.OwnerReferences)
	assert.Equal(t, string(parent.GetUID()), m.Labels[uidLabel])

	var applied object
	require.NoError(t, json.Unmarshal([]byte(m.Annotations[lastApplied]), &applied))
	assert.Equal(t, object{
		"apiVersion": "v1", "kind": "ConfigMap", "data": object{"k": "1"},
		"metadata": object{"name": "a", "namespace": f.name, "labels": object{uidLabel: string(parent.GetUID())}},
	}, applied)
}

func TestInPlaceUpdateKeepsWhatOthersAdded(t *testing.T) {
	f := newFixture(t)
	f.say("sync", children(configMapChild("a", object{"stays": "1", "changes": "1", "goes": "1"})))
	parent := f.parent()
	m := f.awaitConfigMap("a", map[string]string{"stays": "1", "changes": "1", "goes": "1"})

	f.change(m, func() {
		m.Data["theirs"] = "1"
		m.Annotations["theirs"] = "1"
	})
	f.say("sync", children(configMapChild("a", object{"stays": "1", "changes": "2", "new": "1"})))
	f.resync(parent, "1")

	m = f.awaitConfigMap("a", map[string]string{"stays": "1", "changes": "2", "new": "1", "theirs": "1"})
	assert.Equal(t, "1", m.Annotations["theirs"])
}

func TestForeignChangeOfOurFieldIsRevertedInPlace(t *testing.T) {
	f := newFixture(t)
	f.say("sync", children(configMapChild("a", object{"k": "ours"})))
	f.parent()
	m := f.awaitConfigMap("a", map[string]string{"k": "ours"})
	f.change(m, func() { m.Data["k"] = "theirs" })
	f.awaitConfigMap("a", map[string]string{"k": "ours"})
}

func TestChildWithoutUpdateStrategyIsNeverUpdated(t *testing.T) {
	for name, method := range map[string]string{"Unset": "", "OnDelete": "OnDelete"} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, withChildren(child("v1", "configmaps", method), child("v1", "secrets", "InPlace")))
			marker := object{"apiVersion": "v1", "kind": "Secret", "metadata": object{"name": "marker"}}
			f.say("sync", children(configMapChild("a", object{"k": "1"})))
			parent := f.parent()
			m := f.awaitConfigMap("a", map[string]string{"k": "1"})

			// Secrets come after ConfigMaps in one pass, so the marker shows that the pass is over.
			f.say("sync", children(configMapChild("a", object{"k": "2"}), marker))
			f.resync(parent, "1")
			eventually(t, func(c *assert.CollectT) {
				require.NoError(c, f.read(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "marker", Namespace: f.name}}))
			})
			before := m.ResourceVersion
			require.NoError(t, f.read(m))
			assert.Equal(t, before, m.ResourceVersion)

			// Deleted, it is made again in its new form.
			require.NoError(t, shared.client.Delete(t.Context(), m))
			f.awaitConfigMap("a", map[string]string{"k": "2"})
		})
	}
}

func TestRecreateDeletesAndCreates(t *testing.T) {
	f := newFixture(t, withChildren(child("v1", "configmaps", "Recreate")))
	f.say("sync", children(configMapChild("a", object{"k": "1"})))
	parent := f.parent()
	before := f.awaitConfigMap("a", map[string]string{"k": "1"})
	f.say("sync", children(configMapChild("a", object{"k": "2"})))
	f.resync(parent, "1")
	after := f.awaitConfigMap("a", map[string]string{"k": "2"})
	assert.NotEqual(t, before.UID, after.UID)
}

func TestChildLeftOutIsDeletedAndOthersAreNot(t *testing.T) {
	f := newFixture(t)
	f.say("sync", children(configMapChild("a", nil), configMapChild("b", nil)))
	parent := f.parent()
	a, b := f.awaitConfigMap("a", nil), f.awaitConfigMap("b", nil)
	stranger := f.configMap("stranger")
	f.create(stranger)

	f.say("sync", children(configMapChild("b", nil)))
	f.resync(parent, "1")
	f.awaitGone(a)
	assert.NoError(t, f.read(b))
	assert.NoError(t, f.read(stranger))

	f.say("sync", children())
	f.resync(parent, "2")
	f.awaitGone(b)
	assert.NoError(t, f.read(stranger))
}

func TestChildPendingDeletionIsLeftAlone(t *testing.T) {
	f := newFixture(t)
	f.say("sync", children(configMapChild("a", object{"k": "1"}), configMapChild("b", object{"k": "1"})))
	parent := f.parent()
	a := f.awaitConfigMap("a", map[string]string{"k": "1"})
	f.change(a, func() { a.Finalizers = []string{"contract.example.com/hold"} })
	require.NoError(t, shared.client.Delete(t.Context(), a))
	f.awaitCall(t, "sync", 0, func(request object) bool {
		return dig(request, "children", "ConfigMap.v1", f.name+"/a", "metadata", "deletionTimestamp") != nil
	})

	f.say("sync", children(configMapChild("a", object{"k": "2"}), configMapChild("b", object{"k": "2"})))
	f.resync(parent, "1")
	f.awaitConfigMap("b", map[string]string{"k": "2"})
	require.NoError(t, f.read(a))
	assert.Equal(t, "1", a.Data["k"])

	f.change(a, func() { a.Finalizers = nil })
	f.awaitConfigMap("a", map[string]string{"k": "2"})
}

func TestListsMergeByTheirKey(t *testing.T) {
	f := newFixture(t, withChildren(child("apps/v1", "deployments", "InPlace"), child("v1", "services", "InPlace")))
	deployment := func(image string) object {
		labels := object{"app": "a"}
		return object{
			"apiVersion": "apps/v1", "kind": "Deployment", "metadata": object{"name": "a"},
			"spec": object{
				"selector": object{"matchLabels": labels},
				"template": object{
					"metadata": object{"labels": labels},
					"spec": object{"containers": []any{object{
						"name": "main", "image": image, "env": []any{object{"name": "X", "value": image}},
						"command": []any{"run", image},
					}}},
				},
			},
		}
	}
	service := func(port int) object {
		return object{
			"apiVersion": "v1", "kind": "Service", "metadata": object{"name": "a"},
			"spec": object{"selector": object{"app": "a"}, "ports": []any{object{"name": "p", "port": port, "targetPort": port}}},
		}
	}
	f.say("sync", children(deployment("i:1"), service(80)))
	parent := f.parent()
	d := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: "a", Namespace: f.name}}
	s := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: "a", Namespace: f.name}}
	eventually(t, func(c *assert.CollectT) {
		require.NoError(c, f.read(d))
		require.NoError(c, f.read(s))
	})
	f.change(d, func() {
		containers := &d.Spec.Template.Spec.Containers
		(*containers)[0].Env = append((*containers)[0].Env, corev1.EnvVar{Name: "Y", Value: "theirs"})
		*containers = append(*containers, corev1.Container{Name: "sidecar", Image: "s:1"})
	})
	f.change(s, func() {
		s.Spec.Ports = append(s.Spec.Ports, corev1.ServicePort{Name: "q", Port: 90, TargetPort: intstr.FromInt32(90)})
	})

	f.say("sync", children(deployment("i:2"), service(81)))
	f.resync(parent, "1")
	eventually(t, func(c *assert.CollectT) {
		require.NoError(c, f.read(d))
		require.NoError(c, f.read(s))
		containers := d.Spec.Template.Spec.Containers
		if assert.Len(c, containers, 2) {
			assert.Equal(c, "i:2", containers[0].Image)
			assert.Equal(c, []string{"run", "i:2"}, containers[0].Command)
			assert.Equal(c, []corev1.EnvVar{{Name: "X", Value: "i:2"}, {Name: "Y", Value: "theirs"}}, containers[0].Env)
			assert.Equal(c, "sidecar", containers[1].Name)
		}
		var ports []int32
		for _, port := range s.Spec.Ports {
			ports = append(ports, port.Port)
		}
		// Ours was 80 and is 81: as the key changed it counts as another item.
		assert.Equal(c, []int32{90, 81}, ports)
	})
}

func TestNothingIsWrittenWhenNothingDiffers(t *testing.T) {
	f := newFixture(t)
	f.say("sync", object{"status": object{"a": 1, "list": []any{"x"}}, "children": []any{configMapChild("a", object{"k": "1"})}})
	parent := f.parent()
	m := f.awaitConfigMap("a", map[string]string{"k": "1"})
	eventually(t, func(c *assert.CollectT) {
		require.NoError(c, f.read(parent))
		assert.NotNil(c, dig(parent.Object, "status", "observedGeneration"))
	})
	for _, nudge := range []string{"1", "2", "3"} {
		f.resync(parent, nudge)
	}
	// A change of the child makes one more pass; when its call is answered, the passes above are over.
	before := len(f.called("sync"))
	f.change(m, func() { m.Annotations["theirs"] = "1" })
	f.awaitCall(t, "sync", before, func(request object) bool {
		return dig(request, "children", "ConfigMap.v1", f.name+"/a", "metadata", "annotations", "theirs") != nil
	})
	mine, theirs := m.ResourceVersion, parent.GetResourceVersion()
	require.NoError(t, f.read(m))
	require.NoError(t, f.read(parent))
	assert.Equal(t, mine, m.ResourceVersion, "the child was written")
	assert.Equal(t, theirs, parent.GetResourceVersion(), "the parent was written")
}

func TestExistingForeignChildIsNotTaken(t *testing.T) {
	f := newFixture(t)
	foreign := f.configMap("a")
	foreign.Data = map[string]string{"k": "theirs"}
	f.create(foreign)
	f.say("sync", children(configMapChild("a", object{"k": "ours"}), configMapChild("b", nil)))
	parent := f.parent()
	f.awaitConfigMap("b", nil)
	f.awaitStatus(parent, object{"observedGeneration": int64(1)})
	require.NoError(t, f.read(foreign))
	assert.Equal(t, "theirs", foreign.Data["k"])
	assert.Empty(t, foreign.OwnerReferences)
	assert.Empty(t, f.events(parent), "it is not an error")
}

func TestOrphanThatMatchesIsAdopted(t *testing.T) {
	f := newFixture(t)
	f.say("sync", children(configMapChild("marker", nil)))
	parent := f.parent()
	f.awaitConfigMap("marker", nil)

	f.say("sync", children(configMapChild("marker", nil), configMapChild("orphan", object{"k": "ours"})))
	orphan := f.configMap("orphan")
	orphan.Labels = map[string]string{uidLabel: string(parent.GetUID())}
	orphan.Data = map[string]string{"k": "theirs"}
	f.create(orphan)

	orphan = f.awaitConfigMap("orphan", map[string]string{"k": "ours"})
	owner := metav1.GetControllerOf(orphan)
	if assert.NotNil(t, owner) {
		assert.Equal(t, parent.GetUID(), owner.UID)
	}
}

func TestChildWithAnotherControllerIsIgnored(t *testing.T) {
	f := newFixture(t)
	f.say("sync", children())
	parent := f.parent()
	f.awaitCall(t, "sync", 0, anyRequest)
	yes := true
	theirs := f.configMap("theirs")
	theirs.Labels = map[string]string{uidLabel: string(parent.GetUID())}
	theirs.OwnerReferences = []metav1.OwnerReference{{APIVersion: "v1", Kind: "ConfigMap", Name: "x", UID: "other", Controller: &yes}}
	f.create(theirs)
	request := f.resync(parent, "1").request
	assert.NotContains(t, dig(request, "children", "ConfigMap.v1"), f.name+"/theirs")
	assert.NoError(t, f.read(theirs))
}

func TestChildThatLosesItsLabelIsReleased(t *testing.T) {
	f := newFixture(t)
	f.say("sync", children(configMapChild("a", object{"k": "1"})))
	parent := f.parent()
	m := f.awaitConfigMap("a", map[string]string{"k": "1"})
	f.change(m, func() { delete(m.Labels, uidLabel) })
	eventually(t, func(c *assert.CollectT) {
		require.NoError(c, f.read(m))
		assert.Empty(c, m.OwnerReferences)
	})
	request := f.resync(parent, "1").request
	assert.NotContains(t, dig(request, "children", "ConfigMap.v1"), f.name+"/a")
}

func TestDeletedChildIsMadeAnew(t *testing.T) {
	f := newFixture(t)
	f.say("sync", children(configMapChild("a", object{"k": "1"})))
	f.parent()
	m := f.awaitConfigMap("a", map[string]string{"k": "1"})
	require.NoError(t, shared.client.Delete(t.Context(), m, client.Preconditions{UID: &m.UID}))
	eventually(t, func(c *assert.CollectT) {
		again := f.configMap("a")
		require.NoError(c, f.read(again))
		assert.NotEqual(c, m.UID, again.UID)
	})
}
