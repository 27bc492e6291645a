package hooks

import "strconv"

// Annotations on pod templates and children.
const (
	// annotationTemplate carries the hash of the desired pod template. The API server fills in defaults, so a template
	// cannot be compared with an observed one; the hash on a pod tells which template it was made from.
	annotationTemplate = "kvrocks.apache.org/template-hash"
	// annotationGeneration, on a StatefulSet or Deployment, carries the generation of the KVRocks that its template was made for.
	annotationGeneration = "kvrocks.apache.org/template-generation"
	// annotationConfig carries the hash of the settings that kvrocks reads only when it starts.
	annotationConfig = "kvrocks.apache.org/config-hash"
	// annotationConfigEpoch carries the number of times that settings were removed; absent for none.
	annotationConfigEpoch = "kvrocks.apache.org/config-epoch"
	// annotationPassword carries the number of the sentinels' password: they take a new one only when they start.
	annotationPassword = "kvrocks.apache.org/password-version"
	// annotationDeclared carries, on every child, the hash of what was declared: see declaration.
	annotationDeclared = "kvrocks.apache.org/declared-hash"
	// annotationEpoch carries the number of the sidecar's last request to replace kvrocks-controller's processes.
	annotationEpoch = "kvrocks.apache.org/controller-epoch"
)

// Label that the StatefulSet controller puts on each pod.
const labelPodName = "statefulset.kubernetes.io/pod-name"

// Where things are in a pod.
const (
	configDir   = "/etc/kvrocks"
	passwordDir = "/etc/kvrocks-auth" //nolint:gosec // a path

	configVolume   = "config"
	passwordVolume = "password"
	tmpVolume      = "tmp"

	passwordFile = "password"
	startScript  = "start.sh"
	recallScript = "recall.sh"
	stopScript   = "stop.sh"
	probeScript  = "probe.sh"
	authScript   = "auth.sh"
	configFile   = "kvrocks.conf"
)

func configName(cr string) string     { return cr + "-config" }
func authName(cr string) string       { return cr + "-auth" }
func masterName(cr string) string     { return cr + "-master" }
func replicasName(cr string) string   { return cr + "-replicas" }
func etcdName(cr string) string       { return cr + "-etcd" }
func etcdPeerName(cr string) string   { return cr + "-etcd-peer" }
func controllerName(cr string) string { return cr + "-controller" }

func podName(statefulSet string, ordinal int32) string {
	return statefulSet + "-" + strconv.Itoa(int(ordinal))
}
