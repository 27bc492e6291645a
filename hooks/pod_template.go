package hooks

import (
	"strings"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/hooks/podtemplate"
)

const podTemplateField = "spec.podTemplate"

// podTemplateProblem returns what is wrong with the podTemplates of an instance of which nothing else is wrong, in sentences that say
// what to write instead; "" when nothing is. It is known only here: what a podTemplate must not change is what the operator's templates
// hold.
func podTemplateProblem(in builder) string {
	if !in.hasPodTemplate() {
		return ""
	}
	var all []podtemplate.Pods
	switch in.spec.Type {
	case v1alpha1.TypeSentinel:
		all = append(all, in.sentinelPods())
	case v1alpha1.TypeStandard:
		all = append(all, in.dataPods(in.onlyShard()))
	case v1alpha1.TypeCluster:
		cluster := clusterBuilder{in}
		all = append(all, in.dataPods(in.clusterShard(0)), cluster.etcdPods(), cluster.controllerPods())
	}
	var problems []string
	for _, pods := range all {
		problems = append(problems, pods.Problems()...)
	}
	return strings.Join(problems, "; ")
}

func (in *instance) hasPodTemplate() bool {
	cluster := in.spec.Cluster
	return in.spec.PodTemplate != nil || cluster != nil && (cluster.Etcd.PodTemplate != nil || cluster.Controller.PodTemplate != nil)
}

func (in builder) dataPods(s shard) podtemplate.Pods {
	return podtemplate.Pods{Field: podTemplateField, Given: in.spec.PodTemplate, Template: in.dataTemplate(s), Container: v1alpha1.ContainerKVRocks}
}

func (in builder) sentinelPods() podtemplate.Pods {
	return podtemplate.Pods{Field: podTemplateField, Given: in.spec.PodTemplate, Template: in.sentinelTemplate(), Container: v1alpha1.ContainerSentinel}
}

func (in clusterBuilder) etcdPods() podtemplate.Pods {
	return podtemplate.Pods{
		Field: "spec.cluster.etcd.podTemplate", Given: in.spec.Cluster.Etcd.PodTemplate, Template: in.etcdTemplate(), Container: v1alpha1.ContainerEtcd,
	}
}

func (in clusterBuilder) controllerPods() podtemplate.Pods {
	return podtemplate.Pods{
		Field: "spec.cluster.controller.podTemplate", Given: in.spec.Cluster.Controller.PodTemplate,
		Template: in.controllerTemplate(), Container: v1alpha1.ContainerController,
	}
}
