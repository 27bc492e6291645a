package reconcile

import (
	"slices"

	"k8s.io/apimachinery/pkg/types"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/kube"
)

// grantedUpgrade returns the pod templates of spec.upgrade that the instance may roll out now: all of them, or none while as
// many other instances as the options allow are being upgraded. An instance is until its list is empty, so one that does not
// come to rest keeps a bad version of the operator from the next ones.
func (r *Reconciler) grantedUpgrade(t *v1alpha1.KVRocksTopology) []string {
	key := kube.KeyOf(t)
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(t.Spec.Upgrade) == 0 {
		delete(r.upgrades, key)
		return nil
	}
	// What this process granted may not be in the cache yet, and what a former leader granted is only there.
	others := map[types.NamespacedName]bool{}
	for granted := range r.upgrades {
		others[granted] = true
	}
	for _, other := range r.kubernetes.AllTopologies() {
		if len(other.Spec.Upgrade) > 0 && len(other.Status.Upgrade) > 0 {
			others[kube.KeyOf(other)] = true
		}
	}
	delete(others, key)
	if len(t.Status.Upgrade) == 0 && !r.upgrades[key] && len(others) >= r.options.ConcurrentUpgrades {
		return nil
	}
	r.upgrades[key] = true
	return slices.Clone(t.Spec.Upgrade)
}
