package reconcile

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/kube"
)

func TestAFewInstancesAtATimeAreUpgraded(t *testing.T) {
	topologies, all := map[string]*v1alpha1.KVRocksTopology{}, map[types.NamespacedName]*v1alpha1.KVRocksTopology{}
	for _, name := range []string{"a", "b", "c"} {
		one := &v1alpha1.KVRocksTopology{}
		one.Namespace, one.Name = "shop", name
		one.Spec.Upgrade = []string{"new"}
		topologies[name], all[kube.KeyOf(one)] = one, one
	}
	r := &Reconciler{
		options: Options{ConcurrentUpgrades: 2}, upgrades: map[types.NamespacedName]bool{},
		kubernetes: &fakeCluster{topologies: all},
	}
	grant := func(name string) []string { return r.grantedUpgrade(topologies[name]) }
	// The caches do not know of grants yet.
	assert.Equal(t, []string{"new"}, grant("a"))
	assert.Equal(t, []string{"new"}, grant("b"))
	assert.Empty(t, grant("c"))
	assert.Equal(t, []string{"new"}, grant("a"), "a grant stays")

	topologies["a"].Status.Upgrade, topologies["b"].Status.Upgrade = []string{"new"}, []string{"new"}
	r.upgrades = map[types.NamespacedName]bool{} // another replica leads
	assert.Empty(t, grant("c"))
	topologies["b"].Spec.Upgrade = []string{"new", "newer"}
	assert.Equal(t, []string{"new", "newer"}, grant("b"), "it is being upgraded already")

	topologies["a"].Spec.Upgrade = nil // it has come to rest
	assert.Empty(t, grant("a"))
	assert.Equal(t, []string{"new"}, grant("c"))

	r.options.ConcurrentUpgrades = 0
	r.upgrades = map[types.NamespacedName]bool{}
	topologies["b"].Spec.Upgrade, topologies["c"].Status.Upgrade = nil, nil
	assert.Empty(t, grant("c"))
}
