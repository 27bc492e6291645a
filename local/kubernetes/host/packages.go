// Package host prepares the machine for the local cluster and puts it back: distribution packages, kernel settings,
// the bridge, packet-filter rules, and what containers leave behind.
package host

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// requirement is a program or file and the Debian package that brings it.
type requirement struct{ path, debianPackage string }

func requirements() []requirement {
	return []requirement{
		{"containerd", "containerd"},
		{"ctr", "containerd"},
		{"runc", "runc"},
		{"/usr/lib/cni/bridge", "containernetworking-plugins"},
		{"iptables", "iptables"},
		{"redis-server", "redis-server"},
		{"redis-cli", "redis-tools"},
		{"redis-sentinel", "redis-sentinel"},
		{"/bin/busybox", "busybox-static"},
		{"gcc", "gcc"},
		{"/usr/include/stdio.h", "libc6-dev"},
		{"/usr/lib/python3/dist-packages/redis/client.py", "python3-redis"}, // for a client of another language
	}
}

func missingPackages() []string {
	var missing []string
	for _, r := range requirements() {
		_, err := exec.LookPath(r.path)
		if ext := filepath.Ext(r.path); ext == ".h" || ext == ".py" { // no program
			_, err = os.Stat(r.path)
		}
		if err != nil && !slices.Contains(missing, r.debianPackage) {
			missing = append(missing, r.debianPackage)
		}
	}
	return missing
}

// InstallPackages installs what the cluster needs from the distribution and is missing; it returns their names.
// No service that a package brings is started.
func InstallPackages(ctx context.Context) ([]string, error) {
	missing := missingPackages()
	if len(missing) == 0 {
		return nil, nil
	}
	if os.Geteuid() != 0 {
		return nil, fmt.Errorf("not root, and these packages are missing: %s", strings.Join(missing, " "))
	}
	if _, err := exec.LookPath("apt-get"); err != nil {
		return nil, fmt.Errorf("this is not a Debian-like system; install by hand what these Debian packages hold: %s",
			strings.Join(missing, " "))
	}
	restore, err := forbidServiceStarts()
	if err != nil {
		return nil, err
	}
	defer restore()

	install := append([]string{"install", "-y", "-q", "--no-install-recommends"}, missing...)
	if err := aptGet(ctx, install...); err != nil {
		// The usual reason is an old or empty package list.
		if err := aptGet(ctx, "update", "-q"); err != nil {
			return nil, err
		}
		if err := aptGet(ctx, install...); err != nil {
			return nil, err
		}
	}
	return missing, nil
}

func aptGet(ctx context.Context, args ...string) error {
	cmd := exec.CommandContext(ctx, "apt-get", args...)
	cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("apt-get %s: %w\n%s", strings.Join(args, " "), err, out)
	}
	return nil
}

const (
	policyFile = "/usr/sbin/policy-rc.d"
	policyText = "#!/bin/sh\n# kvrocks-local: no service is started while packages are installed.\nexit 101\n"
)

// forbidServiceStarts puts a policy in place that Debian's maintainer scripts ask before they start a service.
// The returned function puts back what was there.
func forbidServiceStarts() (func(), error) {
	const saved = policyFile + ".kvrocks-local"
	// A file of ours is left from a run that was killed: the real one, if any, still lies aside.
	if data, err := os.ReadFile(policyFile); err != nil || string(data) != policyText {
		if err := os.Rename(policyFile, saved); err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, fmt.Errorf("set the service policy aside: %w", err)
		}
	}
	if err := os.WriteFile(policyFile, []byte(policyText), 0o755); err != nil {
		return nil, fmt.Errorf("forbid service starts: %w", err)
	}
	return func() {
		if os.Rename(saved, policyFile) != nil {
			_ = os.Remove(policyFile)
		}
	}, nil
}
