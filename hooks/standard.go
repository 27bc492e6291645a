package hooks

import "github.com/kvrocks/kvrocks-operator/api/v1alpha1"

// syncStandard makes one StatefulSet: a master and its replicas.
func syncStandard(in builder) (answer, error) {
	s := in.onlyShard()
	template, err := hashed(in.dataPods(s))
	if err != nil {
		return answer{}, err
	}
	wanted := template.Spec
	template, ungranted := in.grantedDataTemplate(s, template)
	now := in.nextStep(s, template.Annotations[annotationTemplate])

	var out children
	if secret, ok := in.passwordSecret(v1alpha1.ComponentData); ok {
		out.add(secret)
	}
	out.add(in.dataConfig([]shard{s}))
	out.add(in.forClients(in.headlessService()))
	out.add(in.forClients(in.roleService(masterName(in.name), v1alpha1.RoleMaster)))
	out.add(in.forClients(in.roleService(replicasName(in.name), v1alpha1.RoleReplica)))
	for i := range in.ordinals(s) {
		out.add(in.podService(s, i))
	}
	out.add(in.dataPolicy(&wanted))
	out.add(in.disruptionBudget(in.name, v1alpha1.ComponentData, in.selector(v1alpha1.ComponentData)))
	if now.replicas > 0 || in.statefulSet(s) != nil {
		out.add(in.dataSet(s, template, ungranted, now))
	}
	out.add(in.dataTopology([]v1alpha1.TopologyShard{in.topologyShard(s, now)}))
	return answer{children: out, status: statusBuilder{in.instance}.standardStatus(s, now, &out)}, nil
}

// onlyShard returns what a standard instance consists of.
func (in *instance) onlyShard() shard {
	return shard{index: 0, name: in.name, masterName: in.name, wanted: in.spec.Replicas}
}
