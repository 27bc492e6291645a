//go:build smoke

package smoke

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const pods = `
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
---
apiVersion: v1
kind: Pod
metadata: {name: server, labels: {app: server}}
spec:
  hostname: server
  subdomain: headless
  securityContext: {runAsUser: 999, runAsGroup: 999, fsGroup: 999, runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}
  containers:
  - name: server
    image: docker.io/apache/kvrocks:2.10.1
    command: [sh, -c, "echo hello >> /data/index.html; echo serving; exec httpd -f -p 8080 -h /data"]
    securityContext: {readOnlyRootFilesystem: true, allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
    resources: {requests: {cpu: 10m, memory: 16Mi}, limits: {cpu: 200m, memory: 64Mi}}
    readinessProbe: {tcpSocket: {port: 8080}, periodSeconds: 1}
    volumeMounts: [{name: data, mountPath: /data}]
  volumes: [{name: data, persistentVolumeClaim: {claimName: data}}]
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: server}, ports: [{port: 80, targetPort: 8080}]}
---
apiVersion: v1
kind: Service
metadata: {name: headless}
spec: {clusterIP: None, selector: {app: server}, ports: [{port: 8080, targetPort: 8080}]}
---
apiVersion: v1
kind: Pod
metadata: {name: client}
spec:
  terminationGracePeriodSeconds: 1
  containers: [{name: client, image: "redis:7.0.15", command: [sleep, "3600"]}]
`

// startPods brings the cluster up and the pods into a namespace of their own, and waits until they are ready.
func startPods(t *testing.T) namespace {
	t.Helper()
	local(t, "up")
	local(t, "images", "kvrocks", "redis")
	n := newNamespace(t)
	n.applyPods()
	n.must("wait", "--for=condition=Ready", "pod", "--all", "--timeout=60s")
	return n
}

// get fetches a page from inside a pod. The limit is the shell's: wget's own crashes in a static busybox.
func get(n namespace, pod, url string) (string, error) {
	return n.kubectl("exec", pod, "--", "timeout", "5", "wget", "-qO-", url)
}

func TestPodsReachServicesVolumesAndTheirPeers(t *testing.T) {
	n := startPods(t)

	t.Run("a name of a Service leads to the pod behind it", func(t *testing.T) {
		for _, url := range []string{
			"http://web/", "http://web." + n.name + ".svc.cluster.local/",
			"http://headless:8080/", "http://server.headless:8080/",
		} {
			page, err := get(n, "client", url)
			require.NoError(t, err)
			assert.Equal(t, "hello\n", page, url)
		}
	})
	t.Run("a pod reaches itself through its own Service", func(t *testing.T) {
		page, err := get(n, "server", "http://web/")
		require.NoError(t, err)
		assert.Equal(t, "hello\n", page)
	})
	t.Run("the machine reaches a ClusterIP", func(t *testing.T) {
		address := n.must("get", "service", "web", "-o", "jsonpath={.spec.clusterIP}")
		assert.Equal(t, "hello\n", string(run(t, "wget", "-T5", "-qO-", "http://"+address+"/")))
	})
	t.Run("logs and exec work", func(t *testing.T) {
		assert.Equal(t, "serving\n", n.must("logs", "server"))
		assert.Contains(t, n.must("exec", "server", "--", "id"), "uid=999(kvrocks) gid=999(kvrocks)")
	})
	t.Run("the root filesystem is read-only and the volume is on the disk", func(t *testing.T) {
		_, err := n.kubectl("exec", "server", "--", "touch", "/x")
		require.ErrorContains(t, err, "Read-only file system")
		assert.NotContains(t, n.must("exec", "server", "--", "sh", "-c", "mount | grep ' /data '"), "tmpfs")
	})
	t.Run("a pod deleted by force is gone at once, and its volume returns with its data", func(t *testing.T) {
		begin := time.Now()
		n.must("delete", "pod", "server", "--force", "--grace-period=0")
		assert.Less(t, time.Since(begin), 5*time.Second)
		n.applyPods()
		n.must("wait", "--for=condition=Ready", "pod/server", "--timeout=60s")
		page, err := get(n, "client", "http://web/")
		require.NoError(t, err)
		assert.Equal(t, 2, strings.Count(page, "hello"), page)
	})
	t.Run("a deleted claim takes its volume along", func(*testing.T) {
		volume := n.must("get", "pvc", "data", "-o", "jsonpath={.spec.volumeName}")
		n.must("delete", "pod", "server", "--grace-period=1")
		n.must("delete", "pvc", "data")
		n.must("wait", "--for=delete", "pv/"+volume, "--timeout=60s")
	})
}
