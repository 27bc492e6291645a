//go:build smoke

package smoke

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// machine is what a cluster changes on a machine, read without the program under test.
func machine(t *testing.T) map[string]string {
	t.Helper()
	shell := func(script string) string { return string(run(t, "sh", "-c", script)) }
	return map[string]string{
		"mounts":         shell("cut -d' ' -f5 /proc/self/mountinfo | sort"),
		"interfaces":     shell("ls /sys/class/net"),
		"routes":         shell("cat /proc/net/route"),
		"rules":          shell("{ iptables-save; ip6tables-save; } | grep -E '^(-A|:KUBE)' | sort || true"),
		"forwarding":     shell("cat /proc/sys/net/ipv4/ip_forward"),
		"control groups": shell("find /sys/fs/cgroup -type d | sort"),
		"files":          shell("ls -d /var/lib/k* /run/k* /run/containerd* /tmp/hostpath_pv /var/lib/cni/* /run/netns/* /var/log/containers 2>/dev/null || true"),
		"processes":      shell("ps -eo comm= | grep -E '^(kube|etcd|coredns|containerd|pause|local$)' || true"),
	}
}

func TestDownLeavesTheMachineAsItWas(t *testing.T) {
	local(t, "down")
	before := machine(t)
	assert.Empty(t, before["processes"])

	t.Run("with pods running", func(t *testing.T) {
		startPods(t)
		local(t, "down")
		assert.Equal(t, before, machine(t))
	})
	t.Run("after every program of the cluster crashed", func(t *testing.T) {
		startPods(t)
		for _, pid := range programs(t) {
			require.NoError(t, syscall.Kill(pid, syscall.SIGKILL))
		}
		local(t, "down")
		assert.Equal(t, before, machine(t))
	})
	t.Run("a second time", func(t *testing.T) {
		local(t, "down")
		assert.Equal(t, before, machine(t))
	})
}

func TestUpRepairs(t *testing.T) {
	n := startPods(t)

	t.Run("nothing when all is well, and at once", func(t *testing.T) {
		begin := time.Now()
		assert.Contains(t, local(t, "up"), "is running")
		assert.Less(t, time.Since(begin), 5*time.Second)
	})
	t.Run("a cluster whose programs crashed, without touching its pods", func(t *testing.T) {
		before := n.must("get", "pods", "-o", "jsonpath={.items[*].status.containerStatuses[*].containerID}")
		for _, pid := range programs(t) {
			require.NoError(t, syscall.Kill(pid, syscall.SIGKILL))
		}
		local(t, "up")
		n.must("wait", "--for=condition=Ready", "pod", "--all", "--timeout=60s")
		assert.Equal(t, before, n.must("get", "pods", "-o", "jsonpath={.items[*].status.containerStatuses[*].containerID}"))
		awaitPage(t, n, "hello\n")
	})
	t.Run("a cluster after the machine was rebooted", func(t *testing.T) {
		crashMachine(t)
		local(t, "up")
		// The server writes another line at each start, to the volume that it kept.
		awaitPage(t, n, "hello\nhello\n")
	})
}

// awaitPage asks for a while: after a crash the API server tells the pods' conditions from before until the kubelet has
// looked at each.
func awaitPage(t *testing.T, n namespace, want string) {
	t.Helper()
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		page, err := get(n, "client", "http://web/")
		assert.NoError(c, err)
		assert.Equal(c, want, page)
	}, 2*time.Minute, 500*time.Millisecond)
}

// programs reads the process ids that the cluster recorded.
func programs(t *testing.T) []int {
	t.Helper()
	files, err := filepath.Glob("/run/kvrocks-local/pids/*.pid")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	pids := make([]int, 0, len(files))
	for _, file := range files {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		var record struct{ PID int }
		require.NoError(t, json.Unmarshal(data, &record))
		pids = append(pids, record.PID)
	}
	return pids
}

// crashMachine removes what a reboot removes: processes, mounts, network, and the run folder.
func crashMachine(t *testing.T) {
	t.Helper()
	for _, pid := range programs(t) {
		require.NoError(t, syscall.Kill(pid, syscall.SIGKILL))
	}
	// Each sandbox and container has a control group; killing all in it also ends its shim.
	groups, err := filepath.Glob("/sys/fs/cgroup/*/k8s.io/*/cgroup.procs")
	require.NoError(t, err)
	for _, group := range groups {
		data, err := os.ReadFile(group)
		require.NoError(t, err)
		for pid := range strings.FieldsSeq(string(data)) {
			_ = exec.Command("kill", "-9", pid).Run()
		}
	}
	shims, err := exec.Command("pgrep", "-f", "containerd-shim.*-address /run/kvrocks-local/").Output()
	require.NoError(t, err)
	for pid := range strings.FieldsSeq(string(shims)) {
		run(t, "kill", "-9", pid)
	}
	run(t, "sh", "-c", "cut -d' ' -f5 /proc/self/mountinfo | grep -E '^(/run|/var/lib)/kvrocks-local/' | sort -r | xargs -r -n1 umount -l")
	run(t, "ip", "link", "delete", "kvrocks0")
	require.NoError(t, os.RemoveAll("/run/kvrocks-local"))
	require.NoError(t, os.RemoveAll("/run/containerd"))
}
