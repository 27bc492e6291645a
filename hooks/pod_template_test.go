package hooks

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/hooks/podtemplate"
	"github.com/kvrocks/kvrocks-operator/metacontroller"
)

// extension returns a podTemplate that is written as YAML.
func extension(t testing.TB, text string) *runtime.RawExtension {
	t.Helper()
	raw, err := yaml.YAMLToJSON([]byte(text))
	require.NoError(t, err)
	return &runtime.RawExtension{Raw: raw}
}

// builderOf returns the builder of an instance that is not made yet.
func builderOf(t testing.TB, cr *v1alpha1.KVRocks) builder {
	t.Helper()
	cr.Namespace = "shop"
	in, err := newInstance(&metacontroller.SyncRequest{Parent: cr})
	require.NoError(t, err)
	return newBuilder(in)
}

// components returns the pods of each component, without a podTemplate, by its main container; data pods with a password and a volume.
func components(t testing.TB) map[string]podtemplate.Pods {
	t.Helper()
	cluster := clusterBuilder{builderOf(t, example(t, "cluster-full.yaml"))}
	sentinel := builderOf(t, example(t, "sentinel-full.yaml"))
	all := map[string]podtemplate.Pods{}
	for _, pods := range []podtemplate.Pods{cluster.dataPods(cluster.clusterShard(0)), cluster.etcdPods(), cluster.controllerPods(), sentinel.sentinelPods()} {
		require.Nil(t, pods.Given)
		all[pods.Container] = pods
	}
	return all
}

// problems returns what is wrong with a podTemplate of a component.
func problems(t testing.TB, pods podtemplate.Pods, text string) string {
	t.Helper()
	pods.Given = extension(t, text)
	return strings.Join(pods.Problems(), "\n")
}

// What a podTemplate must not change is what the operator's templates hold, whatever that is.
func TestWhatTheOperatorsTemplatesHoldIsProtected(t *testing.T) {
	for name, pods := range components(t) {
		t.Run(name, func(t *testing.T) {
			refused := func(format string, args ...any) {
				t.Helper()
				text := fmt.Sprintf(format, args...)
				assert.NotEmpty(t, problems(t, pods, text), text)
			}
			container := func(of, fields string) { refused("spec: {containers: [{name: %s, %s}]}", of, fields) }
			template := pods.Template
			for label := range template.Labels {
				refused("metadata: {labels: {%s: other}}", label)
			}
			for annotation := range template.Annotations {
				refused("metadata: {annotations: {%s: other}}", annotation)
			}
			refused("metadata: {annotations: {%s: other}}", annotationTemplate)
			for i := range template.Spec.Volumes {
				refused("spec: {volumes: [{name: %s, emptyDir: {}}]}", template.Spec.Volumes[i].Name)
			}
			for i := range template.Spec.InitContainers {
				for _, field := range fieldsOf(t, &template.Spec.InitContainers[i]) {
					refused("spec: {initContainers: [{name: %s, %s}]}", template.Spec.InitContainers[i].Name, field)
				}
			}
			require.Len(t, template.Spec.Containers, 1)
			main := &template.Spec.Containers[0]
			for _, field := range fieldsOf(t, main) {
				if list, _, _ := strings.Cut(field, ":"); list != "env" && list != "volumeMounts" {
					container(name, field)
				}
			}
			for _, env := range main.Env {
				container(name, "env: [{name: "+env.Name+", value: other}]")
			}
			for _, arg := range main.Args {
				flag, _, _ := strings.Cut(strings.TrimLeft(arg, "-"), "=")
				container(name, "env: [{name: ETCD_"+strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))+", value: other}]")
			}
			for _, mount := range main.VolumeMounts {
				for _, path := range []string{mount.MountPath, mount.MountPath + "/", mount.MountPath + "/inner", "/"} {
					assert.Contains(t, problems(t, pods, fmt.Sprintf(
						"spec: {containers: [{name: %s, volumeMounts: [{name: mine, mountPath: %s}]}], volumes: [{name: mine, emptyDir: {}}]}", name, path)), "would hide")
				}
				writing := fmt.Sprintf("image: a, volumeMounts: [{name: %s, mountPath: /mine}]", mount.Name)
				container("mine", writing)
				refused("spec: {initContainers: [{name: mine, %s}]}", writing)
			}
			for _, port := range main.Ports {
				container("mine", fmt.Sprintf("image: a, ports: [{containerPort: %d}]", port.ContainerPort))
			}
			refused("spec: {terminationGracePeriodSeconds: %d}", *template.Spec.TerminationGracePeriodSeconds-1)
		})
	}
}

// fieldsOf returns the fields of a container, each as it is written, but for its name and what has checks of its own.
func fieldsOf(t *testing.T, c *corev1.Container) []string {
	t.Helper()
	raw, err := json.Marshal(c)
	require.NoError(t, err)
	fields := map[string]json.RawMessage{}
	require.NoError(t, json.Unmarshal(raw, &fields))
	var all []string
	for field, value := range fields {
		if field != "name" && field != "securityContext" {
			all = append(all, field+": "+string(value))
		}
	}
	require.NotEmpty(t, all)
	return all
}

func TestWhatAPodTemplateMustNotSay(t *testing.T) {
	const kvrocks, sentinel, etcd, controller = v1alpha1.ContainerKVRocks, v1alpha1.ContainerSentinel, v1alpha1.ContainerEtcd, v1alpha1.ContainerController
	all := components(t)
	for _, test := range []struct{ of, text, message string }{
		{kvrocks, "spec: {containers: [{name: a, image: b, prots: []}]}", `spec.podTemplate has unknown field "spec.containers[0].prots"`},
		{kvrocks, "spec: {$patch: replace}", `unknown field "spec.$patch"`},
		{kvrocks, "labels: {a: b}", `unknown field "labels"`},
		{kvrocks, "spec: {containers: {}}", "spec.podTemplate cannot be read"},
		{kvrocks, "- a", "spec.podTemplate is no object"},
		{kvrocks, "metadata: {annotations: {a: '" + strings.Repeat("x", 64<<10) + "'}}", "put files into a ConfigMap and mount it"},
		{kvrocks, "spec: {securityContext: {runAsUser: null}}", "spec.podTemplate.spec.securityContext.runAsUser is null"},
		{kvrocks, "spec: {containers: [{name: a, image: b, env: [{name: a, value: null}]}]}", "spec.podTemplate.spec.containers[0].env[0].value is null"},
		{kvrocks, "metadata: {name: mine}", "metadata.name is not for the pods of a workload"},
		{kvrocks, "metadata: {labels: {kvrocks.apache.org/role: master}}", "must not set kvrocks.apache.org/role"},
		{kvrocks, "metadata: {labels: {statefulset.kubernetes.io/pod-name: x}}", "must not set statefulset.kubernetes.io/pod-name"},
		{kvrocks, "metadata: {labels: {'a b': x}}", "has a b: x, which is no label"},
		{kvrocks, "metadata: {labels: {a: 'x y'}}", "has a: x y, which is no label"},
		{kvrocks, "metadata: {annotations: {'a b': x}}", "has the key a b"},
		{kvrocks, "metadata: {annotations: {example.org/owner: x}}", "sets example.org/owner, and so does spec.podAnnotations; keep one of them"},
		{kvrocks, "spec: {affinity: {}}", "spec.podTemplate.spec.affinity has a field of its own; write spec.affinity"},
		{kvrocks, "spec: {imagePullSecrets: [{name: a}]}", "write spec.imagePullSecrets"},
		{kvrocks, "spec: {serviceAccount: a}", "write serviceAccountName"},
		{kvrocks, "spec: {serviceAccountName: 'a b'}", "write the name of a ServiceAccount"},
		{kvrocks, "spec: {hostNetwork: true}", "leave it out"},
		{kvrocks, "spec: {hostPID: true}", "a podTemplate may have automountServiceAccountToken,"},
		{kvrocks, "spec: {volumes: [{name: A_b}]}", "has no name that a volume can have"},
		{kvrocks, "spec: {volumes: [{name: a}, {name: a}]}", "spec.volumes[a] is there twice"},
		{kvrocks, "spec: {containers: [{name: kvrocks, image: a}]}", "containers[kvrocks].image has a field of its own; write spec.image"},
		{kvrocks, "spec: {containers: [{name: kvrocks, imagePullPolicy: Always}]}", "write spec.imagePullPolicy"},
		{kvrocks, "spec: {containers: [{name: kvrocks, resources: {}}]}", "write spec.resources"},
		{kvrocks, "spec: {containers: [{name: kvrocks, args: [a]}]}", "write settings into spec.kvrocksConfig"},
		{kvrocks, "spec: {containers: [{name: kvrocks, ports: []}]}", "to which Services lead"},
		{kvrocks, "spec: {containers: [{name: kvrocks, workingDir: /}]}", "of this container a podTemplate may have name, env"},
		{kvrocks, "spec: {containers: [{name: kvrocks, livenessProbe: {exec: {command: [a]}}}]}", "livenessProbe.exec must stay the operator's"},
		{kvrocks, "spec: {containers: [{name: kvrocks, livenessProbe: {failureThreshold: 2}}]}", "would end a container after 20 s"},
		{kvrocks, "spec: {containers: [{name: kvrocks, startupProbe: {successThreshold: 2}}]}", "startupProbe.successThreshold is 2; write 1"},
		{kvrocks, "spec: {containers: [{name: kvrocks, readinessProbe: {periodSeconds: 0}}]}", "has a number below 1"},
		{kvrocks, "spec: {containers: [{name: a}]}", "spec.containers[a] has no image"},
		{kvrocks, "spec: {containers: [{name: A, image: b}]}", "has no name that a container can have"},
		{kvrocks, "spec: {containers: [{image: b}]}", "has no name that a container can have"},
		{kvrocks, "spec: {containers: [{name: sentinel, image: b}]}", "has a name that the operator uses; choose another (its container in these pods is kvrocks)"},
		{kvrocks, "spec: {initContainers: [{name: kvrocks, image: b}]}", "has a name that the operator uses"},
		{kvrocks, "spec: {initContainers: [{name: recall, image: b}]}", "initContainers[recall].image must stay the operator's"},
		{kvrocks, "spec: {initContainers: [{name: a, image: b}], containers: [{name: a, image: b}]}", "spec.containers[a] is there twice"},
		{kvrocks, "spec: {containers: [{name: a, image: b, env: [{name: c}, {name: c}]}]}", "sets c twice"},
		{kvrocks, "spec: {containers: [{name: kvrocks, env: [{value: c}]}]}", `has a variable named ""`},
		{kvrocks, "spec: {containers: [{name: a, image: b, ports: [{containerPort: 1}, {containerPort: 1, protocol: UDP}]}]}", "lists 1 twice"},
		{kvrocks, "spec: {containers: [{name: a, image: b, volumeMounts: [{name: c, mountPath: /c}]}]}", "names the volume c, which is not there; add it to spec.podTemplate.spec.volumes"},
		{kvrocks, "spec: {containers: [{name: a, image: b, volumeMounts: [{name: config}]}]}", "has no mountPath"},
		{kvrocks, "spec: {containers: [{name: a, image: b, resources: {requests: {cpu: 2}, limits: {cpu: 1}}}]}", "spec.containers[a].resources.requests.cpu is above its limit"},
		{sentinel, "spec: {containers: [{name: kvrocks, env: []}]}", "choose another (its container in these pods is sentinel)"},
		{sentinel, "spec: {containers: [{name: sentinel, command: [a]}]}", "command must stay the operator's; leave it out"},
		{etcd, "spec: {containers: [{name: etcd, startupProbe: {periodSeconds: 5}}]}", "spec.cluster.etcd.podTemplate.spec.containers[etcd].startupProbe is not there in this container"},
		{etcd, "spec: {containers: [{name: etcd, env: [{name: ETCD_FORCE_NEW_CLUSTER, value: 'true'}]}]}", "must not set ETCD_FORCE_NEW_CLUSTER"},
		{etcd, "spec: {containers: [{name: etcd, image: a}]}", "write spec.cluster.etcd.image"},
		{controller, "spec: {containers: [{name: controller, env: [{name: KVROCKS_CONTROLLER_ADDR, value: a}]}]}", "must not set KVROCKS_CONTROLLER_ADDR"},
		{controller, "spec: {tolerations: []}", "write spec.cluster.controller.tolerations"},
	} {
		t.Run(test.of+" "+test.message, func(t *testing.T) {
			assert.Contains(t, problems(t, all[test.of], test.text), test.message)
		})
	}
}

func TestWhatAPodTemplateMaySay(t *testing.T) {
	for name, pods := range components(t) {
		for _, text := range []string{
			"{}", "metadata: {}", "spec: {containers: []}",
			"metadata: {labels: {app.kubernetes.io/version: '2', team: a}, annotations: {linkerd.io/inject: enabled}}",
			"spec: {containers: [{name: NAME, env: [{name: TZ, value: UTC}], envFrom: [{secretRef: {name: a}}], securityContext: {runAsUser: 7}}]}",
			"spec: {containers: [{name: NAME, readinessProbe: {periodSeconds: 1, failureThreshold: 1}, livenessProbe: {failureThreshold: 30}}]}",
			"spec: {containers: [{name: mine, image: a, command: [b], lifecycle: {preStop: {sleep: {seconds: 1}}}, readinessProbe: {exec: {command: [c]}}}]}",
			"spec: {initContainers: [{name: mine, image: a, restartPolicy: Always}]}",
			"spec: {volumes: [{name: mine, emptyDir: {}}], containers: [{name: NAME, volumeMounts: [{name: mine, mountPath: /mine}]}]}",
			"spec: {securityContext: {}, terminationGracePeriodSeconds: 600, dnsPolicy: Default, runtimeClassName: kata, serviceAccountName: a, shareProcessNamespace: true}",
			"spec: {hostAliases: [{ip: 192.0.2.1, hostnames: [a]}], schedulerName: mine, hostUsers: false, automountServiceAccountToken: true}",
		} {
			assert.Empty(t, problems(t, pods, strings.ReplaceAll(text, "NAME", name)), text)
		}
	}
	assert.Empty(t, problems(t, components(t)[v1alpha1.ContainerKVRocks],
		"spec: {containers: [{name: mine, image: a, volumeMounts: [{name: data, mountPath: /data, readOnly: true}, {name: password, mountPath: /p, readOnly: true}]}]}"))
}

// merged returns the template with a podTemplate, which must be right.
func merged(t *testing.T, pods podtemplate.Pods, text string) corev1.PodTemplateSpec {
	t.Helper()
	before := string(pretty(t, pods.Template))
	require.Empty(t, problems(t, pods, text))
	pods.Given = extension(t, text)
	template, err := pods.Merge()
	require.NoError(t, err)
	for range 20 { // maps are iterated in another order each time
		again, err := pods.Merge()
		require.NoError(t, err)
		require.Equal(t, string(pretty(t, template)), string(pretty(t, again)))
	}
	assert.Equal(t, before, string(pretty(t, pods.Template)), "the operator's template was changed")
	return template
}

func TestAPodTemplateThatSaysNothingChangesNothing(t *testing.T) {
	for name, pods := range components(t) {
		for _, text := range []string{"{}", "metadata: {labels: {}}", "spec: {containers: [{name: " + name + "}], volumes: []}"} {
			assert.Equal(t, string(pretty(t, pods.Template)), string(pretty(t, merged(t, pods, text))), "%s: %s", name, text)
		}
	}
}

func TestAPodTemplateIsMergedIntoTheOperators(t *testing.T) {
	for name, pods := range components(t) {
		t.Run(name, func(t *testing.T) {
			template := merged(t, pods, strings.ReplaceAll(`
metadata: {labels: {team: a}, annotations: {example.org/b: c}}
spec:
  terminationGracePeriodSeconds: 900
  serviceAccountName: mine
  initContainers: [{name: second, image: a}, {name: first, image: a}]
  containers:
  - {name: z, image: a, resources: {requests: {cpu: 0.5}}}
  - name: NAME
    env: [{name: B, value: $(A)}, {name: A, value: b}]
    volumeMounts: [{name: mine, mountPath: /mine}]
    livenessProbe: {timeoutSeconds: 9}
    securityContext: {readOnlyRootFilesystem: false}
  - {name: a, image: a}
  volumes: [{name: mine, emptyDir: {}}]
`, "NAME", name))
			base := pods.Template
			assert.Equal(t, "a", template.Labels["team"])
			assert.Equal(t, "c", template.Annotations["example.org/b"])
			assert.Equal(t, base.Labels[v1alpha1.LabelInstance], template.Labels[v1alpha1.LabelInstance])
			assert.EqualValues(t, 900, *template.Spec.TerminationGracePeriodSeconds)
			assert.Equal(t, "mine", template.Spec.DeprecatedServiceAccount, "or the API server would bring it back when it is taken away")
			assert.Equal(t, []string{name, "z", "a"}, names(template.Spec.Containers))
			assert.Equal(t, append(names(base.Spec.InitContainers), "second", "first"), names(template.Spec.InitContainers))
			was, main := base.Spec.Containers[0], template.Spec.Containers[0]
			assert.Equal(t, was.Env, main.Env[:len(was.Env)])
			assert.Equal(t, []corev1.EnvVar{{Name: "B", Value: "$(A)"}, {Name: "A", Value: "b"}}, main.Env[len(was.Env):])
			assert.Equal(t, append(slices.Clone(was.VolumeMounts), corev1.VolumeMount{Name: "mine", MountPath: "/mine"}), main.VolumeMounts)
			assert.Equal(t, append(slices.Clone(base.Spec.Volumes), template.Spec.Volumes[len(base.Spec.Volumes)]), template.Spec.Volumes)
			assert.Len(t, template.Spec.Volumes, len(base.Spec.Volumes)+1)
			assert.EqualValues(t, 9, main.LivenessProbe.TimeoutSeconds)
			assert.Equal(t, was.LivenessProbe.ProbeHandler, main.LivenessProbe.ProbeHandler)
			assert.False(t, *main.SecurityContext.ReadOnlyRootFilesystem)
			assert.Equal(t, was.SecurityContext.Capabilities, main.SecurityContext.Capabilities)
			assert.Equal(t, was.Command, main.Command)
			assert.Equal(t, "500m", template.Spec.Containers[1].Resources.Requests.Cpu().String(), "as the API server writes it")
			assert.Equal(t, base.Spec.ReadinessGates, template.Spec.ReadinessGates)
		})
	}
}

func names(containers []corev1.Container) []string {
	var all []string
	for i := range containers {
		all = append(all, containers[i].Name)
	}
	return all
}

func TestUserAndGroupsOfPods(t *testing.T) {
	for text, want := range map[string]corev1.PodSecurityContext{
		"{}":                                  {},
		"{runAsUser: 7}":                      {RunAsUser: new(int64(7)), RunAsGroup: new(int64(7)), FSGroup: new(int64(7))},
		"{runAsUser: 7, fsGroup: 8}":          {RunAsUser: new(int64(7)), RunAsGroup: new(int64(7)), FSGroup: new(int64(8))},
		"{supplementalGroups: [5]}":           {RunAsUser: new(userID), RunAsGroup: new(userID), FSGroup: new(userID), SupplementalGroups: []int64{5}},
		"{fsGroupChangePolicy: Always}":       {RunAsUser: new(userID), RunAsGroup: new(userID), FSGroup: new(userID), FSGroupChangePolicy: new(corev1.FSGroupChangeAlways)},
		"{seccompProfile: {type: Localhost}}": {RunAsUser: new(userID), RunAsGroup: new(userID), FSGroup: new(userID), SeccompProfile: &corev1.SeccompProfile{Type: "Localhost"}},
	} {
		want.RunAsNonRoot = new(true)
		if want.FSGroupChangePolicy == nil {
			want.FSGroupChangePolicy = new(corev1.FSGroupChangeOnRootMismatch)
		}
		if want.SeccompProfile == nil {
			want.SeccompProfile = &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault}
		}
		for name, pods := range components(t) {
			assert.Equal(t, &want, merged(t, pods, "spec: {securityContext: "+text+"}").Spec.SecurityContext, "%s: %s", name, text)
		}
	}
}

// Added and taken away again, it costs a roll each, with one handover, and leaves nothing behind.
func TestAPodTemplateIsRolledOut(t *testing.T) {
	for _, file := range []string{"standard-minimal.yaml", "cluster-minimal.yaml", "sentinel-minimal.yaml"} {
		t.Run(file, func(t *testing.T) {
			w := settled(t, example(t, file))
			before := w.templates()
			moves := w.moves
			w.change(func(cr *v1alpha1.KVRocks) {
				cr.Spec.PodTemplate = extension(t, "metadata: {labels: {team: a}}\nspec: {containers: [{name: exporter, image: a}]}")
			})
			w.settle()
			assert.Equal(t, v1alpha1.PhaseRunning, w.cr.Status.Phase, w.cr.Status.Reason)
			for _, pod := range w.pods {
				if pod.Labels[v1alpha1.LabelComponent] == v1alpha1.ComponentData {
					assert.Equal(t, "a", pod.Labels["team"], pod.Name)
					assert.Len(t, pod.Spec.Containers, 2, pod.Name)
				}
			}
			shards := len(w.masters)
			assert.Equal(t, moves+shards, w.moves, "one handover per shard")
			w.change(func(cr *v1alpha1.KVRocks) { cr.Spec.PodTemplate = nil })
			w.settle()
			for name, template := range w.templates() {
				assert.Equal(t, string(pretty(t, before[name])), string(pretty(t, template)), name)
			}
			assert.Equal(t, moves+2*shards, w.moves)
		})
	}
}
