package hooks

import (
	"maps"
	"slices"
	"strconv"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/hooks/kvrocksconf"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// configEpoch returns how often a person removed settings that were applied live. kvrocks has no way back to a default that it
// was started with another value of, and defaults differ from release to release, so the pods are restarted: that is the one
// rule, in the place of a table of defaults. The count and the settings stand in one object, the topology, so that no removal
// is missed or counted twice; a topology that was lost is made again with the count of the pod template.
func (in *instance) configEpoch() int64 {
	epoch := in.templateEpoch()
	if in.topology == nil {
		return epoch
	}
	epoch = max(epoch, in.topology.Spec.ConfigEpoch)
	if in.topology.Spec.ConfigEpoch == epoch && in.removedSettings() {
		epoch++
	}
	return epoch
}

// removedSettings reports whether nodes may hold a live setting that is not wanted any more. What kvrocks did not know had no
// effect.
func (in *instance) removedSettings() bool {
	wanted := kvrocksconf.Settings(in.spec)
	maps.Copy(wanted, kvrocksconf.LiveOfVolume(in.spec))
	for name := range in.topology.Spec.Config {
		if _, stays := wanted[name]; !stays && !slices.Contains(in.topology.Status.UnknownSettings, name) {
			return true
		}
	}
	return false
}

// templateEpoch returns the count in the observed pod template.
func (in *instance) templateEpoch() int64 {
	set := in.firstDataSet()
	if set == nil {
		return 0
	}
	epoch, err := strconv.ParseInt(set.Spec.Template.Annotations[annotationConfigEpoch], 10, 64)
	if err != nil {
		return 0
	}
	return max(epoch, 0)
}

// annotateConfig puts onto a pod what its process must have been started with.
func (in *instance) annotateConfig(annotations map[string]string) {
	annotations[annotationConfig] = hash([]byte(kvrocksconf.RestartText(in.spec)))
	if epoch := in.configEpoch(); epoch > 0 {
		annotations[annotationConfigEpoch] = strconv.FormatInt(epoch, 10)
	}
}

// reportPendingRestarts makes ConfigApplied False while some data pod runs that was started with other settings than those that take a
// restart have now: the sidecar sees only those that are applied live.
func (in statusBuilder) reportPendingRestarts(c *conditions) {
	wanted := map[string]string{}
	in.annotateConfig(wanted)
	for _, name := range slices.Sorted(maps.Keys(in.pods)) {
		pod := in.pods[name]
		if pod.Labels[v1alpha1.LabelComponent] != v1alpha1.ComponentData ||
			pod.Annotations[annotationConfig] == wanted[annotationConfig] &&
				pod.Annotations[annotationConfigEpoch] == wanted[annotationConfigEpoch] {
			continue
		}
		c.replace(v1alpha1.ConditionConfigApplied, metav1.ConditionFalse, reasonRestartPending,
			name+" has the settings that it was started with; it takes the present ones when it is restarted")
		return
	}
}

// replace sets a condition in the place of the one that is listed.
func (c *conditions) replace(kind string, status metav1.ConditionStatus, reason, message string) {
	c.list = slices.DeleteFunc(c.list, func(old metav1.Condition) bool { return old.Type == kind })
	c.set(kind, status, reason, message)
}
