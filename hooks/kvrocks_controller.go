package hooks

import (
	"fmt"
	"slices"
	"strconv"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

// Where kvrocks-controller's image expects its configuration.
const (
	controllerDir  = "/var/lib/kvctl"
	controllerFile = "config.yaml"
)

// addController declares kvrocks-controller, which keeps the record of the cluster.
func (in clusterBuilder) addController(out *children) error {
	selector := in.selector(v1alpha1.ComponentController)
	name := controllerName(in.name)
	config := in.object("v1", "ConfigMap", name, v1alpha1.ComponentController)
	data := map[string]string{controllerFile: in.controllerConfig()}

	service := in.object("v1", "Service", name, v1alpha1.ComponentController)
	service.Spec = corev1.ServiceSpec{
		Selector: selector, Ports: []corev1.ServicePort{servicePort("http", v1alpha1.ControllerPort)},
	}
	out.add(service)

	out.add(in.controllerPolicy(selector))

	template, err := hashed(in.controllerPods())
	if err != nil {
		return err
	}
	template, ungranted := in.grantedDeploymentTemplate(name, template)
	if ungranted {
		data = in.ungrantedConfig(name, data)
	}
	config.Data = data
	out.add(config)
	// A request of the sidecar is no change of the template that could wait.
	if in.topology != nil && in.topology.Status.ControllerEpoch > 0 {
		template.Annotations[annotationEpoch] = strconv.FormatInt(in.topology.Status.ControllerEpoch, 10)
	}
	deployment := in.object("apps/v1", "Deployment", name, v1alpha1.ComponentController)
	spec := appsv1.DeploymentSpec{
		Replicas: new(in.spec.Cluster.Controller.Replicas), Selector: selectorOf(selector), Template: template, RevisionHistoryLimit: new(int32(3)),
	}
	keepSelector(&spec, in.children.Deployments[in.key(name)])
	in.annotateGeneration(&deployment, in.children.Deployments[in.key(name)], ungranted)
	deployment.Spec = spec
	out.add(deployment)
	return nil
}

// controllerTemplate returns the pod template, without what a podTemplate adds.
func (in clusterBuilder) controllerTemplate() corev1.PodTemplateSpec {
	template := in.podTemplate(in.labels(v1alpha1.ComponentController), in.selector(v1alpha1.ComponentController),
		in.componentPlacement(in.spec.Cluster.Controller.Placement))
	template.Annotations[annotationConfig] = hash([]byte(in.controllerConfig())) // it reads its configuration once
	template.Spec.TerminationGracePeriodSeconds = in.grace(10)
	template.Spec.Tolerations = tolerationsForLostMachines(template.Spec.Tolerations)
	template.Spec.Containers = []corev1.Container{in.controllerContainer()}
	template.Spec.Volumes = []corev1.Volume{{Name: configVolume, VolumeSource: corev1.VolumeSource{
		ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: corev1.LocalObjectReference{Name: controllerName(in.name)}},
	}}}
	return template
}

// lostMachineSeconds is how long a pod stays bound to a machine that Kubernetes has given up; its default is 300.
const lostMachineSeconds = 5

// tolerationsForLostMachines has a pod leave a lost machine at once, unless the tolerations say something else. The machine may have
// taken the master of a shard along, and without kvrocks-controller that is not replaced.
func tolerationsForLostMachines(tolerations []corev1.Toleration) []corev1.Toleration {
	all := slices.Clone(tolerations)
	for _, taint := range []string{corev1.TaintNodeNotReady, corev1.TaintNodeUnreachable} {
		// As the API server decides whether its own default is needed.
		decided := slices.ContainsFunc(tolerations, func(t corev1.Toleration) bool {
			return (t.Key == taint || t.Key == "") && (t.Effect == corev1.TaintEffectNoExecute || t.Effect == "")
		})
		if !decided {
			all = append(all, corev1.Toleration{
				Key: taint, Operator: corev1.TolerationOpExists, Effect: corev1.TaintEffectNoExecute, TolerationSeconds: new(int64(lostMachineSeconds)),
			})
		}
	}
	return all
}

func (in clusterBuilder) controllerContainer() corev1.Container {
	return corev1.Container{
		Name: v1alpha1.ContainerController, Image: in.spec.Cluster.Controller.Image, ImagePullPolicy: in.spec.ImagePullPolicy,
		Ports: []corev1.ContainerPort{{Name: "http", ContainerPort: v1alpha1.ControllerPort, Protocol: corev1.ProtocolTCP}},
		// Where it listens, and what the others redirect to while it leads.
		Env: []corev1.EnvVar{
			{Name: "KVROCKS_CONTROLLER_HTTP_HOST", ValueFrom: fieldRef("status.podIP")},
			{Name: "KVROCKS_CONTROLLER_HTTP_PORT", Value: strconv.Itoa(v1alpha1.ControllerPort)},
		},
		Resources:       componentResources(in.spec.Cluster.Controller.Resources, controllerResources()),
		VolumeMounts:    []corev1.VolumeMount{{Name: configVolume, MountPath: controllerDir, ReadOnly: true}},
		SecurityContext: containerSecurity(),
		Lifecycle:       in.preStopSleep(),
		// It listens once etcd has elected a leader among its pods, and waits for etcd for as long as that takes. Ready does
		// not mean that it leads.
		StartupProbe:   portProbe(v1alpha1.ControllerPort, 2, 900),
		ReadinessProbe: portProbe(v1alpha1.ControllerPort, 5, 3),
		LivenessProbe:  portProbe(v1alpha1.ControllerPort, 10, 6),
	}
}

// controllerResources returns the defaults.
func controllerResources() corev1.ResourceRequirements {
	return requestsAndLimits("20m", "32Mi", "500m", "256Mi")
}

// controllerConfig returns kvrocks-controller's configuration. It holds no addr: that would win over the environment.
func (in clusterBuilder) controllerConfig() string {
	return fmt.Sprintf(`storage_type: etcd
etcd:
  addrs: ["%s.%s.svc:%d"]
controller:
  failover:
    ping_interval_seconds: %d
    max_ping_count: %d
`, etcdName(in.name), in.namespace, etcdClientPort, in.pingSeconds(), pingCount)
}

// pingCount is after how many failed probes in a row kvrocks-controller replaces a master; it takes no smaller number.
const pingCount = 3

// neverPings keeps kvrocks-controller from ever replacing a master by itself.
const neverPings = 86400

// pingSeconds returns how often kvrocks-controller probes the nodes. After pingCount failures in a row it replaces a master by
// itself, without asking whether it lost its data or is in the middle of a handover. It knows no bound of what a promotion may lose:
// where there is one, the sidecar alone decides.
//
// Where no sentinel watches, downAfterMilliseconds must have passed between the first failure and the last: half of it between
// two probes, in whole seconds, rounded up. A master that refuses connections is then replaced after 1 to 1.5 times that, and
// one that only hangs later, because each of its probes takes 3 s to fail. Where sentinels watch, the probe is a fallback for the
// time when the sidecar is away, and must come after all that they may take.
func (in clusterBuilder) pingSeconds() int32 {
	if in.spec.Failover.MaxLostWrites != nil {
		return neverPings
	}
	f := in.spec.Failover
	if in.cr.MonitoredBy() == "" {
		const millis = 1000 * (pingCount - 1)
		return max(1, (f.DownAfterMilliseconds+millis-1)/millis)
	}
	return max(20, (f.DownAfterMilliseconds+f.FailoverTimeoutMilliseconds)/2000)
}

func (in clusterBuilder) controllerURL() string {
	return fmt.Sprintf("http://%s.%s.svc:%d", controllerName(in.name), in.namespace, v1alpha1.ControllerPort)
}
