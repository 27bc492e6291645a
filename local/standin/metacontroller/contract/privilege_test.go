package contract

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/yaml"
)

// repository is the folder of the operator, from this package.
const repository = "../../../../"

// TestLeastPrivilegeIsEnough runs the program with the rights of a component of
// metacontroller/install alone, and the operator's own CompositeController
// through the whole life of an instance.
func TestLeastPrivilegeIsEnough(t *testing.T) {
	t.Run("least-privilege", func(t *testing.T) {
		lifeWithRights(t, "least-privilege", "least-privilege/clusterrole.yaml", "")
	})
	t.Run("scoped", func(t *testing.T) {
		lifeWithRights(t, "scoped", "scoped/clusterrole.yaml", "scoped/children.yaml")
	})
}

// lifeWithRights gives the program the role in one file everywhere and that in
// another one, if any, in one namespace.
func lifeWithRights(t *testing.T, namespace, everywhere, inNamespace string) {
	t.Helper()
	_, err := envtest.InstallCRDs(shared.environment.Config, envtest.CRDInstallOptions{Paths: []string{repository + "manifests/crds"}})
	require.NoError(t, err)
	h := newHooks(t)
	require.NoError(t, shared.client.Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}}))

	role := &rbacv1.ClusterRole{}
	readYAML(t, repository+"metacontroller/install/"+everywhere, role)
	role.Name = namespace
	require.NoError(t, shared.client.Create(t.Context(), role))
	user := "restricted-" + namespace
	subjects := []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: "User", Name: user}}
	require.NoError(t, shared.client.Create(t.Context(), &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: namespace},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role.Name},
		Subjects:   subjects,
	}))
	if inNamespace != "" {
		children := &rbacv1.ClusterRole{}
		readYAML(t, repository+"metacontroller/install/"+inNamespace, children)
		require.NoError(t, shared.client.Create(t.Context(), children))
		require.NoError(t, shared.client.Create(t.Context(), &rbacv1.RoleBinding{
			ObjectMeta: metav1.ObjectMeta{Name: children.Name, Namespace: namespace},
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: children.Name},
			Subjects:   subjects,
		}))
	}
	added, err := shared.environment.AddUser(envtest.User{Name: user}, nil)
	require.NoError(t, err)
	kubeconfig, err := added.KubeConfig()
	require.NoError(t, err)

	createOperatorsController(t, namespace, h.url)
	restricted, err := startProgram(t.TempDir(), kubeconfig, "--target-label-selector="+restrictedLabel+"="+namespace)
	require.NoError(t, err)
	stopped := false
	t.Cleanup(func() {
		if !stopped {
			_ = restricted.stop()
		}
	})

	// All kinds of children are made, one of them is changed, all but one deleted; then the parent goes.
	var rules []any
	for _, resource := range [][2]string{{"v1", "pods"}, {"kvrocks.apache.org/v1alpha1", "kvrocks"}} {
		rules = append(rules, object{"apiVersion": resource[0], "resource": resource[1], "namespace": namespace})
	}
	h.say("customize", object{"relatedResources": rules})
	h.say("sync", object{"status": object{"phase": "Ready"}, "children": oneOfEachKind("1")})
	parent := &unstructured.Unstructured{Object: object{
		"apiVersion": "kvrocks.apache.org/v1alpha1", "kind": "KVRocks",
		"metadata": object{"name": "orders", "namespace": namespace},
		"spec": object{
			"type": "standard", "image": "i:1", "replicas": int64(3), "password": "p", "kvrocksConfig": object{},
			"storage": object{"size": "1Gi", "class": "standard"},
		},
	}}
	require.NoError(t, shared.client.Create(t.Context(), parent))
	observed := func(request object) int {
		n := 0
		for _, group := range request["children"].(object) {
			n += len(group.(object))
		}
		return n
	}
	h.awaitCall(t, "sync", 0, func(request object) bool {
		return observed(request) == len(oneOfEachKind("")) && dig(request, "parent", "status", "observedGeneration") != nil
	})
	h.say("sync", object{"status": object{}, "children": oneOfEachKind("2")})
	nudge(t, parent, "1")
	h.awaitCall(t, "sync", 0, func(request object) bool {
		return dig(request, "children", "ConfigMap.v1", namespace+"/orders", "data", "k") == "2"
	})
	h.sayFromNudge("finalize", "2",
		object{"children": oneOfEachKind("2")[:1]}, object{"children": []any{}, "finalized": true})
	require.NoError(t, shared.client.Delete(t.Context(), parent))
	h.awaitCall(t, "finalize", 0, func(request object) bool { return observed(request) == 1 })
	nudge(t, parent, "2")
	eventually(t, func(c *assert.CollectT) {
		assert.Error(c, shared.client.Get(t.Context(), client.ObjectKeyFromObject(parent), parent.DeepCopy()))
	})

	stopped = true
	require.NoError(t, restricted.stop())
	log, err := os.ReadFile(restricted.log)
	require.NoError(t, err)
	for line := range strings.Lines(string(log)) {
		assert.NotContains(t, line, "forbidden")
	}
}

func readYAML(t *testing.T, file string, into any) {
	t.Helper()
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	require.NoError(t, yaml.Unmarshal(data, into))
}

// oneOfEachKind returns a child of every kind that the operator has.
func oneOfEachKind(value string) []any {
	labels := object{"app": "orders"}
	pod := object{
		"metadata": object{"labels": labels},
		"spec":     object{"containers": []any{object{"name": "c", "image": "i:" + value}}},
	}
	one := func(apiVersion, kind string, rest object) object {
		rest["apiVersion"], rest["kind"] = apiVersion, kind
		rest["metadata"] = object{"name": "orders", "labels": object{"value": value}}
		return rest
	}
	return []any{
		one("v1", "ConfigMap", object{"data": object{"k": value}}),
		one("v1", "Secret", object{"data": object{}}),
		one("v1", "Service", object{"spec": object{"ports": []any{object{"port": 80, "targetPort": 80}}}}),
		one("apps/v1", "StatefulSet", object{"spec": object{
			"serviceName": "orders", "selector": object{"matchLabels": labels}, "template": pod,
		}}),
		one("apps/v1", "Deployment", object{"spec": object{"selector": object{"matchLabels": labels}, "template": pod}}),
		one("policy/v1", "PodDisruptionBudget", object{"spec": object{"maxUnavailable": 1, "selector": object{"matchLabels": labels}}}),
		one("networking.k8s.io/v1", "NetworkPolicy", object{"spec": object{
			"podSelector": object{"matchLabels": labels}, "policyTypes": []any{"Ingress"},
		}}),
		one("kvrocks.apache.org/v1alpha1", "KVRocksTopology", object{"spec": object{"type": "standard", "port": 6379, "shards": []any{}}}),
	}
}
