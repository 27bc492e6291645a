package hooks

import (
	"strings"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

// topologyChild returns the KVRocksTopology of the instance with a spec.
func (in builder) topologyChild(component string, spec v1alpha1.KVRocksTopologySpec) child {
	topology := in.object(v1alpha1.Group+"/"+v1alpha1.Version, "KVRocksTopology", in.name, component)
	topology.Spec = spec
	return topology
}

// sentinelTopology tells the sidecar how many sentinels there should be.
func (in builder) sentinelTopology() child {
	return in.topologyChild(v1alpha1.ComponentSentinel, v1alpha1.KVRocksTopologySpec{
		Type: v1alpha1.TypeSentinel, ParentGeneration: in.cr.Generation, Port: in.spec.Port(),
		PasswordSecret: in.password(), PasswordSecretVersion: in.passwordSecretVersion(), Sentinels: in.spec.Replicas,
		Upgrade: in.upgradeRequest(), Paused: in.paused(),
	})
}

// dataTopology tells the sidecar what the shards must look like.
func (in builder) dataTopology(shards []v1alpha1.TopologyShard) child {
	spec := v1alpha1.KVRocksTopologySpec{
		Type: in.spec.Type, ParentGeneration: in.cr.Generation, Port: in.spec.Port(),
		PasswordSecret: in.password(), PasswordSecretVersion: in.passwordSecretVersion(),
		Failover: in.spec.Failover, Shards: shards, Config: in.liveSettings(), ConfigEpoch: in.configEpoch(),
		Storage: in.topologyStorage(), Upgrade: in.upgradeRequest(), Paused: in.paused(),
	}
	if sentinel := in.cr.MonitoredBy(); sentinel != "" {
		spec.Sentinel = &v1alpha1.SentinelRef{Name: sentinel}
	}
	if in.spec.Storage != nil {
		spec.StorageWarnPercent = in.spec.Storage.WarnPercent
	}
	return in.topologyChild(v1alpha1.ComponentData, spec)
}

// topologyShard returns one shard of the topology at a step.
func (in builder) topologyShard(s shard, now step) v1alpha1.TopologyShard {
	return v1alpha1.TopologyShard{
		Index: s.index, MasterName: s.masterName, Replicas: s.wanted,
		Leaving: s.leaving, Members: in.members(s, now.members), Handoff: now.handoff,
		Replace: now.replace, Primary: in.namedPrimary(s),
	}
}

// namedPrimary returns the pod of a shard that the spec names as its master; "" when it names none.
func (in builder) namedPrimary(s shard) string {
	if in.spec.Type == v1alpha1.TypeStandard {
		return in.spec.Primary
	}
	for _, pod := range in.spec.Primaries {
		if ordinal, ok := strings.CutPrefix(pod, s.name+"-"); ok && !strings.Contains(ordinal, "-") {
			return pod
		}
	}
	return ""
}

// withRelease returns the observed topology with release asked for.
func (in builder) withRelease(observed *v1alpha1.KVRocksTopology) child {
	spec := *observed.Spec.DeepCopy()
	spec.Release = true
	topology := in.topologyChild(observed.Labels[v1alpha1.LabelComponent], spec)
	topology.Metadata.Labels = keptLabels(observed.Labels)
	return topology
}

// released reports whether the sidecar has answered a request for release that was observed, not merely sent.
func released(topology *v1alpha1.KVRocksTopology) bool {
	return topology.Spec.Release && current(topology) && topology.Status.Released
}
