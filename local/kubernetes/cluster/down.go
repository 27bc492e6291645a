package cluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/vishvananda/netlink"

	"github.com/kvrocks/kvrocks-operator/local/kubernetes/host"
	"github.com/kvrocks/kvrocks-operator/local/kubernetes/layout"
	"github.com/kvrocks/kvrocks-operator/local/kubernetes/process"
)

// containerLogLinks is a fixed folder of the kubelet's.
const containerLogLinks = "/var/log/containers"

// Down ends the cluster and removes all that it left on the machine but the cache. It goes on after an error, and works
// after a crash of any part. At the end it asserts that nothing is left.
func (c *Cluster) Down(ctx context.Context) error {
	if os.Geteuid() != 0 {
		return errors.New("the local cluster needs root")
	}
	unlock, err := host.Lock(c.layout.Lock())
	if err != nil {
		return err
	}
	defer unlock()

	begin := time.Now()
	ids := host.ContainerIDs(filepath.Join(c.layout.State, "containerd"))
	// Without our state, packet-filter chains are those of another Kubernetes.
	hadNetwork := c.seen()
	var errs []error
	for _, s := range []step{
		// First what would start containers again, then the containers, then what serves both.
		{"kubelet, proxy, DNS", func(context.Context) error { return c.stop(names(c.nodePrograms())...) }},
		{"containers", func(context.Context) error { return host.KillContainers(c.layout.ContainerdSocket(), ids) }},
		{"all other programs", func(context.Context) error { return c.stop(c.processes.Names()...) }},
		{"mounts, cgroups", func(context.Context) error {
			return errors.Join(host.UnmountBelow(c.layout.State, c.layout.Run), host.RemoveCgroups(ids))
		}},
		{"network", func(ctx context.Context) error {
			err := errors.Join(host.RemoveBridge(), host.RemoveCNICache(ids), host.RestoreSysctls(c.sysctlFile()))
			if hadNetwork {
				err = errors.Join(err, host.RemoveKubernetesRules(ctx))
			}
			return err
		}},
		{"files", func(context.Context) error { return c.removeFiles() }},
		{"check", func(ctx context.Context) error { return c.assertNothingLeft(ctx, ids, hadNetwork) }},
	} {
		if err := c.run(ctx, s); err != nil {
			errs = append(errs, err)
		}
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	c.printf("the local cluster is down after %s\n", since(begin))
	return nil
}

func names(components []component) []string {
	list := make([]string, 0, len(components))
	for _, comp := range components {
		list = append(list, comp.Name)
	}
	return list
}

// stopGrace is short: nothing that these programs would still write is kept.
const stopGrace = 500 * time.Millisecond

// stop stops programs at the same time.
func (c *Cluster) stop(names ...string) error {
	errs := make([]error, len(names))
	var group sync.WaitGroup
	for i, name := range names {
		group.Go(func() { errs[i] = c.processes.Stop(name, stopGrace) })
	}
	group.Wait()
	return errors.Join(errs...)
}

func (c *Cluster) removeFiles() error {
	errs := []error{host.RemoveLinksInto(containerLogLinks, c.layout.Logs())}
	// Never walk into what could not be unmounted.
	mounts, err := host.MountsBelow(c.layout.State, c.layout.Run)
	if err != nil || len(mounts) > 0 {
		return errors.Join(append(errs, err, fmt.Errorf("still mounted: %v", mounts))...)
	}
	errs = append(errs, os.RemoveAll(c.layout.State), os.RemoveAll(c.layout.Run))
	if target, err := os.Readlink(layout.VolumeRoot); err == nil && target == c.layout.Volumes() {
		errs = append(errs, os.Remove(layout.VolumeRoot))
	}
	errs = append(errs, host.RemoveShimSockets())
	// Fixed names of kubelet's and containerd's; folders go only if they are empty.
	for _, path := range []string{
		"/var/lib/kubelet/device-plugins/kubelet.sock", "/var/lib/kubelet/device-plugins/kubelet_internal_checkpoint",
		"/var/lib/kubelet/device-plugins", "/var/lib/kubelet",
		"/run/containerd/s", "/run/containerd/fifo", "/run/containerd",
	} {
		_ = os.Remove(path)
	}
	return errors.Join(errs...)
}

// assertNothingLeft fails if anything of the cluster is still on the machine.
func (c *Cluster) assertNothingLeft(ctx context.Context, ids []string, hadNetwork bool) error {
	left, err := host.MountsBelow(c.layout.State, c.layout.Run)
	if err != nil {
		return err
	}
	for _, path := range []string{c.layout.State, c.layout.Run, layout.VolumeRoot} {
		if _, err := os.Lstat(path); err == nil {
			left = append(left, path)
		}
	}
	if _, err := netlink.LinkByName(layout.Bridge); err == nil {
		left = append(left, "network interface "+layout.Bridge)
	}
	if hadNetwork && host.HasKubernetesRules(ctx) {
		left = append(left, "packet-filter chains KUBE-*")
	}
	left = append(left, host.Cgroups(ids)...)
	for _, p := range process.List() {
		if c.isOurs(p) {
			left = append(left, fmt.Sprintf("process %d: %s", p.PID, strings.Join(p.Args, " ")))
		}
	}
	if len(left) > 0 {
		return fmt.Errorf("something is left behind:\n  %s", strings.Join(left, "\n  "))
	}
	return nil
}

// isOurs recognises programs and shims of the cluster by the paths in their arguments.
func (c *Cluster) isOurs(p process.Running) bool {
	if host.IsShim(p, c.layout.ContainerdSocket()) {
		return true
	}
	known := slices.ContainsFunc(c.all(), func(comp component) bool { return comp.Path == p.Args[0] })
	return known && strings.Contains(strings.Join(p.Args, " "), c.layout.State)
}
