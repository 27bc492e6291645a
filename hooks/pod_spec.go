package hooks

import (
	"maps"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/hooks/podtemplate"
)

// Users and groups. 999 is the user of the redis image and of the kvrocks image (the first system user of Debian).
const userID int64 = 999

// podTemplate returns what the pods of every kind have in common: where they run, and that they may do little. selector matches the
// pods made from it.
func (in builder) podTemplate(labels, selector map[string]string, placement v1alpha1.Placement) corev1.PodTemplateSpec {
	annotations := make(map[string]string, len(in.spec.PodAnnotations)+3)
	maps.Copy(annotations, in.spec.PodAnnotations)
	template := corev1.PodTemplateSpec{
		ObjectMeta: metav1.ObjectMeta{Labels: labels, Annotations: annotations},
		Spec: corev1.PodSpec{
			AutomountServiceAccountToken: new(false),
			EnableServiceLinks:           new(false),
			SecurityContext:              podSecurity(),
			ImagePullSecrets:             in.spec.ImagePullSecrets,
		},
	}
	place(&template.Spec, placement, selector)
	return template
}

func podSecurity() *corev1.PodSecurityContext {
	return &corev1.PodSecurityContext{
		RunAsUser: new(userID), RunAsGroup: new(userID), FSGroup: new(userID), RunAsNonRoot: new(true),
		// To look at each file of a large volume takes minutes, in which its pod does not start.
		FSGroupChangePolicy: new(corev1.FSGroupChangeOnRootMismatch),
		SeccompProfile:      &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
	}
}

func containerSecurity() *corev1.SecurityContext {
	return &corev1.SecurityContext{
		AllowPrivilegeEscalation: new(false),
		ReadOnlyRootFilesystem:   new(true),
		Capabilities:             &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
	}
}

// container returns the main container: it runs start.sh and is probed by probe.sh. It mounts the scripts, the password and
// /tmp; dir is where it may write.
func (in builder) container(name, dir string) corev1.Container {
	port := in.spec.Port()
	c := corev1.Container{
		Name: name, Image: in.spec.Image, ImagePullPolicy: in.spec.ImagePullPolicy,
		Command: []string{"/bin/sh", configDir + "/" + startScript},
		Ports:   []corev1.ContainerPort{{Name: name, ContainerPort: port, Protocol: corev1.ProtocolTCP}},
		Env: []corev1.EnvVar{
			{Name: "POD_NAME", ValueFrom: fieldRef("metadata.name")},
			{Name: "PORT", Value: strconv.Itoa(int(port))},
		},
		VolumeMounts: []corev1.VolumeMount{
			{Name: configVolume, MountPath: configDir, ReadOnly: true},
			{Name: v1alpha1.VolumeData, MountPath: dir},
			{Name: tmpVolume, MountPath: "/tmp"},
		},
		SecurityContext: containerSecurity(),
		// Opening a large database can take minutes. A node that hangs is replaced by sentinel within seconds; killing it
		// is the last resort, and must not come before sentinel had its time. A process that listens has started, loading or not; to ask
		// that each second by a script would take more of a small machine than the start itself.
		StartupProbe:   portProbe(port, 1, 1800),
		ReadinessProbe: probe("ready", 10, 3),
		LivenessProbe:  probe("live", 10, 12),
	}
	if in.spec.Resources != nil {
		c.Resources = *in.spec.Resources
	}
	if in.password() != nil {
		c.VolumeMounts = append(c.VolumeMounts,
			corev1.VolumeMount{Name: passwordVolume, MountPath: passwordDir, ReadOnly: true})
	}
	return c
}

// grace returns how long a pod may take to end: with what it needs to do so, and the time that it keeps answering.
func (in builder) grace(seconds int64) *int64 {
	seconds += int64(*in.spec.DrainSeconds)
	return &seconds
}

// preStopSleep keeps a container, whose image must have the program sleep, from being ended as long as it is to keep answering.
func (in builder) preStopSleep() *corev1.Lifecycle {
	if *in.spec.DrainSeconds == 0 {
		return nil
	}
	return &corev1.Lifecycle{PreStop: &corev1.LifecycleHandler{Exec: &corev1.ExecAction{
		Command: []string{"sleep", strconv.Itoa(int(*in.spec.DrainSeconds))},
	}}}
}

func fieldRef(path string) *corev1.EnvVarSource {
	return &corev1.EnvVarSource{FieldRef: &corev1.ObjectFieldSelector{FieldPath: path}}
}

// probe runs probe.sh every period seconds; failures in a row decide.
func probe(what string, period, failures int32) *corev1.Probe {
	return &corev1.Probe{
		ProbeHandler: corev1.ProbeHandler{Exec: &corev1.ExecAction{
			Command: []string{"/bin/sh", configDir + "/" + probeScript, what},
		}},
		PeriodSeconds: period, TimeoutSeconds: 5, FailureThreshold: failures,
	}
}

// portProbe connects every period seconds; failures in a row decide.
func portProbe(port, period, failures int32) *corev1.Probe {
	return &corev1.Probe{
		ProbeHandler:  corev1.ProbeHandler{TCPSocket: &corev1.TCPSocketAction{Port: intstr.FromInt32(port)}},
		PeriodSeconds: period, TimeoutSeconds: 5, FailureThreshold: failures,
	}
}

// volumes returns those that container mounts, but for the data.
func (in builder) volumes() []corev1.Volume {
	volumes := []corev1.Volume{
		{Name: configVolume, VolumeSource: corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{
			LocalObjectReference: corev1.LocalObjectReference{Name: configName(in.name)},
		}}},
		emptyDir(tmpVolume),
	}
	if ref := in.password(); ref != nil {
		volumes = append(volumes, corev1.Volume{Name: passwordVolume, VolumeSource: corev1.VolumeSource{
			Secret: &corev1.SecretVolumeSource{
				SecretName:  ref.Name,
				DefaultMode: new(int32(0o440)), // readable for the group of the pod alone
				Items:       []corev1.KeyToPath{{Key: ref.Key, Path: passwordFile}},
			},
		}})
	}
	return volumes
}

func emptyDir(name string) corev1.Volume {
	return corev1.Volume{Name: name, VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}}
}

// stampTemplateHash puts the hash of a template onto it, so that a pod tells which template it was made from.
func stampTemplateHash(template *corev1.PodTemplateSpec) error {
	raw, err := marshal(template)
	if err != nil {
		return err
	}
	template.Annotations[annotationTemplate] = hash(raw)
	return nil
}

// hashed returns the template that pods are to have, with its hash.
func hashed(pods podtemplate.Pods) (corev1.PodTemplateSpec, error) {
	template, err := pods.Merge()
	if err != nil {
		return template, err
	}
	return template, stampTemplateHash(&template)
}

// gates returns the readiness gates of data pods.
func gates() []corev1.PodReadinessGate {
	return []corev1.PodReadinessGate{{ConditionType: v1alpha1.AttachedGate}}
}
