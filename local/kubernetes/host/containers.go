package host

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/kvrocks/kvrocks-operator/local/kubernetes/layout"
	"github.com/kvrocks/kvrocks-operator/local/kubernetes/process"
)

// ContainerIDs lists the containers, pod sandboxes included, that a containerd with this root folder has or had.
func ContainerIDs(containerdRoot string) []string {
	var ids []string
	for _, pattern := range []string{"io.containerd.runtime.v2.task/k8s.io/*", "io.containerd.grpc.v1.cri/*/*"} {
		dirs, _ := filepath.Glob(filepath.Join(containerdRoot, pattern))
		for _, dir := range dirs {
			ids = append(ids, filepath.Base(dir))
		}
	}
	return ids
}

// KillContainers kills the containers, and the shims of the containerd that listens on the socket.
func KillContainers(containerdSocket string, ids []string) error {
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		pids := containerPIDs(containerdSocket, ids)
		if len(pids) == 0 {
			return nil
		}
		// Children first: a shim that sees its container end tidies up.
		for _, pid := range slices.Backward(pids) {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	}
	return fmt.Errorf("these processes of containers survive SIGKILL: %v", containerPIDs(containerdSocket, ids))
}

// containerPIDs finds shims by the containerd they belong to, and containers by their shim or their control group.
func containerPIDs(containerdSocket string, ids []string) []int {
	all := process.List()
	var shims []int
	for _, p := range all {
		if IsShim(p, containerdSocket) {
			shims = append(shims, p.PID)
		}
	}
	pids := process.Descendants(all, shims...)
	for _, group := range Cgroups(ids) {
		data, err := os.ReadFile(filepath.Join(group, "cgroup.procs"))
		if err != nil {
			continue
		}
		for field := range strings.FieldsSeq(string(data)) {
			pid, err := strconv.Atoi(field)
			if err == nil && !slices.Contains(pids, pid) && running(all, pid) {
				pids = append(pids, pid)
			}
		}
	}
	return pids
}

func running(all []process.Running, pid int) bool {
	return slices.ContainsFunc(all, func(p process.Running) bool { return p.PID == pid })
}

// IsShim says whether the process is a shim of the containerd that listens on the socket.
func IsShim(p process.Running, containerdSocket string) bool {
	at := slices.Index(p.Args, "-address")
	return strings.Contains(filepath.Base(p.Args[0]), "containerd-shim") && at >= 0 && at+1 < len(p.Args) &&
		p.Args[at+1] == containerdSocket
}

// Cgroups lists the control groups of the containers in every hierarchy (v1 has several), deepest last. Without a
// hierarchy of pods, containerd puts them below its namespace.
func Cgroups(ids []string) []string {
	var found []string
	for _, id := range ids {
		roots, _ := filepath.Glob("/sys/fs/cgroup/*/k8s.io/" + id)
		for _, root := range append(roots, "/sys/fs/cgroup/k8s.io/"+id) {
			_ = filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
				if err == nil && entry.IsDir() {
					found = append(found, path)
				}
				return nil
			})
		}
	}
	return found
}

// RemoveCgroups removes the control groups of the containers.
func RemoveCgroups(ids []string) error {
	var errs []error
	for _, group := range slices.Backward(Cgroups(ids)) {
		err := os.Remove(group)
		// A group stays busy for a moment after its last process has gone.
		for range 50 {
			if err == nil || !errors.Is(err, syscall.EBUSY) {
				break
			}
			time.Sleep(20 * time.Millisecond)
			err = os.Remove(group)
		}
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	// The parents, unless another containerd uses them.
	parents, _ := filepath.Glob("/sys/fs/cgroup/*/k8s.io")
	for _, parent := range append(parents, "/sys/fs/cgroup/k8s.io") {
		_ = os.Remove(parent)
	}
	return errors.Join(errs...)
}

// MountsBelow lists the mount points in the folders, deepest first.
func MountsBelow(dirs ...string) ([]string, error) {
	data, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil, fmt.Errorf("list mounts: %w", err)
	}
	var mounts []string
	for line := range strings.Lines(string(data)) {
		fields := strings.Fields(line)
		// Blanks in a mount point are written as \040; none of ours has any.
		if len(fields) < 5 {
			continue
		}
		for _, dir := range dirs {
			if strings.HasPrefix(fields[4], dir+"/") {
				mounts = append(mounts, fields[4])
			}
		}
	}
	slices.Reverse(mounts)
	return mounts, nil
}

// UnmountBelow unmounts everything in the folders.
func UnmountBelow(dirs ...string) error {
	mounts, err := MountsBelow(dirs...)
	if err != nil {
		return err
	}
	var errs []error
	for _, mount := range mounts {
		if err := syscall.Unmount(mount, syscall.MNT_DETACH); err != nil && !errors.Is(err, syscall.EINVAL) {
			errs = append(errs, fmt.Errorf("unmount %s: %w", mount, err))
		}
	}
	return errors.Join(errs...)
}

// RemoveCNICache removes libcni's records of our networks, which it keeps in a fixed folder.
func RemoveCNICache(ids []string) error {
	const folder = "/var/lib/cni/results"
	files, _ := filepath.Glob(folder + "/" + layout.ClusterName + "-*")
	for _, id := range ids {
		loopback, _ := filepath.Glob(folder + "/*-" + id + "-*")
		files = append(files, loopback...)
	}
	var errs []error
	for _, file := range files {
		if err := os.Remove(file); err != nil && !errors.Is(err, os.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	// Only if empty.
	for _, dir := range []string{folder, filepath.Dir(folder)} {
		_ = os.Remove(dir)
	}
	return errors.Join(errs...)
}

// RemoveLinksInto removes the symbolic links of a folder that point into another, and the folder if that empties it.
// kubelet keeps such links in /var/log/containers.
func RemoveLinksInto(dir, target string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil //nolint:nilerr // No folder, no links.
	}
	var errs []error
	for _, entry := range entries {
		path := filepath.Join(dir, entry.Name())
		if to, err := os.Readlink(path); err == nil && strings.HasPrefix(to, target+"/") {
			errs = append(errs, os.Remove(path))
		}
	}
	_ = os.Remove(dir)
	return errors.Join(errs...)
}

// RemoveShimSockets removes the sockets of shims that have ended: containerd keeps them all in one folder, whatever its
// own is, and only a living shim answers.
func RemoveShimSockets() error {
	sockets, _ := filepath.Glob("/run/containerd/s/*")
	var errs []error
	for _, socket := range sockets {
		conn, err := net.Dial("unix", socket)
		if err == nil {
			errs = append(errs, conn.Close())
			continue
		}
		if errors.Is(err, syscall.ECONNREFUSED) {
			errs = append(errs, os.Remove(socket))
		}
	}
	return errors.Join(errs...)
}
