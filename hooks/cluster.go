package hooks

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

// maxShards bounds the shards of a cluster: spec.master is at most 999.
const maxShards = 1000

// syncCluster makes one StatefulSet per shard, and etcd and kvrocks-controller for all of them.
func syncCluster(in clusterBuilder) (answer, error) {
	shards := in.clusterShards()
	var out children
	if secret, ok := in.passwordSecret(v1alpha1.ComponentData); ok {
		out.add(secret)
	}
	out.add(in.forClients(in.headlessService()))
	steps, err := in.addShards(&out, shards)
	if err != nil {
		return answer{}, err
	}
	out.add(in.dataConfig(shards))
	rolling := slices.ContainsFunc(steps, func(now step) bool { return now.rolling })
	store, err := in.addEtcd(&out, rolling)
	if err != nil {
		return answer{}, err
	}
	if err := in.addController(&out); err != nil {
		return answer{}, err
	}
	out.add(in.clusterTopology(shards, steps))
	return answer{children: out, status: statusBuilder{in.instance}.clusterStatus(shards, steps, store, &out)}, nil
}

// addShards declares the pods of every shard. New templates are rolled out one shard at a time, in their order.
func (in clusterBuilder) addShards(out *children, shards []shard) ([]step, error) {
	steps := make([]step, len(shards))
	updating := false // a shard before the present one
	var templateHash string
	for i, s := range shards {
		for ordinal := range in.ordinals(s) {
			out.add(in.podService(s, ordinal))
		}
		if s.gone {
			steps[i] = step{members: in.ordinals(s)}.wait(reasonRemovingShard, "removing the pods of %s", s.name)
			continue
		}
		template, err := in.dataPods(s).Merge()
		if err != nil {
			return nil, err
		}
		if i == 0 {
			if err := stampTemplateHash(&template); err != nil {
				return nil, err
			}
			templateHash = template.Annotations[annotationTemplate]
			out.add(in.dataPolicy(&template.Spec))
		}
		// The templates of shards differ in nothing but the number of the shard.
		template.Annotations[annotationTemplate] = templateHash
		s.notItsTurn = updating
		template, ungranted := in.grantedDataTemplate(s, template)
		now := in.nextStep(s, template.Annotations[annotationTemplate])
		updating = updating || now.rolling
		steps[i] = now
		out.add(in.disruptionBudget(s.name, v1alpha1.ComponentData, in.shardSelector(s)))
		if in.statefulSet(s) != nil || now.replicas > 0 {
			out.add(in.dataSet(s, template, ungranted, now))
		}
	}
	return steps, nil
}

// clusterShards returns the wanted shards, and after them those that are to leave and are not gone yet.
func (in *instance) clusterShards() []shard {
	wanted := *in.spec.Master
	shards := make([]shard, 0, wanted)
	for i := range wanted {
		shards = append(shards, in.clusterShard(i))
	}
	for _, i := range in.shardsFrom(wanted) {
		s := in.clusterShard(i)
		s.leaving = true
		s.gone = in.statefulSet(s) == nil || in.removable(i)
		if in.statefulSet(s) != nil || in.hasPods(s) {
			shards = append(shards, s)
		}
	}
	return shards
}

func (in *instance) clusterShard(index int32) shard {
	number := strconv.Itoa(int(index))
	return shard{
		index: index, name: in.name + "-" + number, masterName: in.name + "." + number, wanted: in.spec.Replicas,
	}
}

// shardsFrom returns the numbers, from first on, of the shards that were ever made: they have a StatefulSet, or Services for
// their pods.
func (in *instance) shardsFrom(first int32) []int32 {
	seen := map[int32]bool{}
	see := func(name string) {
		if tail, ok := strings.CutPrefix(name, in.name+"-"); ok {
			if i, ok := parseOrdinal(tail, maxShards); ok && i >= first {
				seen[i] = true
			}
		}
	}
	for key, set := range in.children.StatefulSets {
		if set != nil {
			see(strings.TrimPrefix(key, in.namespace+"/"))
		}
	}
	for name := range in.serviceOrdinals {
		see(name)
	}
	return slices.Sorted(maps.Keys(seen))
}

// removable reports whether the sidecar says, of the present topology, that a shard which it was asked to let go owns no
// slot and has left the cluster.
func (in *instance) removable(index int32) bool {
	status := in.shardStatus(index)
	if status == nil || !status.Removable || !current(in.topology) {
		return false
	}
	return slices.ContainsFunc(in.topology.Spec.Shards, func(s v1alpha1.TopologyShard) bool {
		return s.Index == index && s.Leaving
	})
}

func (in *instance) hasPods(s shard) bool {
	for i := range in.ordinals(s) {
		if in.pods[podName(s.name, i)] != nil {
			return true
		}
	}
	return false
}

// parseOrdinal returns the number, below limit, of a text as we write it: without sign or leading zeros.
func parseOrdinal(text string, limit int32) (int32, bool) {
	n, err := strconv.ParseUint(text, 10, 31)
	if err != nil || int32(n) >= limit || len(text) > 1 && text[0] == '0' {
		return 0, false
	}
	return int32(n), true
}

// clusterTopology tells the sidecar what the cluster must look like.
func (in clusterBuilder) clusterTopology(shards []shard, steps []step) child {
	list := make([]v1alpha1.TopologyShard, len(shards))
	for i, s := range shards {
		list[i] = in.topologyShard(s, steps[i])
	}
	topology := in.dataTopology(list)
	spec := topology.Spec.(v1alpha1.KVRocksTopologySpec)
	spec.Controller = &v1alpha1.ControllerRef{URL: in.controllerURL()}
	for _, move := range in.spec.Migrate {
		wanted := v1alpha1.TopologyMigration{Shard: move.Shard}
		for _, slots := range move.Slots {
			wanted.Slots = append(wanted.Slots, v1alpha1.SlotRange(slots))
		}
		spec.Migrate = append(spec.Migrate, wanted)
	}
	spec.Migration = &v1alpha1.MigrationPolicy{
		Rebalance:       in.spec.Cluster.Rebalance,
		Drain:           in.spec.Cluster.Drain,
		Paused:          in.paused() || in.cr.Annotations[v1alpha1.AnnotationMigration] == v1alpha1.MigrationPaused,
		KeysPerSecond:   in.spec.Cluster.Migration.KeysPerSecond,
		DeadlineSeconds: *in.spec.Cluster.Migration.DeadlineSeconds,
	}
	topology.Spec = spec
	return topology
}
