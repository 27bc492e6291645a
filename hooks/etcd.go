package hooks

import (
	"fmt"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

// Ports and paths of etcd.
const (
	etcdClientPort  = 2379
	etcdPeerPort    = 2380
	etcdMetricsPort = 2381 // answers /health from the start; the client port only once there is a leader
	etcdDir         = "/var/lib/etcd"
)

// etcdQuota bounds the store, in bytes. A record of 1000 nodes has about 0.3 MB, and every change of it is kept for an hour.
const etcdQuota = 256 << 20

// addEtcd declares kvrocks-controller's store and says what it waits for. busy is true while pods of shards are replaced.
func (in clusterBuilder) addEtcd(out *children, busy bool) (step, error) {
	selector := in.selector(v1alpha1.ComponentEtcd)
	template, err := hashed(in.etcdPods())
	if err != nil {
		return step{}, err
	}
	out.add(in.etcdPeerService(selector))
	out.add(in.etcdService(selector))
	out.add(in.disruptionBudget(etcdName(in.name), v1alpha1.ComponentEtcd, selector))
	out.add(in.etcdPolicy(selector))
	set := in.etcdSet()
	template, ungranted := in.grantedSetTemplate(set, template)
	now := in.etcdStep(template.Annotations[annotationTemplate], busy)
	if set != nil && now.blocked {
		out.keep("apps/v1", "StatefulSet", set, func(c *child) { c.Spec = set.Spec })
		return now, nil
	}
	declared := in.etcdStatefulSet(template, now.replicas)
	in.annotateGeneration(&declared, set, ungranted)
	out.add(declared)
	return now, nil
}

// etcdTemplate returns the pod template of the members, without what a podTemplate adds. The image has no shell: the flags name the pod
// by its environment.
func (in clusterBuilder) etcdTemplate() corev1.PodTemplateSpec {
	template := in.podTemplate(in.labels(v1alpha1.ComponentEtcd), in.selector(v1alpha1.ComponentEtcd),
		in.componentPlacement(in.spec.Cluster.Etcd.Placement))
	template.Spec.TerminationGracePeriodSeconds = new(int64(15))
	peers := etcdPeerName(in.name) + "." + in.namespace + ".svc"
	members := make([]string, in.spec.Cluster.Etcd.Replicas)
	for i := range members {
		name := podName(etcdName(in.name), int32(i))
		members[i] = fmt.Sprintf("%s=http://%s.%s:%d", name, name, peers, etcdPeerPort)
	}
	template.Spec.Containers = []corev1.Container{{
		Name: v1alpha1.ContainerEtcd, Image: in.spec.Cluster.Etcd.Image, ImagePullPolicy: in.spec.ImagePullPolicy,
		Command: []string{"etcd"},
		Args: []string{
			"--name=$(POD_NAME)",
			"--data-dir=" + etcdDir + "/data", // the volume's own directory may have lost+found, or too open a mode
			"--initial-cluster=" + strings.Join(members, ","),
			"--initial-cluster-state=new", // of no effect where there is data; see etcdStep
			"--initial-cluster-token=" + in.namespace + "." + in.name,
			fmt.Sprintf("--initial-advertise-peer-urls=http://$(POD_NAME).%s:%d", peers, etcdPeerPort),
			fmt.Sprintf("--advertise-client-urls=http://$(POD_NAME).%s:%d", peers, etcdClientPort),
			fmt.Sprintf("--listen-peer-urls=http://0.0.0.0:%d", etcdPeerPort),
			fmt.Sprintf("--listen-client-urls=http://0.0.0.0:%d", etcdClientPort),
			fmt.Sprintf("--listen-metrics-urls=http://0.0.0.0:%d", etcdMetricsPort),
			// Twice the defaults: a slow disk must not cost the leader.
			"--heartbeat-interval=200",
			"--election-timeout=2000",
			"--auto-compaction-mode=periodic",
			"--auto-compaction-retention=1h",
			fmt.Sprintf("--quota-backend-bytes=%d", etcdQuota),
		},
		Ports: []corev1.ContainerPort{
			{Name: "client", ContainerPort: etcdClientPort, Protocol: corev1.ProtocolTCP},
			{Name: "peer", ContainerPort: etcdPeerPort, Protocol: corev1.ProtocolTCP},
			{Name: "metrics", ContainerPort: etcdMetricsPort, Protocol: corev1.ProtocolTCP},
		},
		Env:             []corev1.EnvVar{{Name: "POD_NAME", ValueFrom: fieldRef("metadata.name")}},
		Resources:       componentResources(in.spec.Cluster.Etcd.Resources, etcdResources()),
		VolumeMounts:    []corev1.VolumeMount{{Name: v1alpha1.VolumeData, MountPath: etcdDir}},
		SecurityContext: containerSecurity(),
		// Ready is a member that has a leader. It is alive without one.
		ReadinessProbe: httpProbe("/health", 5, 3),
		LivenessProbe:  httpProbe("/health?serializable=true", 10, 12),
	}}
	if in.spec.Storage == nil {
		template.Spec.Volumes = []corev1.Volume{emptyDir(v1alpha1.VolumeData)}
	}
	return template
}

// httpProbe asks etcd's metrics port every period seconds; failures in a row decide.
func httpProbe(path string, period, failures int32) *corev1.Probe {
	return &corev1.Probe{
		ProbeHandler: corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{
			Path: path, Port: intstr.FromInt32(etcdMetricsPort), Scheme: corev1.URISchemeHTTP,
		}},
		PeriodSeconds: period, TimeoutSeconds: 5, FailureThreshold: failures,
	}
}

// etcdResources returns the defaults.
func etcdResources() corev1.ResourceRequirements {
	return requestsAndLimits("20m", "64Mi", "1", "512Mi")
}

func (in clusterBuilder) etcdStatefulSet(template corev1.PodTemplateSpec, replicas int32) child {
	set := in.object("apps/v1", "StatefulSet", etcdName(in.name), v1alpha1.ComponentEtcd)
	spec := appsv1.StatefulSetSpec{
		Replicas:             &replicas,
		ServiceName:          etcdPeerName(in.name),
		Selector:             selectorOf(in.setSelector(v1alpha1.ComponentEtcd)),
		Template:             template,
		RevisionHistoryLimit: new(int32(3)),
		PodManagementPolicy:  appsv1.ParallelPodManagement, // none is ready before most of them run
	}
	if storage := in.spec.Storage; storage != nil {
		spec.VolumeClaimTemplates = []corev1.PersistentVolumeClaim{in.claim(storage.Class, in.spec.Cluster.Etcd.Storage.Size)}
		spec.PersistentVolumeClaimRetentionPolicy = &appsv1.StatefulSetPersistentVolumeClaimRetentionPolicy{
			WhenDeleted: appsv1.PersistentVolumeClaimRetentionPolicyType(storage.Reclaim),
			// Members are removed only to begin again with empty volumes.
			WhenScaled: appsv1.DeletePersistentVolumeClaimRetentionPolicyType,
		}
	}
	keepImmutable(&spec, in.etcdSet())
	set.Spec = spec
	return set
}

// etcdPeerService names every member, ready or not: they find each other by it.
func (in clusterBuilder) etcdPeerService(selector map[string]string) child {
	service := in.object("v1", "Service", etcdPeerName(in.name), v1alpha1.ComponentEtcd)
	service.Spec = corev1.ServiceSpec{
		Selector: selector, ClusterIP: corev1.ClusterIPNone, PublishNotReadyAddresses: true,
		Ports: []corev1.ServicePort{servicePort("peer", etcdPeerPort), servicePort("client", etcdClientPort)},
	}
	return service
}

// etcdService returns where clients find a member that has a leader.
func (in clusterBuilder) etcdService(selector map[string]string) child {
	service := in.object("v1", "Service", etcdName(in.name), v1alpha1.ComponentEtcd)
	service.Spec = corev1.ServiceSpec{
		Selector: selector, Ports: []corev1.ServicePort{servicePort("client", etcdClientPort)},
	}
	return service
}
