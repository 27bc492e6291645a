package host

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// wantedSysctls are the kernel settings that pods need to reach each other and Services.
func wantedSysctls() map[string]string {
	return map[string]string{
		"net/ipv4/ip_forward":                "1",
		"net/bridge/bridge-nf-call-iptables": "1",
	}
}

// savedSysctls are those, and the ones that kubelet and kube-proxy change on their own.
func savedSysctls() []string {
	return []string{
		"net/ipv4/ip_forward",
		"net/bridge/bridge-nf-call-iptables",
		"net/ipv4/conf/all/route_localnet",
		"net/netfilter/nf_conntrack_max",
		"net/netfilter/nf_conntrack_tcp_be_liberal",
		"vm/overcommit_memory",
		"vm/panic_on_oom",
		"kernel/panic",
		"kernel/panic_on_oops",
		"kernel/keys/root_maxkeys",
		"kernel/keys/root_maxbytes",
	}
}

// SetSysctls sets what the cluster needs and keeps the values from before in the file, once.
func SetSysctls(saveTo string) error {
	if _, err := os.Stat("/proc/sys/net/bridge"); err != nil {
		// Fails where there are no modules; then the setting below fails, and that error tells.
		_ = exec.Command("modprobe", "br_netfilter").Run()
	}
	if _, err := os.Stat(saveTo); errors.Is(err, os.ErrNotExist) {
		saved := map[string]string{}
		for _, name := range savedSysctls() {
			if value, err := readSysctl(name); err == nil {
				saved[name] = value
			}
		}
		data, err := json.Marshal(saved)
		if err != nil {
			return fmt.Errorf("save kernel settings: %w", err)
		}
		if err := os.WriteFile(saveTo, data, 0o644); err != nil {
			return fmt.Errorf("save kernel settings: %w", err)
		}
	}
	for name, value := range wantedSysctls() {
		if err := os.WriteFile(filepath.Join("/proc/sys", name), []byte(value), 0o644); err != nil {
			return fmt.Errorf("set the kernel setting %s (is the br_netfilter module loaded?): %w", name, err)
		}
	}
	return nil
}

// RestoreSysctls writes back what SetSysctls kept. Without the file there is nothing to put back.
func RestoreSysctls(savedIn string) error {
	data, err := os.ReadFile(savedIn)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("restore kernel settings: %w", err)
	}
	saved := map[string]string{}
	if err := json.Unmarshal(data, &saved); err != nil {
		return fmt.Errorf("restore kernel settings from %s: %w", savedIn, err)
	}
	var errs []error
	for name, value := range saved {
		if now, err := readSysctl(name); err == nil && now != value {
			errs = append(errs, os.WriteFile(filepath.Join("/proc/sys", name), []byte(value), 0o644))
		}
	}
	return errors.Join(errs...)
}

func readSysctl(name string) (string, error) {
	data, err := os.ReadFile(filepath.Join("/proc/sys", name))
	return strings.TrimSpace(string(data)), err
}
